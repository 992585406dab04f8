/**
 * Answers the kernel's questions about UDP: the router's own answer is laid where the worker that is given
 * the flow finds it, and the datagram is sent on to that worker's listener, in its place in the flow.
 * @module
 */
import { ECONNREFUSED } from "../../../../ffi/consts.ts";
import type { Injector } from "../../asking/injector.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type Question } from "../../asking/question.ts";
import type { Asked } from "../../asking/asked.ts";
import type { WorkerContext } from "../../context.ts";
import type { Decider } from "../../decider.ts";
import type { Clock } from "../../loop/clock.ts";
import type { RawSockets } from "../../orders.ts";
import { COUNTER } from "../../shared/state.ts";
import type { WaitingRoom } from "../../shared/waiting_room.ts";
import { PROTOCOL_NUMBERS } from "../../../policy/flow.ts";
import { UnsentAnswers, WAIT_TICKS } from "./unsent_answers.ts";
import { isTrain } from "./train.ts";
import { isWhole } from "./whole.ts";

/** Parts of the answering. */
export interface UdpQuestionParts {
  readonly room: WaitingRoom;
  readonly injector: Injector;
  readonly decider: Decider;
  /** The raw sockets through which clients are answered. */
  readonly senders: RawSockets;
}

/** The questions of a worker. */
export class UdpQuestions implements Asked {
  readonly #counters: Float64Array<SharedArrayBuffer>;
  readonly #parts: UdpQuestionParts;
  readonly #unsent: UnsentAnswers;
  readonly #clock: Clock;

  constructor(context: WorkerContext, parts: UdpQuestionParts) {
    this.#counters = context.counters;
    this.#clock = context.clock;
    this.#parts = parts;
    this.#unsent = new UnsentAnswers(parts.senders);
  }

  /** See {@linkcode Asked}. */
  asked(question: Question): void {
    const { room, injector } = this.#parts;
    if (this.#isBlocked(question)) return;
    const { addresses, answer } = question;
    answer.whole = isWhole(question);
    // A copy that is not the client's datagram is lost, but the next one finds the answer; it must not ask,
    // so it does not wait.
    const isLost = question.isCut || isTrain(question);
    const { tick } = this.#clock;
    const isLaid = room.put(addresses, ASKED_CLIENT, ASKED_DESTINATION, answer, this.#clock.commonTick);
    if (isLost || !isLaid || injector.accept(question) < 0) this.#counters[COUNTER.udpDropped]++;
    if (isLaid) this.#unsent.add(addresses, isLost ? tick - WAIT_TICKS : tick);
  }

  /** The end of a turn. */
  turn(): void {
    this.#unsent.turn(this.#clock.tick);
  }

  /** Milliseconds until it needs a turn, -1 for ever. */
  timeout(): number {
    const { due } = this.#unsent;
    return due < 0 ? -1 : this.#clock.millisecondsTo(due);
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
