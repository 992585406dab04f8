/**
 * Netcat's work on a connection: standard input to the network, the network to standard output, until both
 * have ended.
 * @module
 */
import { EINTR, EPIPE, POLLERR, POLLHUP, POLLIN, POLLOUT, SHUT_RD, SHUT_WR } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { readStream, writeStream } from "../../../ffi/sockets/stream.ts";
import { check } from "../../net/error.ts";
import { CopyFlow, DONE, type Flow, READING, SpliceFlow, UNSUITED, WRITING } from "./flow.ts";
import type { Peer } from "./peer.ts";

/** Bytes of a stream that are read at once. */
const STREAM_BUFFER = 65536;
/** The longest datagram. */
const DATAGRAM = 65535;
/** Bytes of input that make one datagram, as netcat has it. */
const DATAGRAM_INPUT = 16384;
/** PIPE_BUF: a pipe that is ready takes so much without blocking. */
const PIPE_CHUNK = 4096;

// Places in the poll set.
const INPUT = 0;
const NETWORK_OUT = 1;
const NETWORK_IN = 2;
const OUTPUT = 3;

/** Standard input or output. */
export interface Stream {
  readonly fd: number;
  readonly isPipe: boolean;
}

/** Options of a transfer. */
export interface TransferOptions {
  readonly peer: Peer;
  readonly input: Stream;
  readonly output: Stream;
  /** Pass the end of the input on to the network. */
  readonly shutdown: boolean;
  /**
   * The end of the network ends all, though there may be more input, when there was none for so many
   * milliseconds; null: it does not.
   */
  readonly graceMs: number | null;
  /** Milliseconds without anything after which it ends, -1: never. */
  readonly idleMs: number;
  /** Bytes that the network has sent already. */
  readonly first?: Uint8Array;
}

/** Result of a transfer. */
export interface TransferResult {
  /** The -errno of the network, 0: none. */
  readonly networkFailure: number;
  /** The -errno of standard output, 0: none. */
  readonly outputFailure: number;
  /** Tells that the network has sent anything. */
  readonly received: boolean;
}

/** Moves bytes both ways until all is done. It blocks. Throws OperationError only if poll(2) itself fails. */
export function transfer(options: TransferOptions): TransferResult {
  return new Transfer(options).run();
}

class Transfer {
  readonly #options: TransferOptions;
  readonly #peer: Peer;
  readonly #set = new PollSet(4);
  #up: Flow;
  #down: Flow;
  #received = false;
  #endPassedOn = false;

  constructor(options: TransferOptions) {
    const { peer, input, output, first } = options;
    this.#options = options;
    this.#peer = peer;
    const stream = !peer.datagrams;
    this.#up = stream && input.isPipe
      ? new SpliceFlow(input.fd, peer.fd, { fromSocket: false })
      : this.#copyUp();
    this.#down = stream && output.isPipe && first === undefined
      ? new SpliceFlow(peer.fd, output.fd, { fromSocket: true })
      : this.#copyDown(first);
  }

  run(): TransferResult {
    for (;;) {
      if (this.#up.state === UNSUITED) this.#up = this.#copyUp();
      if (this.#down.state === UNSUITED) {
        this.#received ||= this.#down.moved;
        this.#down = this.#copyDown();
      }
      this.#passEndOn();
      if (this.#finished()) break;
      this.#prepare();
      const count = this.#set.wait(this.#timeout());
      if (count === 0) break;
      if (count !== -EINTR) check(count, "wait for", "input");
      if (count > 0) this.#move();
    }
    const up = this.#up;
    const down = this.#down;
    return {
      networkFailure: (up.targetFailed ? up.failure : 0) || (down.targetFailed ? 0 : down.failure),
      outputFailure: down.targetFailed ? down.failure : 0,
      received: this.#received || down.moved,
    };
  }

  #copyUp(): Flow {
    const source = { read: (buffer: Uint8Array<ArrayBuffer>) => readStream(this.#options.input.fd, buffer) };
    const bufferSize = this.#peer.datagrams ? DATAGRAM_INPUT : STREAM_BUFFER;
    return new CopyFlow({ source, target: this.#peer }, { bufferSize, emptyIsEnd: true });
  }

  #copyDown(first?: Uint8Array): Flow {
    const { output } = this.#options;
    const target = {
      write: (buffer: Uint8Array<ArrayBuffer>) => writeStream(output.fd, buffer),
      limit: output.isPipe ? PIPE_CHUNK : Infinity,
      neverBlocks: false,
    };
    const { datagrams } = this.#peer;
    return new CopyFlow({ source: this.#peer, target }, {
      bufferSize: datagrams ? DATAGRAM : STREAM_BUFFER,
      emptyIsEnd: !datagrams,
      ...(first === undefined ? {} : { first }),
    });
  }

  #passEndOn(): void {
    if (this.#up.state !== DONE || this.#endPassedOn) return;
    this.#endPassedOn = true;
    const { shutdown } = this.#options;
    if (shutdown && !this.#up.targetFailed && !this.#peer.datagrams) shutdownSocket(this.#peer.fd, SHUT_WR);
  }

  #finished(): boolean {
    const up = this.#up;
    const down = this.#down;
    // Datagrams have no end, but where nobody takes them there is no use in going on.
    if (this.#peer.datagrams && ((up.targetFailed && up.failure < 0) || down.failure < 0)) return true;
    if (down.state !== DONE) return false;
    return up.state === DONE || (this.#options.graceMs === 0 && up.state === READING);
  }

  /** Milliseconds to wait, -1: for ever. */
  #timeout(): number {
    const { graceMs, idleMs } = this.#options;
    const ending = graceMs !== null && this.#down.state === DONE && this.#up.state === READING;
    return !ending ? idleMs : idleMs < 0 ? graceMs : Math.min(graceMs, idleMs);
  }

  #prepare(): void {
    const { input, output } = this.#options;
    const { fd } = this.#peer;
    const set = this.#set;
    const up = this.#up.state;
    const down = this.#down.state;
    if (up === READING && this.#peer.known) set.set(INPUT, input.fd, POLLIN);
    else set.skip(INPUT);
    if (up === DONE) set.skip(NETWORK_OUT);
    else set.set(NETWORK_OUT, fd, up === WRITING ? POLLOUT : 0);
    if (down === READING) set.set(NETWORK_IN, fd, POLLIN);
    else set.skip(NETWORK_IN);
    if (down === DONE) set.skip(OUTPUT);
    else set.set(OUTPUT, output.fd, down === WRITING ? POLLOUT : 0);
  }

  #move(): void {
    const set = this.#set;
    const up = this.#up;
    const down = this.#down;
    const network = set.ready(NETWORK_OUT);
    if (up.state === READING ? set.ready(INPUT) !== 0 : network !== 0) {
      up.move();
    } else if ((network & (POLLERR | POLLHUP)) !== 0) {
      // The other side is gone altogether: more input would be for nobody. If there may be more to read,
      // reading tells why.
      up.end(down.state === DONE ? -takeSocketError(this.#peer.fd) : 0, true);
    }
    if (down.state === READING ? set.ready(NETWORK_IN) !== 0 : set.ready(OUTPUT) !== 0) {
      down.move();
    } else if (down.state === READING && (set.ready(OUTPUT) & POLLERR) !== 0) {
      // Nobody reads our output any more: what the network still sends is not wanted, what goes there may go
      // on.
      shutdownSocket(this.#peer.fd, SHUT_RD);
      down.end(-EPIPE, true);
    }
  }
}
