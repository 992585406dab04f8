/**
 * Restraint of one way through a session: what is taken from the source stays near what the target takes. The
 * kernel would let a fast source fill all buffers up to their greatest size, and acknowledge megabytes that
 * stand before a slow line, or before a reader who never reads.
 *
 * From the first bulk on, the source's receive buffer grows no more, and little waits unsent for the target.
 * The buffer may grow while it is the source that cannot keep up with the target: then, and only then, a
 * larger window is of use.
 * @module
 */
import {
  SO_BUF_LOCK,
  SOCK_RCVBUF_LOCK,
  SOL_SOCKET,
  SOL_TCP,
  TCP_NOTSENT_LOWAT,
} from "../../../../ffi/consts.ts";
import { setInt, unsentBytes } from "../../../../ffi/sockets/sockopt.ts";

/** Bytes that wait unsent at most, beside one more write, for a target of which nothing is known. */
const FEW_UNSENT = 32 * 1024;
/** The same for one that takes a piece of so many bytes in a second: fewer system calls. */
const MORE_UNSENT = 256 * 1024;
const MUCH = 1 << 20;
/** One that takes so many has what the kernel gives it: a wait for each 128 KiB would double the cost. */
const KERNELS_CHOICE = 0x7fffffff;
const VERY_MUCH = 64 << 20;
const SECOND_MS = 1000;
/**
 * A target that has taken so many bytes without a pause, and has sent them, keeps up: a reader who never
 * reads takes up to 128 KiB, as much as the receive buffer has that his kernel begins with.
 */
const KEEPS_UP = 160 * 1024;
/** A target that pauses so many times in a row, each time after fewer bytes than that, is the slower side. */
const TRICKLE = 64 * 1024;
const PAUSES = 8;
/** Bytes that are taken at once from the source. */
const SMALL_PIECE = 32 * 1024;
const LARGE_PIECE = 1 << 20;

/** No bulk has passed. */
const NONE = 0;
/** The receive buffer of the source keeps its size. */
const HELD = 1;
/** The receive buffer of the source grows as the kernel likes. */
const FREE = 2;

/** The restraint of one way. */
export class Restraint {
  /** Bytes to take at once from the source. */
  piece = LARGE_PIECE;
  #state = NONE;
  /** Bytes since the target paused. */
  #sincePause = 0;
  /** Pauses in a row that came early. */
  #pauses = 0;
  /** Bytes that may wait unsent. */
  #unsent = KERNELS_CHOICE;
  /** Bytes since the measurement began, and its begin. */
  #measured = 0;
  #measuredFrom = 0;

  /** Makes it new again. */
  reset(): void {
    this.#state = NONE;
    this.piece = LARGE_PIECE;
  }

  /** Notes that the target took so many bytes of bulk; less than 0: none. */
  much(from: number, to: number, bytes: number): void {
    if (this.#state === NONE) this.#begin(from, to);
    if (bytes <= 0) return;
    this.#sincePause += bytes;
    if (this.#state === HELD && this.#sincePause >= KEEPS_UP) {
      this.#sincePause = 0;
      if (unsentBytes(to) === 0) this.#lock(from, FREE, 0);
    }
    if (this.#unsent === KERNELS_CHOICE) return;
    this.#measured += bytes;
    if (this.#measured >= (this.#unsent === FEW_UNSENT ? MUCH : VERY_MUCH)) this.#measure(to);
  }

  /** Notes that the target takes no more for now. */
  blocked(from: number): void {
    this.#pauses = this.#sincePause < TRICKLE ? this.#pauses + 1 : 0;
    this.#sincePause = 0;
    if (this.#state === FREE && this.#pauses >= PAUSES) this.#lock(from, HELD, SOCK_RCVBUF_LOCK);
  }

  #begin(from: number, to: number): void {
    this.#sincePause = this.#pauses = this.#measured = 0;
    this.#measuredFrom = performance.now();
    this.piece = SMALL_PIECE;
    this.#lock(from, HELD, SOCK_RCVBUF_LOCK);
    this.#allow(to, FEW_UNSENT);
  }

  #measure(to: number): void {
    const now = performance.now();
    if (now - this.#measuredFrom < SECOND_MS) {
      this.piece = LARGE_PIECE;
      this.#allow(to, this.#unsent === FEW_UNSENT ? MORE_UNSENT : KERNELS_CHOICE);
    }
    this.#measuredFrom = now;
    this.#measured = 0;
  }

  #allow(to: number, unsent: number): void {
    this.#unsent = unsent;
    setInt(to, SOL_TCP, TCP_NOTSENT_LOWAT, unsent);
  }

  /** Before Linux 5.14 the buffer grows as it always did. */
  #lock(from: number, state: number, lock: number): void {
    this.#state = state;
    setInt(from, SOL_SOCKET, SO_BUF_LOCK, lock);
  }
}
