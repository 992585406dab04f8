/**
 * Judges streams by their names and the rules in force.
 * @module
 */
import { PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import { FoundName, NAME } from "../../sniff/found.ts";
import { readStream } from "../../sniff/stream.ts";
import { ASKED_CLIENT, ASKED_DESTINATION } from "../asking/question.ts";
import type { WorkerContext } from "../context.ts";
import { Decider } from "../decider.ts";
import { ENDS, GOES_ON, type Judge } from "./judge.ts";
import type { Segment } from "./segment.ts";

/** A worker's judge. */
export class NameJudge implements Judge {
  readonly #context: WorkerContext;
  readonly #found = new FoundName();
  readonly #decider: Decider;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#decider = new Decider(context);
  }

  /** See {@linkcode Judge}. A name that does not come within what can be kept is none. */
  judge(bytes: Uint8Array, length: number, { addresses }: Segment, isWhole: boolean): number {
    if (this.#context.policy === null) return GOES_ON;
    const found = this.#found;
    const read = readStream(bytes, length, found);
    if (read > NAME && !isWhole) return read;
    const name = read === NAME ? found : null;
    const { tcp } = PROTOCOL_NUMBERS;
    const rule = this.#decider.decideNamed(tcp, addresses, ASKED_CLIENT, ASKED_DESTINATION, name);
    // A reload may have left nothing to say about it.
    if (this.#decider.blocking(rule) === null) return GOES_ON;
    if (name === null) found.clear();
    const { turnedAway, clock } = this.#context;
    turnedAway.tcp.blocked(addresses, ASKED_CLIENT, ASKED_DESTINATION, rule, found, clock.time);
    return ENDS;
  }
}
