/**
 * The service manager's notifications: sd_notify(3), spoken directly. Without a service manager all of it
 * does nothing.
 * @module
 */
import { EAGAIN } from "../../../ffi/consts.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openUnixDatagram, sendUnixDatagram, unixAddress } from "../../../ffi/sockets/unix.ts";

/** Tells the service manager something, one `NAME=value` each. */
export interface Notifier {
  /** Tells that somebody listens. */
  readonly enabled: boolean;
  /**
   * Sends the assignments as one datagram. A manager that is busy gets it later; nothing of it ever blocks or
   * throws.
   */
  send(...assignments: readonly string[]): void;
  /** Closes the socket, after a last attempt at what has not been sent. */
  close(): void;
}

/** Milliseconds for which a busy service manager is left alone. */
const RETRY_MS = 100;
/** A manager that takes nothing is dead; the newest are kept. */
const MAX_WAITING = 16;

const SILENT: Notifier = { enabled: false, send: () => {}, close: () => {} };

/**
 * A notifier for $NOTIFY_SOCKET: a path, or `@name`, abstract. Undefined, or a name that is none: one that
 * does nothing.
 */
export function openNotifier(name: string | undefined): Notifier {
  const address = name === undefined || !/^[/@]/.test(name) ? undefined : unixAddress(name);
  const fd = address === undefined ? -1 : openUnixDatagram();
  return address === undefined || fd < 0 ? SILENT : new SocketNotifier(fd, address);
}

class SocketNotifier implements Notifier {
  readonly enabled = true;
  readonly #fd: number;
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fd: number, address: Uint8Array<ArrayBuffer>) {
    this.#fd = fd;
    this.#address = address;
  }

  send(...assignments: readonly string[]): void {
    const lines = assignments.map((assignment) => assignment.replaceAll("\n", " "));
    this.#waiting.push(new TextEncoder().encode(lines.join("\n")));
    while (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.#flush();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#flush();
    clearTimeout(this.#timer);
    closeFd(this.#fd);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0) {
      // One that is gone, or refuses, is not told again: only a full queue gets better by waiting.
      if (sendUnixDatagram(this.#fd, this.#waiting[0], this.#address) === -EAGAIN) {
        this.#timer = setTimeout(() => this.#flush(), RETRY_MS);
        return;
      }
      this.#waiting.shift();
    }
  }
}
