/**
 * Facts of a UDP flow that its addresses do not tell: the interface, and the client's hardware address. The
 * router's answer knows both from the packet itself. A flow that has not asked has none.
 * @module
 */
import { UNKNOWN } from "../../../policy/flow.ts";
import type { WorkerContext } from "../../context.ts";
import type { Origin } from "../../decider.ts";
import type { WaitingAnswers } from "../asked/answers.ts";

/** The origin that was learned last. */
export class Origins implements Origin {
  inputInterface: number = UNKNOWN;
  hardwareHigh: number = UNKNOWN;
  hardwareLow = 0;
  readonly #context: WorkerContext;
  readonly #answers: WaitingAnswers | null;

  constructor(context: WorkerContext, answers: WaitingAnswers | null) {
    this.#context = context;
    this.#answers = answers;
  }

  /** Learns that of a flow, where some rule asks for it. */
  learn(words: Int32Array, client: number, destination: number): void {
    const { policy } = this.#context;
    this.inputInterface = this.hardwareHigh = UNKNOWN;
    if (policy === null || !(policy.asksInterface || policy.asksHardware)) return;
    if (this.#answers === null || !this.#answers.look(words, client, destination)) return;
    const { iif, hardwareHigh, hardwareLow } = this.#answers.answer;
    this.inputInterface = iif;
    this.hardwareHigh = hardwareHigh;
    this.hardwareLow = hardwareLow;
  }
}
