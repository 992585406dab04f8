/**
 * A TCP session: the client's connection, the upstream's, and what is known of the bytes between them.
 * @module
 */
import { MSG_DONTWAIT, MSG_PEEK } from "../../../ffi/consts.ts";
import { SOCKADDR_SIZE } from "../../../ffi/layout.ts";
import { receiveWithFlags } from "../../../ffi/sockets/socket.ts";
import { WheelEntry } from "../loop/wheel.ts";
import { UNKNOWN } from "../../policy/flow.ts";
import type { Policy } from "../../policy/policy.ts";
import { Answer } from "../asking/answer.ts";
import type { Greeting } from "../upstream/greetings/greeting.ts";
import type { Call, Upstream } from "../upstream/upstream.ts";
import type { Pipe } from "./bytes/pipes.ts";
import { Restraint } from "./bytes/restraint.ts";
import { NEW, OPEN, RESETTING, SNIFFING } from "./stage_numbers.ts";

const SOCKADDR_WORDS = SOCKADDR_SIZE / 4;
/** Places of the client's and the destination's struct sockaddr in {@linkcode Session.addresses}. */
export const CLIENT = 0;
export const DESTINATION = SOCKADDR_WORDS;

/** One way through a session. Plain fields: the relay touches them on every event. */
export class Direction {
  /** Descriptors. */
  from = -1;
  to = -1;
  /** A read or a write may succeed: set by epoll's edges, cleared by EAGAIN. */
  readable = false;
  writable = false;
  /** The source has hung up: what it sent is still to be read, and no further edge will come. */
  hungUp = false;
  /** The source has sent urgent data: reads stop at its mark, and splice never gets beyond. */
  urgent = false;
  /** All of the source has been read. */
  ended = false;
  /** Tells that the end was passed on, half-close included. */
  finished = false;
  /** The -errno that the source has failed with, which what it sent before may outlive; 0 for none. */
  failure = 0;
  /** Moved by splice rather than recv and send. */
  bulk = false;
  /** Reads in a row that were small, while in bulk. */
  smallReads = 0;
  /** Bytes that were read and not yet taken by the target: `buffer[offset … offset + length)`. */
  buffer: Uint8Array<ArrayBuffer> | null = null;
  offset = 0;
  length = 0;
  pipe: Pipe | null = null;
  /** The other way through the session. */
  opposite: Direction = this;
  /** Bytes in the pipe. */
  inPipe = 0;
  readonly restraint = new Restraint();
  /** The place at which its bytes are counted. */
  readonly counter: number;

  constructor(counter: number) {
    this.counter = counter;
  }

  /** Makes it new again, for descriptors `from` and `to`. Buffer and pipe must have been given back. */
  reset(from: number, to: number): void {
    this.from = from;
    this.to = to;
    this.readable =
      this.writable =
      this.hungUp =
      this.urgent =
      this.ended =
      this.finished =
      this.bulk =
        false;
    this.smallReads =
      this.offset =
      this.length =
      this.inPipe =
      this.failure =
        0;
    this.buffer = null;
    this.pipe = null;
    this.restraint.reset();
  }
}

/** The stage of a session that has its client's connection, and its upstream's. */
export function stageOfOpen({ undecided, quiet, dying }: Session): number {
  if (undecided || quiet) return SNIFFING;
  return dying === null ? OPEN : RESETTING;
}

const peeked = new Uint8Array(1);

