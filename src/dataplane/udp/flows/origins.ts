/**
 * Facts of a UDP flow that its addresses do not tell: the interface, which the router's answer knows, and the
 * client's hardware address. A flow that has not asked has none.
 * @module
 */
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { UNKNOWN } from "../../../policy/flow.ts";
import type { WorkerContext } from "../../context.ts";
import type { Origin } from "../../decider.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { Arrivals } from "../../sockets/arrival.ts";
import type { WaitingAnswers } from "../asked/answers.ts";

/** The origin that was learned last. */
export class Origins implements Origin {
  inputInterface: number = UNKNOWN;
  hardwareHigh: number = UNKNOWN;
  hardwareLow = 0;
  /** A struct sockaddr. */
  readonly client = makeSockaddr();
  readonly #clientWords = new Int32Array(this.client.buffer);
  readonly #context: WorkerContext;
  readonly #answers: WaitingAnswers | null;
  readonly #arrivals = new Arrivals();

  constructor(context: WorkerContext, answers: WaitingAnswers | null) {
    this.#context = context;
    this.#answers = answers;
  }

  /** Learns that of a flow, as far as some rule asks for it. */
  learn(words: Int32Array, client: number, destination: number): void {
    const { policy } = this.#context;
    this.inputInterface = this.hardwareHigh = UNKNOWN;
    if (policy === null || !(policy.asksInterface || policy.asksHardware)) return;
    if (this.#answers === null || !this.#answers.look(words, client, destination)) return;
    this.inputInterface = this.#answers.answer.iif;
    if (!policy.asksHardware) return;
    copyAddress(words, client, this.#clientWords, 0);
    this.#arrivals.learnHardware(this);
  }

  /** Closes what it asks through. */
  close(): void {
    this.#arrivals.close();
  }
}
