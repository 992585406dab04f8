/** A service manager's socket: a real unix datagram socket that collects what a service says. */
import { bindSocket, closeFd, receive } from "../../../../ffi/sockets/socket.ts";
import { openUnixDatagram, unixAddress } from "../../../../ffi/sockets/unix.ts";

/** Bound to a path, or to `@name`. */
export class ServiceManagerSocket implements Disposable {
  readonly fd: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.fd = openUnixDatagram();
    const address = unixAddress(path)!;
    const bound = bindSocket(this.fd, address, address.length);
    if (bound < 0) throw new Error(`Cannot bind to ${path}: ${bound}`);
    if (path.startsWith("/")) Deno.chmodSync(path, 0o777); // as systemd's: services are of any user
  }

  /** The next datagram, undefined if none waits. */
  next(): string | undefined {
    const buffer = new Uint8Array(4096);
    const length = receive(this.fd, buffer, buffer.length);
    return length < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, length));
  }

  /** All that wait. */
  all(): string[] {
    const texts: string[] = [];
    for (let text = this.next(); text !== undefined; text = this.next()) texts.push(text);
    return texts;
  }

  [Symbol.dispose](): void {
    closeFd(this.fd);
    if (this.#path.startsWith("/")) Deno.removeSync(this.#path);
  }
}

/** A path for a socket in a directory of its own, which goes with it. */
export function socketPath(): { path: string } & Disposable {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-notify-" });
  return {
    path: `${directory}/socket`,
    [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }),
  };
}
