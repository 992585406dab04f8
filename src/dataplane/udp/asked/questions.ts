/**
 * Answers the kernel's questions about UDP: the router's own answer is laid where the worker that is given
 * the flow finds it, and the datagram is sent on to that worker's listener, in its place in the flow.
 * @module
 */
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import type { Injector } from "../../asking/injector.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type Question } from "../../asking/question.ts";
import type { UdpAsked } from "../../asking/udp_asked.ts";
import type { WorkerContext } from "../../context.ts";
import type { Decider } from "../../decider.ts";
import type { RawSockets } from "../../orders.ts";
import { COUNTER } from "../../shared/state.ts";
import type { WaitingRoom } from "../../shared/waiting_room.ts";
import { PROTOCOL_NUMBERS } from "../../../policy/flow.ts";
import { UnsentAnswers } from "./unsent_answers.ts";
import { isWhole } from "./whole.ts";

/** Questions of a turn that may mean that more wait: fewer than are read at once. */
const MANY_QUESTIONS = 8;

/** Parts of the answering. */
export interface UdpQuestionParts {
  readonly room: WaitingRoom;
  readonly injector: Injector;
  readonly decider: Decider;
  /** The raw sockets through which clients are answered. */
  readonly senders: RawSockets;
}

/** The questions of a worker. */
export class UdpQuestions implements UdpAsked {
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #parts: UdpQuestionParts;
  readonly #unsent: UnsentAnswers;
  /** Those of this turn. */
  #asked = 0;

  constructor(context: WorkerContext, parts: UdpQuestionParts) {
    this.#counters = context.counters;
    this.#parts = parts;
    this.#unsent = new UnsentAnswers(parts.senders);
  }

  /** See {@linkcode UdpAsked}. */
  asked(question: Question): void {
    const { room, injector } = this.#parts;
    this.#asked++;
    if (this.#isBlocked(question)) return;
    const { addresses, answer } = question;
    answer.whole = isWhole(question);
    if (!room.put(addresses, ASKED_CLIENT, ASKED_DESTINATION, answer) || injector.accept(question) < 0) {
      this.#counters[COUNTER.udpDropped]++;
      return;
    }
    this.#unsent.add(addresses);
  }

  /** The end of a turn. */
  turn(): void {
    if (this.#asked < MANY_QUESTIONS) this.#unsent.send();
    this.#asked = 0;
  }

  /** Tells whether another turn is needed at once. */
  get isBusy(): boolean {
    return this.#unsent.waiting > 0;
  }

  /** Tells whether a rule blocks it that came into force when the datagram was on its way. */
  #isBlocked(question: Question): boolean {
    const { decider, injector } = this.#parts;
    const { addresses } = question;
    const rule = decider.decide(PROTOCOL_NUMBERS.udp, addresses, ASKED_CLIENT, ASKED_DESTINATION);
    const blocking = decider.blocking(rule);
    if (blocking === null) return false;
    this.#counters[COUNTER.udpRefused]++;
    if (!blocking.silent) injector.refuse(question, ECONNREFUSED);
    return true;
  }
}
