/**
 * Answers that never leave. To conntrack a flow is established once both sides have been seen: until then
 * the client's next datagrams would be new ones to a firewall's chain `input`. So an empty answer goes as far
 * as conntrack, and the rule behind it drops it by its TTL.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { SendBatch } from "../../../../ffi/sockets/send_batch.ts";
import { UNSENT_TTL } from "../../../constants.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type HeldPacket } from "../../asking/question.ts";
import type { RawSockets } from "../../orders.ts";

/** A worker's. */
export class UnsentAnswer {
  readonly #senders: RawSockets;
  readonly #batch = new SendBatch(1, 1);

  /** `senders`: the raw sockets through which clients are answered. */
  constructor(senders: RawSockets) {
    this.#senders = senders;
  }

  /** Makes the flow of a packet established. */
  send({ addresses }: HeldPacket): void {
    const ipv4 = (addresses[ASKED_CLIENT] & 0xffff) === AF_INET;
    const batch = this.#batch;
    batch.clear();
    batch.begin(addresses, ASKED_CLIENT);
    batch.sendFrom(addresses, ASKED_DESTINATION);
    batch.setTtl(UNSENT_TTL, ipv4);
    batch.addUdpHeader((addresses[ASKED_DESTINATION] >>> 16) | (addresses[ASKED_CLIENT] & 0xffff0000), 0, 0);
    batch.send(ipv4 ? this.#senders.ipv4 : this.#senders.ipv6, 0); // "not permitted" is what it shall be
  }
}
