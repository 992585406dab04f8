/**
 * Socket addresses as the policy's words.
 * @module
 */
import { AF_INET6 } from "../../ffi/consts.ts";
import { SOCKADDR_IN6_ADDRESS, SOCKADDR_IN_ADDRESS } from "../../ffi/layout.ts";
import { portOf } from "../../ffi/sockets/sockaddr.ts";
import { type Flow, putAddress } from "../policy/flow.ts";

/**
 * Puts the addresses of a flow (struct sockaddr each, of the same family) into the question to the policy. No
 * allocation.
 */
export function putAddresses(flow: Flow, client: Uint8Array, destination: Uint8Array): void {
  const ipv6 = destination[0] === AF_INET6;
  const offset = ipv6 ? SOCKADDR_IN6_ADDRESS : SOCKADDR_IN_ADDRESS;
  flow.ipv6 = ipv6;
  putAddress(flow.client, client, offset, ipv6);
  putAddress(flow.destination, destination, offset, ipv6);
  flow.destinationPort = portOf(destination);
}
