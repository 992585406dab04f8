/**
 * Takes the kernel's questions about first packets, and gives each to the part of the worker that answers it.
 * @module
 */
import { EAGAIN, EPOLLIN, IPPROTO_TCP } from "../../../ffi/consts.ts";
import { errnoCode } from "../../net/errno.ts";
import type { WorkerContext } from "../context.ts";
import type { Service } from "../loop/service.ts";
import { Throttle } from "../loop/throttle.ts";
import { COUNTER } from "../shared/state.ts";
import type { Asked } from "./asked.ts";
import { QuestionReader } from "./reader.ts";

/** Parts of the service. */
export interface QuestionsParts {
  /** The netlink socket, which is the main thread's to close. */
  readonly log: number;
  readonly tcp: Asked;
  /** null: UDP is not relayed. */
  readonly udp: Asked | null;
}

/** A worker's questions. */
export class Questions implements Service {
  readonly #context: WorkerContext;
  readonly #parts: QuestionsParts;
  readonly #reader: QuestionReader;
  readonly #failures: Throttle;
  #lost = 0;
  #isLeft = false;

  constructor(context: WorkerContext, parts: QuestionsParts) {
    this.#context = context;
    this.#parts = parts;
    this.#reader = new QuestionReader(parts.log);
    this.#failures = new Throttle(context.clock);
  }

  /** See {@linkcode Service}. */
  start(): number {
    this.#isLeft = false;
    return this.#context.loop.watch(this, this.#parts.log, EPOLLIN, 0, 0);
  }

  /** Takes what has come; the rest of a flood in the next turn. */
  event(): void {
    const received = this.#reader.receive();
    if (received < 0 && received !== -EAGAIN && this.#failures.allows()) {
      this.#context.log.warn("cannot read questions of the kernel", { error: errnoCode(-received) });
    }
    const { counters } = this.#context;
    const { question } = this.#reader;
    while (this.#reader.next()) {
      counters[COUNTER.questions]++;
      if (question.protocol === IPPROTO_TCP) this.#parts.tcp.asked(question);
      else this.#parts.udp?.asked(question);
    }
    counters[COUNTER.questionsLost] += this.#reader.lost - this.#lost;
    this.#lost = this.#reader.lost;
  }

  /** See {@linkcode Service}. */
  turn(): void {}

  /** See {@linkcode Service}. */
  timeout(): number {
    return -1;
  }

  /** Leaves the questions to another process. {@linkcode start} takes it back. */
  leave(): void {
    this.drain();
  }

  /** Takes no question from now on: the rules that ask are gone, or about to be. */
  drain(): void {
    // Once: of what it has left the main thread closes the descriptor, whose number is another's then.
    if (!this.#isLeft) this.#context.loop.unwatch(this.#parts.log);
    this.#isLeft = true;
  }

  /** See {@linkcode Service}. */
  idle(): boolean {
    return true;
  }

  /** See {@linkcode Service}. */
  close(): void {}
}
