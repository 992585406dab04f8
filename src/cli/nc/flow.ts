/**
 * One way through netcat: bytes from a source to a target. Standard input and output belong to other programs
 * too, so they stay blocking, and are touched only when poll(2) says that they are ready.
 * @module
 */
import { EAGAIN, EINTR, EINVAL, EPIPE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "../../../ffi/consts.ts";
import { spliceBytes } from "../../../ffi/pipe.ts";

/** Waits until the source has something. */
export const READING = 0;
/** Waits until the target takes something. */
export const WRITING = 1;
/**
 * The source has ended and the target has all of it; or one of them has failed, or is not wanted any more.
 */
export const DONE = 2;
/** This way of moving bytes does not go with these two: copy. */
export const UNSUITED = 3;

/** Origin of bytes. */
export interface ByteSource {
  /** Bytes, 0 at the end, or -errno. */
  read(buffer: Uint8Array<ArrayBuffer>): number;
}

/** Destination of bytes. */
export interface ByteTarget {
  /** Bytes taken, or -errno. */
  write(buffer: Uint8Array<ArrayBuffer>): number;
  /** Bytes that may be given to it at once. */
  readonly limit: number;
  /** Tells that a write returns -EAGAIN rather than wait: nobody need ask before. */
  readonly neverBlocks: boolean;
}

/** A way of moving bytes. */
export abstract class Flow {
  /** READING, WRITING, DONE or UNSUITED. */
  state: number = READING;
  /** The -errno of the source or the target, 0 for none. */
  failure = 0;
  /** Tells that the target failed, not the source. */
  targetFailed = false;
  /** Tells that the source has sent anything. */
  moved = false;

  /** Moves on, when what `state` waits for has come about. */
  abstract move(): void;

  /** Ends it, with the -errno of the target or of the source, or 0. */
  end(failure: number, targetFailed: boolean): void {
    this.failure = failure;
    this.targetFailed = targetFailed;
    this.state = DONE;
  }
}

/**
 * Reads and writes through a buffer. One read is one write where the target takes it whole: so a datagram
 * stays one.
 */
export class CopyFlow extends Flow {
  readonly #source: ByteSource;
  readonly #target: ByteTarget;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #emptyIsEnd: boolean;
  #offset = 0;
  #end = 0;

  /** `first` is what was read before; `emptyIsEnd`: these are no datagrams, of which one may be empty. */
  constructor(
    ends: { source: ByteSource; target: ByteTarget },
    options: { bufferSize: number; emptyIsEnd: boolean; first?: Uint8Array },
  ) {
    super();
    this.#source = ends.source;
    this.#target = ends.target;
    this.#buffer = new Uint8Array(Math.max(options.bufferSize, options.first?.length ?? 0));
    this.#emptyIsEnd = options.emptyIsEnd;
    if (options.first !== undefined) this.#take(options.first.length, options.first);
  }

  /** Moves on. */
  override move(): void {
    if (this.state === READING) {
      if (this.#read() > 0 && this.#target.neverBlocks) this.#write();
    } else {
      this.#write();
    }
  }

  #read(): number {
    const read = this.#source.read(this.#buffer);
    if (read > 0) this.#take(read);
    else if (read === 0 && this.#emptyIsEnd) this.end(0, false);
    else if (read < 0 && read !== -EAGAIN && read !== -EINTR) this.end(read, false);
    return read;
  }

  #take(length: number, bytes?: Uint8Array): void {
    if (bytes !== undefined) this.#buffer.set(bytes);
    this.moved = true;
    if (length === 0) return;
    this.#offset = 0;
    this.#end = length;
    this.state = WRITING;
  }

  #write(): void {
    const end = Math.min(this.#end, this.#offset + this.#target.limit);
    const written = this.#target.write(this.#buffer.subarray(this.#offset, end));
    if (written >= 0) {
      this.#offset += written;
      if (this.#offset === this.#end) this.state = READING;
    } else if (written !== -EAGAIN && written !== -EINTR) {
      this.end(written, true);
    }
  }
}

/** Moved at once by one splice(2) at most: the kernel takes what there is. */
const SPLICE_LENGTH = 1 << 20;
/** Rounds before the other way has its turn. */
const ROUNDS = 16;

/** Splices between a pipe and a TCP socket: neither blocks, and nothing is copied. */
export class SpliceFlow extends Flow {
  readonly #from: number;
  readonly #to: number;
  readonly #fromSocket: boolean;

  constructor(from: number, to: number, options: { fromSocket: boolean }) {
    super();
    this.#from = from;
    this.#to = to;
    this.#fromSocket = options.fromSocket;
  }

  /** Moves on. */
  override move(): void {
    // The one that was waited for is ready, so what stops it is the other. After some progress it may be
    // either.
    let blocker = this.state === READING ? WRITING : READING;
    for (let round = 0; round < ROUNDS; round++) {
      const moved = spliceBytes(this.#from, this.#to, SPLICE_LENGTH, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (moved > 0) {
        this.moved = true;
        blocker = READING;
        continue;
      }
      if (moved === -EAGAIN) this.state = blocker;
      else if (moved === 0 && !this.#fromSocket) this.end(0, false);
      // A socket that gives nothing has ended, or is at a mark of urgent data: reading can tell. An output
      // that was opened for appending refuses to be spliced to.
      else if (moved === 0 || moved === -EINVAL) this.state = UNSUITED;
      else if (moved !== -EINTR) this.end(moved, !this.#fromSocket || moved === -EPIPE);
      return;
    }
    this.state = READING;
  }
}
