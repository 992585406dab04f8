/**
 * Answers that never leave. A flow that has asked is known, and asks no more, once an answer to it has come
 * as far as the rules behind conntrack. To conntrack the flow is established from then on: to a firewall its
 * client's next datagrams are no new ones. A flow whose server is silent is sent an empty answer, which the
 * rules drop by its TTL.
 *
 * It waits a moment: datagrams of a burst that have asked already would be overtaken by those that need not.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { SendBatch } from "../../../../ffi/sockets/send_batch.ts";
import { UNSENT_TTL } from "../../../constants.ts";
import { ASKED_CLIENT, ASKED_DESTINATION } from "../../asking/question.ts";
import type { RawSockets } from "../../orders.ts";
import { copyAddress, sameAddress } from "../../shared/addresses.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";

/** The time that a flow waits: a tenth of a second at least. */
export const WAIT_TICKS = 2;
/** Flows that wait at most. */
const PLACES = 256;
/** A flow that asks so often in this time is a stream: to ask costs too much. */
const MANY_QUESTIONS = 256;
const FLOW_WORDS = 2 * ADDRESS_WORDS;

/** The unsent answers of a worker. */
export class UnsentAnswers {
  readonly #senders: RawSockets;
  readonly #batch = new SendBatch(1, 1);
  /** The flows that wait, client and destination, and since when. */
  readonly #flows = new Int32Array(PLACES * FLOW_WORDS);
  readonly #ticks = new Int32Array(PLACES);
  #count = 0;
  /** Questions of the last one so far. */
  #questions = 0;

  /** `senders`: the raw sockets through which clients are answered. */
  constructor(senders: RawSockets) {
    this.#senders = senders;
  }

  /** The tick at which one is due, -1 for none. */
  get due(): number {
    return this.#count === 0 ? -1 : this.#ticks[0] + WAIT_TICKS;
  }

  /** Has a flow wait for its answer; both addresses are at ASKED_CLIENT and ASKED_DESTINATION in `words`. */
  add(words: Int32Array, tick: number): void {
    if (this.#count > 0 && this.#isLast(words)) {
      if (++this.#questions >= MANY_QUESTIONS) this.#send(this.#count);
      return;
    }
    if (this.#count === PLACES) this.#send(PLACES / 2);
    const at = this.#count * FLOW_WORDS;
    copyAddress(words, ASKED_CLIENT, this.#flows, at + ASKED_CLIENT);
    copyAddress(words, ASKED_DESTINATION, this.#flows, at + ASKED_DESTINATION);
    this.#ticks[this.#count++] = tick;
    this.#questions = 1;
  }

  /** Answers those that have waited. */
  turn(tick: number): void {
    let due = 0;
    while (due < this.#count && tick - this.#ticks[due] >= WAIT_TICKS) due++;
    if (due > 0) this.#send(due);
  }

  /** Tells whether the flow came last, as that of a burst has. */
  #isLast(words: Int32Array): boolean {
    const at = (this.#count - 1) * FLOW_WORDS;
    return sameAddress(words, ASKED_CLIENT, this.#flows, at + ASKED_CLIENT) &&
      sameAddress(words, ASKED_DESTINATION, this.#flows, at + ASKED_DESTINATION);
  }

  /** Answers the first ones. */
  #send(count: number): void {
    for (let i = 0; i < count; i++) this.#sendOne(i * FLOW_WORDS);
    this.#flows.copyWithin(0, count * FLOW_WORDS, this.#count * FLOW_WORDS);
    this.#ticks.copyWithin(0, count, this.#count);
    this.#count -= count;
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