/** A session. Its object is used again for another when it has ended: `tag` tells them apart. */
export class Session extends WheelEntry implements Call {
  /** Its place in the table, which events carry. */
  readonly slot: number;
  /** Never 0; another number for each use of the slot, so that a stale event is known. */
  tag = 0;
  /** Number of a stage. */
  stage = NEW;
  /** -1: there is none, or none yet. */
  clientFd = -1;
  upstreamFd = -1;
  readonly up: Direction;
  readonly down: Direction;
  /** Both addresses as two struct sockaddr, in 32-bit words, beginning at CLIENT and DESTINATION. */
  readonly addresses = new Int32Array(2 * SOCKADDR_WORDS);
  readonly client = new Uint8Array(this.addresses.buffer, 0, SOCKADDR_SIZE);
  readonly destination = new Uint8Array(this.addresses.buffer, SOCKADDR_SIZE, SOCKADDR_SIZE);
  /** From TLS or HTTP; null: it has none, or none was looked for. */
  name: string | null = null;
  /** Waits for its name, which decides. */
  undecided = false;
  /** Dialled before its name is known. */
  ahead = false;
  /** Decided on before its client had said anything: it is of interest whether the server speaks first. */
  quiet = false;
  /** The client has begun something in which there may be a name. */
  begun = false;
  /** SO_RCVLOWAT of the client's socket. */
  lowWater = 1;
  /** The policy that it began under. */
  policy: Policy | null = null;
  inputInterface: number = UNKNOWN;
  hardwareHigh: number = UNKNOWN;
  hardwareLow = 0;
  /** The router's answer, until the upstream was dialled; null: none was asked, or it is over. */
  answer: Answer | null = null;
  #ownAnswer: Answer | null = null;
  /** The place of its client's SYN among those that are held; -1: none is, or not any more. */
  syn = -1;
  /** Dials for it. */
  upstream!: Upstream;
  /** The number of changes of the router's ways and rules ({@linkcode RouteBoard}) when it was dialled. */
  changes = 0;
  attempt = 0;
  choice = 0;
  member = 0;
  tried = 0;
  greeting: Greeting | null = null;
  /** The upstream has been asked to dial, and waits to be told how that ended. */
  called = false;
  /** The upstream has been told that the connection has come about. */
  carried = false;
  /** By how much its client was over the limit per client when it began: 0 or less, it was not. */
  excess = 0;
  /** Tells that its client is there, not only a SYN that anybody may have sent: it counts for the limit. */
  counted = false;
  /**
   * Ticks of the worker's clock: when it began or its name was known, when its stage or its dial began, when
   * it was heard last.
   */
  begunTick = 0;
  startedTick = 0;
  activeTick = 0;
  /** The upstream's socket has keepalive. */
  keptAlive = false;
  /** Both are asked often, since one side has ended. */
  askedOften = false;
  /** The way from the side that was reset, while RESETTING. */
  dying: Direction | null = null;
  /** Waits in the worker's list of sessions that have more to do than one turn allows. */
  queued = false;

  constructor(slot: number, counters: { up: number; down: number }) {
    super();
    this.slot = slot;
    this.up = new Direction(counters.up);
    this.down = new Direction(counters.down);
    this.up.opposite = this.down;
    this.down.opposite = this.up;
  }

  /** See {@linkcode Call}. */
  get hasSent(): boolean {
    return receiveWithFlags(this.clientFd, peeked, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  /** See {@linkcode Call}. */
  get spentTicks(): number {
    return this.startedTick - this.begunTick;
  }

  /** Makes it new again. */
  begin(tag: number, tick: number): void {
    this.tag = tag;
    this.stage = NEW;
    this.up.reset(-1, -1);
    this.down.reset(-1, -1);
    this.choice = -1;
    this.attempt =
      this.excess =
      this.changes =
        0;
    this.undecided =
      this.ahead =
      this.quiet =
      this.begun =
      this.called =
      this.carried =
      this.counted =
      this.keptAlive =
      this.askedOften =
        false;
    this.name =
      this.answer =
      this.policy =
      this.dying =
        null;
    this.inputInterface = this.hardwareHigh = UNKNOWN;
    this.lowWater = 1;
    this.syn = -1;
    this.begunTick = this.startedTick = this.activeTick = tick;
  }

  /** Keeps the router's answer, which is somebody else's, for a dial that comes later. */
  keepAnswer(): void {
    const { answer } = this;
    if (answer === null) return;
    this.#ownAnswer ??= new Answer();
    this.#ownAnswer.read(answer.words, 0);
    this.answer = this.#ownAnswer;
  }

  /** Gives it the client's connection. */
  setClient(fd: number): void {
    this.clientFd = this.up.from = this.down.to = fd;
  }

  /**
   * Gives it another socket towards the upstream, -1 for none, and forgets all that was seen of the one
   * before.
   */
  setUpstream(fd: number): void {
    const { up, down } = this;
    this.upstreamFd = up.to = down.from = fd;
    up.writable =
      down.readable =
      down.hungUp =
      down.urgent =
        false;
  }
}
