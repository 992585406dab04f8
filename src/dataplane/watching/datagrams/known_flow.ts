/**
 * A flow as its client sends and as the router lets it out: four struct sockaddr in 32-bit words. Pure.
 * @module
 */
import { ASKED_CLIENT, ASKED_DESTINATION, type Question } from "../../asking/question.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";

/** The places of the ends in {@linkcode KnownFlow.ends}. */
export const CLIENT = ASKED_CLIENT;
export const DESTINATION: number = ASKED_DESTINATION;
/** The same where NAT has changed them. */
export const SOURCE_THERE: number = 2 * ADDRESS_WORDS;
export const DESTINATION_THERE: number = 3 * ADDRESS_WORDS;

/** The flow. */
export class KnownFlow {
  /** The mark that rules have given the flow, as a signed number. */
  mark = 0;
  readonly ends: Int32Array<ArrayBuffer> = new Int32Array(4 * ADDRESS_WORDS);
  /** Conntrack does not see what the client sends. */
  isUntracked = false;

  /** Makes it that of a datagram. */
  take({ addresses, answer, flowMark, isUntracked }: Question): this {
    const { ends } = this;
    this.mark = flowMark;
    this.isUntracked = isUntracked;
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      ends[CLIENT + word] = addresses[ASKED_CLIENT + word];
      ends[DESTINATION + word] = addresses[ASKED_DESTINATION + word];
      ends[SOURCE_THERE + word] = answer.words[answer.sourceAt + word];
      ends[DESTINATION_THERE + word] = answer.words[answer.destinationAt + word];
    }
    return this;
  }
}
