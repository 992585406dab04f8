/** Messages of NFQUEUE about packets. */
import assert from "node:assert/strict";
import { QueueMessage } from "../../../src/dataplane/watching/queue/queue_message.ts";
import { Segment } from "../../../src/dataplane/watching/segment.ts";
import { AttributeWriter } from "../../../src/netlink/attribute.ts";
import { encodeMessages } from "../../../src/netlink/message.ts";
import { makePacket } from "../../unit/dataplane/watching/support.ts";
import { inMemory } from "../../unit/dataplane/asking/recordings.ts";
import type { Parser } from "../parser.ts";

const AT = 64;
/** NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, and its attributes. */
const PACKET = 0x300;
const NFQA_PACKET_HDR = 1;
const NFQA_MARK = 3;
const NFQA_PAYLOAD = 10;

function queued(packet: Uint8Array): Uint8Array {
  const body = new AttributeWriter().structure(new Uint8Array(4)).bytes(NFQA_PACKET_HDR, new Uint8Array(7))
    .bytes(NFQA_MARK, Uint8Array.of(0, 0, 0, 7)).bytes(NFQA_PAYLOAD, packet).finish();
  return encodeMessages([{ type: PACKET, flags: 0, sequence: 0, portId: 0, body }]);
}

/** The parser. */
export const queueMessage: Parser = {
  name: "queue-message",
  most: 4096,
  samples: () => [
    queued(makePacket({ data: new Uint8Array(100) })),
    queued(makePacket({ family: 6, data: new Uint8Array(9) })),
  ],
  read(input) {
    const memory = { ...inMemory(input, AT, 64), high: 1 };
    const end = AT + input.length;
    const message = new QueueMessage();
    if (!message.read(memory.bytes, AT, end)) return "none";
    const { payload, length } = message;
    assert.ok(length === 0 || (payload >= AT && payload + length <= end));
    const segment = new Segment();
    if (!segment.read(memory, message, payload)) return "no segment";
    assert.ok(segment.offset === payload && segment.data + segment.dataLength <= payload + length);
    return segment.isIpv4 ? "4" : "6";
  },
};
