/**
 * Pipes for splice, kept for the next direction that needs one. A pipe in the pool is always empty.
 * @module
 */
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { openPipe, setPipeSize } from "../../../../ffi/pipe.ts";

/** A pipe's two descriptors and its size. */
export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
  /** Bytes. */
  readonly size: number;
}

/** Pipes that lie idle are closed above this number. */
const MAX_IDLE = 256;
const DEFAULT_SIZE = 65536;

/** The pool of one worker. */
export class PipePool {
  readonly #limit: number;
  readonly #wantedSize: number;
  readonly #idle: Pipe[] = [];
  readonly #ends = new Int32Array(2);
  #open = 0;

  /** At most `limit` pipes at once, of `wantedSize` bytes where the kernel allows it. */
  constructor(limit: number, wantedSize: number) {
    this.#limit = limit;
    this.#wantedSize = wantedSize;
  }

  /** An empty pipe, or null: there are enough, or no descriptors are left. The caller then copies. */
  take(): Pipe | null {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#open >= this.#limit || openPipe(this.#ends) < 0) return null;
    this.#open++;
    const [readEnd, writeEnd] = this.#ends;
    const size = this.#wantedSize === DEFAULT_SIZE ? DEFAULT_SIZE : setPipeSize(writeEnd, this.#wantedSize);
    return { readEnd, writeEnd, size: size > 0 ? size : DEFAULT_SIZE };
  }

  /** Counts a pipe of another process, which is in use already, above the limit too. */
  adopt(): void {
    this.#open++;
  }

  /** Gives a pipe back; `empty` tells whether bytes are left in it, which nobody else may get. */
  give(pipe: Pipe, empty: boolean): void {
    if (empty && this.#idle.length < MAX_IDLE) this.#idle.push(pipe);
    else this.#close(pipe);
  }

  /** Closes what lies idle. */
  clear(): void {
    for (let pipe = this.#idle.pop(); pipe !== undefined; pipe = this.#idle.pop()) this.#close(pipe);
  }

  #close(pipe: Pipe): void {
    closePipe(pipe);
    this.#open--;
  }
}

/** Closes both ends. */
export function closePipe({ readEnd, writeEnd }: Pipe): void {
  closeFd(readEnd);
  closeFd(writeEnd);
}
