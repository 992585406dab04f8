/**
 * Moves bytes from one socket to another, as far as both go without waiting: small messages through one
 * scratch buffer with recv and send, bulk by splice through a pipe. Half-close is passed on.
 * @module
 */
import { EAGAIN, SHUT_WR, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "../../../../ffi/consts.ts";
import { spliceBytes } from "../../../../ffi/pipe.ts";
import { receive, send, shutdownSocket } from "../../../../ffi/sockets/socket.ts";
import type { Pipe, PipePool } from "./pipes.ts";
import type { Direction } from "../session.ts";

/** A read that fills the scratch buffer means bulk. */
const SCRATCH_SIZE = 16384;
/** Number of small reads in a row after which bulk is over: splice costs a system call more per message. */
const SMALL_READS_TO_LEAVE_BULK = 16;
/** Reads per turn, so that one fast session cannot keep the others waiting. */
const ROUNDS_PER_TURN = 16;
const MAX_SPARE_BUFFERS = 256;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

/** Nothing more can be done until an event comes. */
export const WAITING = 0;
/** The turn is over, and there may be more to do. */
export const MORE = 1;

/** The relay of one worker. */
export class Relay {
  readonly #pipes: PipePool;
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #rounds: number;
  readonly #scratch = new Uint8Array(SCRATCH_SIZE);
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** A turn has so many `rounds`: reads. */
  constructor(pipes: PipePool, counters: Float64Array<SharedArrayBuffer>, rounds = ROUNDS_PER_TURN) {
    this.#rounds = rounds;
    this.#pipes = pipes;
    this.#counters = counters;
  }

  /**
   * Moves what can be moved. WAITING or MORE; or -errno, either because the target takes no more, or because
   * the source has failed (`direction.failure`) and all that it had sent before has been passed on. The end
   * of a source that has failed is not passed on: it would look like a clean one.
   */
  pump(direction: Direction): number {
    if (direction.finished) return WAITING;
    return direction.bulk ? this.#splice(direction, this.#rounds) : this.#copy(direction);
  }

  /** Takes back a direction's buffer and pipe. */
  release(direction: Direction): void {
    if (direction.buffer !== null) this.#giveBuffer(direction);
    if (direction.pipe !== null) this.#givePipe(direction);
  }

  /** Gives a direction what was read and not passed on elsewhere: bytes, and a pipe with others. */
  restore(direction: Direction, unsent: Uint8Array, pipe: Pipe | null, inPipe: number): void {
    if (unsent.length > 0) {
      const spare = unsent.length > SCRATCH_SIZE ? undefined : this.#spare.pop();
      direction.buffer = spare ?? new Uint8Array(Math.max(SCRATCH_SIZE, unsent.length));
      direction.buffer.set(unsent);
      direction.length = unsent.length;
    }
    if (pipe === null) return;
    this.#pipes.adopt();
    direction.pipe = pipe;
    direction.inPipe = inPipe;
  }

  #copy(direction: Direction): number {
    for (let round = 0; round < this.#rounds; round++) {
      if (direction.buffer !== null) {
        const returned = this.#sendRest(direction);
        if (returned < 0) return returned;
        if (direction.buffer !== null) return WAITING;
      }
      if (direction.ended) return this.#finish(direction);
      if (!direction.readable) return direction.failure; // 0 is WAITING
      // Reading what cannot be passed on would only fill memory: back-pressure is left to TCP.
      if (!direction.writable) return WAITING;
      const received = receive(direction.from, this.#scratch, SCRATCH_SIZE);
      if (received <= 0) {
        direction.readable = false;
        if (received === 0) direction.ended = direction.failure === 0;
        else if (received !== -EAGAIN) direction.failure = received;
        continue;
      }
      // A short read has emptied the queue, and what comes later makes a new edge, unless the end has come
      // already.
      if (received < SCRATCH_SIZE && !direction.hungUp && !direction.urgent) direction.readable = false;
      const sent = send(direction.to, this.#scratch, received);
      if (sent < 0 && sent !== -EAGAIN) return sent;
      if (sent > 0) this.#counters[direction.counter] += sent;
      if (received === SCRATCH_SIZE) direction.restraint.much(direction.from, direction.to, sent);
      if (sent < received) this.#keepRest(direction, Math.max(0, sent), received);
      else if (received === SCRATCH_SIZE && this.#enterBulk(direction)) {
        return this.#splice(direction, this.#rounds - round);
      }
    }
    return MORE;
  }

  #sendRest(direction: Direction): number {
    if (!direction.writable) return WAITING;
    const { offset, length } = direction;
    const sent = send(direction.to, direction.buffer!.subarray(offset, offset + length), length);
    if (sent < 0 && sent !== -EAGAIN) return sent;
    if (sent > 0) {
      this.#counters[direction.counter] += sent;
      direction.offset += sent;
      direction.length -= sent;
    }
    if (direction.length === 0) this.#giveBuffer(direction);
    else direction.writable = false;
    return WAITING;
  }

  #keepRest(direction: Direction, from: number, to: number): void {
    const buffer = this.#spare.pop() ?? new Uint8Array(SCRATCH_SIZE);
    buffer.set(this.#scratch.subarray(from, to));
    direction.buffer = buffer;
    direction.offset = 0;
    direction.length = to - from;
    direction.writable = false;
    direction.restraint.blocked(direction.from);
  }

  #giveBuffer(direction: Direction): void {
    if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(direction.buffer!);
    direction.buffer = null;
  }

  #givePipe(direction: Direction): void {
    this.#pipes.give(direction.pipe!, direction.inPipe === 0);
    direction.pipe = null;
  }

  #enterBulk(direction: Direction): boolean {
    if (direction.urgent) return false;
    direction.pipe = this.#pipes.take();
    if (direction.pipe === null) return false;
    direction.bulk = true;
    direction.smallReads = 0;
    return true;
  }

  #leaveBulk(direction: Direction): void {
    this.#givePipe(direction);
    direction.bulk = false;
  }

  #splice(direction: Direction, rounds: number): number {
    if (direction.pipe === null && (direction.pipe = this.#pipes.take()) === null) {
      direction.bulk = false; // no descriptors left: copy
      return this.#copy(direction);
    }
    const pipe = direction.pipe;
    for (let round = 0; round < rounds; round++) {
      let progress = false;
      // What the target does not take stays with the source: it is not to hear that it has arrived.
      if (direction.readable && direction.writable && !direction.urgent && direction.inPipe < pipe.size) {
        const size = Math.min(pipe.size, direction.restraint.piece);
        const read = spliceBytes(direction.from, pipe.writeEnd, size, SPLICE_FLAGS);
        if (read > 0) {
          direction.inPipe += read;
          direction.smallReads = read < SCRATCH_SIZE ? direction.smallReads + 1 : 0;
          progress = true;
        } else if (read === 0) {
          // The end, or a mark of urgent data: recv can tell.
          direction.smallReads = SMALL_READS_TO_LEAVE_BULK;
        } else if (read !== -EAGAIN) {
          direction.failure = read;
          direction.readable = false;
        } else if (direction.inPipe === 0) {
          direction.readable = false;
        }
        // EAGAIN with bytes in the pipe: the pipe may be full by slots, not the socket empty. It is tried
        // again when empty.
      }
      if (direction.inPipe > 0 && direction.writable) {
        const written = spliceBytes(pipe.readEnd, direction.to, direction.inPipe, SPLICE_FLAGS);
        if (written > 0) {
          direction.inPipe -= written;
          this.#counters[direction.counter] += written;
          direction.restraint.much(direction.from, direction.to, written);
          progress = true;
        } else if (written === -EAGAIN) {
          direction.writable = false;
          direction.restraint.blocked(direction.from);
        } else if (written < 0) {
          return written;
        }
      }
      if (direction.inPipe === 0) {
        if (direction.failure < 0 && !direction.readable) return direction.failure;
        if (direction.urgent || direction.smallReads >= SMALL_READS_TO_LEAVE_BULK) {
          this.#leaveBulk(direction);
          return MORE;
        }
      }
      if (!progress) {
        if (direction.inPipe === 0) this.#givePipe(direction);
        return WAITING;
      }
    }
    return MORE;
  }

  #finish(direction: Direction): number {
    direction.finished = true;
    this.release(direction);
    // Where the other way has finished too, the session is closed next, which sends the same FIN. ENOTCONN is
    // the other side's reset, which its own event reports.
    if (!direction.opposite.finished) shutdownSocket(direction.to, SHUT_WR);
    return WAITING;
  }
}
