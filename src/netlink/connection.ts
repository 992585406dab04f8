/**
 * A conversation with the kernel: sequence numbers, acknowledgements, dumps, batches, errors. Synchronous:
 * the kernel answers before send(2) returns. Everything it throws is an OperationError.
 * @module
 */
import { EAGAIN, EINTR, ENOBUFS } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import {
  decodeAnswer,
  decodeMessages,
  encodeMessages,
  type NetlinkAnswer,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from "./message.ts";
import { commonHint } from "./hint.ts";

/** Carrier of datagrams: a socket, or a fake in tests. */
export interface NetlinkTransport {
  /** Sends one datagram. The number of bytes, or -errno. */
  send(datagram: Uint8Array): number;
  /** The next datagram, valid until the next call; or -errno, -EAGAIN when nothing comes in time. */
  receive(): Uint8Array | number;
  /** Closes the socket. */
  close(): void;
  /** The socket; absent: there is none. */
  readonly descriptor?: number;
}

/** Purpose of a request, in the words of its error message. */
export interface Purpose {
  /** The attempt, as a verb: `"add rule"`. */
  readonly operation: string;
  /** On what: `"divert/2"`. */
  readonly object: string;
  /**
   * The module of the kernel whose lack this failure shows, where the request knows more than the errno says.
   */
  missingModule?(failure: NetlinkAnswer): string | undefined;
  /**
   * Names the part of the request that holds the byte of the kernel's complaint: `"expression 2 (tproxy)"`.
   */
  locate?(offset: number): string | undefined;
}

/** A request of a batch. */
export interface BatchCommand {
  /** The request itself. */
  readonly request: NetlinkRequest;
  /** Its purpose, in the words of its error message. */
  readonly purpose: Purpose;
}

/** A dump that the kernel's state outran is asked for again so many times. */
const DUMP_ATTEMPTS = 10;
const INTERRUPTED = Symbol("interrupted");

/** See the module. Close it, or let `using` do so. */
export class NetlinkConnection implements Disposable {
  readonly #transport: NetlinkTransport;
  #sequence = 0;

  /** A conversation over this transport, which it closes. */
  constructor(transport: NetlinkTransport) {
    this.#transport = transport;
  }

  /** Sends one request, waits for its acknowledgement, returns the messages that came before it. */
  execute(request: NetlinkRequest, purpose: Purpose): NetlinkMessage[] {
    const sequence = this.#next();
    this.#send([numbered(request, sequence, NLM_F_REQUEST | NLM_F_ACK)], purpose);
    const replies: NetlinkMessage[] = [];
    while (true) {
      for (const message of this.#receive(purpose)) {
        if (message.sequence !== sequence || message.type === NLMSG_NOOP) continue;
        if (message.type !== NLMSG_ERROR) {
          replies.push(message);
          continue;
        }
        const answer = decodeAnswer(message);
        if (answer.errno !== 0) throw failure(purpose, answer);
        return replies;
      }
    }
  }

  /** Asks for a dump and returns all its messages. A dump that was interrupted by a change is repeated. */
  dump(request: NetlinkRequest, purpose: Purpose): NetlinkMessage[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages = this.#dumpOnce(request, purpose);
      if (messages !== INTERRUPTED) return messages;
    }
    const reason = "the kernel's state changes faster than it can be read";
    throw new OperationError({ operation: purpose.operation, object: purpose.object, reason });
  }

  #dumpOnce(request: NetlinkRequest, purpose: Purpose): NetlinkMessage[] | typeof INTERRUPTED {
    const sequence = this.#next();
    this.#send([numbered(request, sequence, NLM_F_REQUEST | NLM_F_DUMP)], purpose);
    const replies: NetlinkMessage[] = [];
    let interrupted = false;
    while (true) {
      const received = this.#tryReceive(purpose);
      if (received === ENOBUFS) {
        interrupted = true;
        continue;
      }
      for (const message of received) {
        if (message.sequence !== sequence || message.type === NLMSG_NOOP) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
          replies.push(message);
          continue;
        }
        const answer = decodeAnswer(message);
        if (answer.errno === EINTR) return INTERRUPTED;
        if (answer.errno !== 0) throw failure(purpose, answer);
        return interrupted ? INTERRUPTED : replies;
      }
    }
  }

  /**
   * Sends all commands, between `begin` and `end`, as one datagram: all take effect, or none does. Throws the
   * error of the first command that failed.
   */
  batch(commands: readonly BatchCommand[], frame: { begin: NetlinkRequest; end: NetlinkRequest }): void {
    if (commands.length === 0) return;
    const first = this.#next();
    const last = first + commands.length;
    const messages = commands.map(({ request }, index) =>
      // Only the last command is acknowledged: thousands of answers would overrun the socket.
      numbered(
        request,
        first + 1 + index,
        index === commands.length - 1 ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST,
      )
    );
    this.#sequence = last + 1;
    const whole: Purpose = { operation: "commit", object: "nf_tables batch" };
    this.#send(
      [
        numbered(frame.begin, first, NLM_F_REQUEST),
        ...messages,
        numbered(frame.end, last + 1, NLM_F_REQUEST),
      ],
      whole,
    );
    this.#awaitBatch(commands, first, whole);
  }

  #awaitBatch(commands: readonly BatchCommand[], first: number, whole: Purpose): void {
    const last = first + commands.length;
    const errors = new Map<number, NetlinkAnswer>();
    let ended = false;
    while (!ended) {
      const received = this.#transport.receive();
      if (received === -EINTR || received === -ENOBUFS) continue; // overrun: what is queued still comes
      if (received === -EAGAIN && errors.size > 0) break;
      if (typeof received === "number") throw failure(whole, { errno: -received, text: noAnswer(-received) });
      for (const message of decodeMessages(received)) {
        if (message.type !== NLMSG_ERROR || message.sequence < first || message.sequence > last + 1) continue;
        const answer = decodeAnswer(message);
        if (answer.errno !== 0 && !errors.has(message.sequence)) errors.set(message.sequence, answer);
        // An error of the frame itself (no privilege, no nf_tables) is the only answer.
        if (message.sequence >= last || (message.sequence === first && answer.errno !== 0)) ended = true;
      }
    }
    if (errors.size === 0) return;
    const sequence = Math.min(...errors.keys());
    throw failure(commands[sequence - first - 1]?.purpose ?? whole, errors.get(sequence)!);
  }

  /** The socket, for a process that is to go on with it. -1: there is none. */
  get descriptor(): number {
    return this.#transport.descriptor ?? -1;
  }

  /** Closes the socket. */
  close(): void {
    this.#transport.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) & 0x3fffffff;
    return this.#sequence;
  }

  #send(messages: readonly NetlinkMessage[], purpose: Purpose): void {
    const sent = this.#transport.send(encodeMessages(messages));
    if (sent < 0) throw failure(purpose, { errno: -sent, text: "" });
  }

  #receive(purpose: Purpose): NetlinkMessage[] {
    const received = this.#tryReceive(purpose);
    if (received === ENOBUFS) throw failure(purpose, { errno: ENOBUFS, text: "" });
    return received;
  }

  #tryReceive(purpose: Purpose): NetlinkMessage[] | typeof ENOBUFS {
    while (true) {
      const received = this.#transport.receive();
      if (typeof received !== "number") return decodeMessages(received.slice());
      if (received === -EINTR) continue;
      if (received === -ENOBUFS) return ENOBUFS;
      throw failure(purpose, { errno: -received, text: noAnswer(-received) });
    }
  }
}

function noAnswer(errno: number): string {
  return errno === EAGAIN ? "no answer came" : "";
}

function numbered(request: NetlinkRequest, sequence: number, flags: number): NetlinkMessage {
  return { type: request.type, flags: (request.flags ?? 0) | flags, sequence, portId: 0, body: request.body };
}

function failure(purpose: Purpose, answer: NetlinkAnswer): OperationError {
  const words = [answer.text, describeOffset(purpose, answer.offset)].filter(Boolean).join("; ");
  const missingModule = purpose.missingModule?.(answer);
  const hint = commonHint(answer.errno);
  return new OperationError({
    operation: purpose.operation,
    object: purpose.object,
    errno: answer.errno,
    ...(words ? { reason: `kernel: ${words}` } : {}),
    ...(hint ? { hint } : {}),
    ...(missingModule ? { missingModule } : {}),
  });
}

function describeOffset(purpose: Purpose, offset: number | undefined): string {
  if (offset === undefined) return "";
  return `it refuses ${purpose.locate?.(offset) ?? `byte ${offset} of the request`}`;
}
