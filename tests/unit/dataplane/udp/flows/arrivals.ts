/**
 * Datagrams as the uplink meets them, without a network.
 * @module
 */
import { ReceiveBatch } from "../../../../../ffi/sockets/receive_batch.ts";
import type { Arrival } from "../../../../../src/dataplane/udp/flows/held.ts";
import { sockaddr } from "../../support/addresses.ts";

const batch = new ReceiveBatch(1);
const WORDS = new Int32Array([...sockaddr("10.0.0.9:4000"), ...sockaddr("192.0.2.1:443")]);

/** The arrival of a datagram; it is valid until the next. `client`: its endpoint. */
export function arrivalOf(data: Uint8Array, segmentSize = 0, client = "10.0.0.9:4000"): Arrival {
  WORDS.set(sockaddr(client));
  return { batch, i: 0, destination: batch.put(0, WORDS, data), tos: 0x2e, segmentSize };
}
