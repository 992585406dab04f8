/**
 * The file of the access log. One that cannot be opened is said, and tried again with the next reload: a
 * proxy serves without it too, or goes on in the file before.
 * @module
 */
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openForAppending } from "../../../ffi/sockets/stream.ts";
import type { Logger } from "../../log.ts";
import { errnoCode } from "../../net/errno.ts";
import { LogSink } from "../log_sink.ts";
import type { LineTaker } from "./line_taker.ts";

/** Addresses of clients, and the names that they ask for, are not for everybody. */
const MODE = 0o640;

/** Opens a file for writing at its end. The descriptor or -errno. */
export type OpenForAppending = (path: string, mode: number) => number;

/** See the module. */
export class AccessFile implements LineTaker {
  readonly #path: string;
  readonly #log: Logger;
  readonly #openFile: OpenForAppending;
  #open: { readonly fd: number; readonly sink: LogSink } | null = null;

  constructor(path: string, log: Logger, open: OpenForAppending = openForAppending) {
    this.#path = path;
    this.#openFile = open;
    this.#log = log;
    this.#open = this.#tryToOpen();
  }

  /** See {@linkcode LineTaker}. */
  get hasRoom(): boolean {
    return this.#open?.sink.hasRoom ?? true;
  }

  /** See {@linkcode LineTaker}. */
  write(line: string): void {
    this.#open?.sink.write(line);
  }

  /** Opens what has the path now, and closes the file before; where that cannot be, it goes on in that. */
  reopen(): void {
    const opened = this.#tryToOpen();
    if (opened === null && this.#open !== null) return;
    this.end();
    this.#open = opened;
  }

  /** Gives the reader a last chance, where it is a pipe, and closes. */
  async end(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    await open.sink.end();
    closeFd(open.fd);
  }

  #tryToOpen(): { readonly fd: number; readonly sink: LogSink } | null {
    const fd = this.#openFile(this.#path, MODE);
    const file = this.#path;
    if (fd < 0) {
      const fields = { file, reason: errnoCode(-fd) };
      if (this.#open === null) this.#log.error("the access log cannot be opened", fields);
      else this.#log.warn("the access log cannot be opened anew, and goes on where it was", fields);
      return null;
    }
    const sink = new LogSink(fd);
    sink.onFailing = (errno) =>
      this.#log.error("the access log cannot be written", { file, reason: errnoCode(errno) });
    sink.onLost = (lines) => this.#log.warn("lines of the access log are lost", { lines });
    return { fd, sink };
  }
}
