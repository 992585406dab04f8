/**
 * Answers that never leave. A flow that has asked is known, and asks no more, once an answer to it has come
 * as far as the rules behind conntrack. To conntrack the flow is established from then on: to a firewall its
 * client's next datagrams are no new ones. So each flow is sent an empty answer, which the rules drop by its
 * TTL.
 *
 * Datagrams that have asked already must come to the listener first, or a burst would lose its order: answers
 * wait until the kernel has no more questions.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { SendBatch } from "../../../../ffi/sockets/send_batch.ts";
import { UNSENT_TTL } from "../../../constants.ts";
import { ASKED_CLIENT, ASKED_DESTINATION } from "../../asking/question.ts";
import type { RawSockets } from "../../orders.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import { copyAddress, sameAddress } from "../table.ts";

/** Flows that wait at most; then one does not wait any longer. */
const PLACES = 64;
const FLOW_WORDS = 2 * ADDRESS_WORDS;

/** A worker's. */
export class UnsentAnswers {
  readonly #senders: RawSockets;
  readonly #batch = new SendBatch(1, 1);
  /** The flows that wait: client and destination. */
  readonly #flows = new Int32Array(PLACES * FLOW_WORDS);
  #count = 0;

  /** `senders`: the raw sockets through which clients are answered. */
  constructor(senders: RawSockets) {
    this.#senders = senders;
  }

  /** The number of flows that wait. */
  get waiting(): number {
    return this.#count;
  }

  /** Has a flow wait for its answer; both addresses are at ASKED_CLIENT and ASKED_DESTINATION in `words`. */
  add(words: Int32Array): void {
    if (this.#count > 0 && this.#isLast(words)) return;
    if (this.#count === PLACES) this.send();
    const at = this.#count++ * FLOW_WORDS;
    copyAddress(words, ASKED_CLIENT, this.#flows, at + ASKED_CLIENT);
    copyAddress(words, ASKED_DESTINATION, this.#flows, at + ASKED_DESTINATION);
  }

  /** Answers all that wait. */
  send(): void {
    for (let i = 0; i < this.#count; i++) this.#sendOne(i * FLOW_WORDS);
    this.#count = 0;
  }

  /** Tells whether the flow came last, as that of a burst has. */
  #isLast(words: Int32Array): boolean {
    const at = (this.#count - 1) * FLOW_WORDS;
    return sameAddress(words, ASKED_CLIENT, this.#flows, at + ASKED_CLIENT) &&
      sameAddress(words, ASKED_DESTINATION, this.#flows, at + ASKED_DESTINATION);
  }

  #sendOne(at: number): void {
    const flows = this.#flows;
    const client = at + ASKED_CLIENT;
    const destination = at + ASKED_DESTINATION;
    const ipv4 = (flows[client] & 0xffff) === AF_INET;
    const batch = this.#batch;
    batch.clear();
    batch.begin(flows, client);
    batch.sendFrom(flows, destination);
    batch.setTtl(UNSENT_TTL, ipv4);
    batch.addUdpHeader((flows[destination] >>> 16) | (flows[client] & 0xffff0000), 0, 0);
    batch.send(ipv4 ? this.#senders.ipv4 : this.#senders.ipv6, 0); // it shall be refused: EPERM
  }
}
