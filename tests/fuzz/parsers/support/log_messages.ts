/**
 * Messages of a log group as the kernel would write them.
 * @module
 */
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import { encodeMessages } from "../../../../src/netlink/message.ts";

/** NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET */
const PACKET = 0x400;
const NFULA_MARK = 2;
const NFULA_IFINDEX_INDEV = 4;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;

/** The message about a packet. */
export function logOf(packet: Uint8Array, prefix: string): Uint8Array {
  const body = new AttributeWriter().structure(new Uint8Array(4)).string(NFULA_PREFIX, prefix)
    .bytes(NFULA_MARK, Uint8Array.of(0, 0, 0, 7)).bytes(NFULA_IFINDEX_INDEV, Uint8Array.of(0, 0, 0, 2))
    .bytes(NFULA_PAYLOAD, packet).finish();
  return encodeMessages([{ type: PACKET, flags: 0, sequence: 0, portId: 0, body }]);
}
