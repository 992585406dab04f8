/**
 * Packets that doctor follows. Pure.
 * @module
 */
import type { KnownPacket } from "../../../../src/doctor/packet/known_packet.ts";
import { CT_STATE } from "../../../../src/netlink/nft/expr/ct.ts";

/** The first packet of a client that is taken early, as the input hook sees it. */
export const CLIENT: KnownPacket = {
  family: "ipv4",
  protocol: "tcp",
  input: { name: "br-lan", index: 3 },
  mark: 1,
  ctState: CT_STATE.untracked,
  tcpFlags: 2,
  destinationPort: 443,
};
