/**
 * Judges streams by their names and the rules in force.
 * @module
 */
import { Flow, PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import { DEFAULT_RULE } from "../../policy/policy.ts";
import { FoundName, NAME } from "../../sniff/found.ts";
import { readStream } from "../../sniff/stream.ts";
import { ASKED_CLIENT, ASKED_DESTINATION } from "../asking/question.ts";
import type { WorkerContext } from "../context.ts";
import { putEnds } from "../decider.ts";
import { ENDS, GOES_ON, type Judge } from "./judge.ts";
import type { Segment } from "./segment.ts";

/** A worker's judge. */
export class NameJudge implements Judge {
  readonly #context: WorkerContext;
  readonly #found = new FoundName();
  readonly #flow = new Flow();

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#flow.protocol = PROTOCOL_NUMBERS.tcp;
    this.#flow.nameAsked = true;
  }

  /** See {@linkcode Judge}. A name that does not come within what can be kept is none. */
  judge(bytes: Uint8Array, length: number, { addresses }: Segment, isWhole: boolean): number {
    const { policy } = this.#context;
    if (policy === null) return GOES_ON;
    const found = this.#found;
    const read = readStream(bytes, length, found);
    if (read > NAME && !isWhole) return read;
    const flow = this.#flow;
    flow.nameLength = read === NAME ? found.length : 0;
    for (let i = 0; i < flow.nameLength; i++) flow.nameBytes[i] = found.bytes[i];
    putEnds(flow, addresses, ASKED_CLIENT, ASKED_DESTINATION);
    const rule = policy.decide(flow);
    // A reload may have left nothing to say about it.
    if (rule < DEFAULT_RULE || policy.routeFor(rule, flow).action !== "block") return GOES_ON;
    if (read !== NAME) found.clear();
    const { turnedAway, clock } = this.#context;
    turnedAway.blocked(addresses, ASKED_CLIENT, ASKED_DESTINATION, rule, found, clock.time);
    return ENDS;
  }
}
