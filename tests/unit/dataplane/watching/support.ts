/** Segments as the kernel would log them. */
import assert from "node:assert/strict";
import { LogMessage } from "../../../../src/dataplane/asking/packet/log_message.ts";
import { Segment } from "../../../../src/dataplane/watching/segment.ts";

/** Facts of a segment. */
export interface SegmentFacts {
  readonly family?: 4 | 6;
  readonly sequence?: number;
  readonly data?: Uint8Array;
  readonly syn?: boolean;
  readonly port?: number;
}

/** The packet, from 10.0.0.2 or fd00::2 to 203.0.113.9 or 2001:db8::9, port 443. */
export function makePacket(
  { family = 4, sequence = 1000, data, syn = false, port = 5000 }: SegmentFacts,
): Uint8Array {
  const payload = data ?? new Uint8Array(0);
  const header = family === 4 ? 20 : 40;
  const bytes = new Uint8Array(header + 20 + payload.length);
  const view = new DataView(bytes.buffer);
  if (family === 4) {
    bytes.set([0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 203, 0, 113, 9]);
    view.setUint16(2, bytes.length);
  } else {
    bytes.set([0x60, 0, 0, 0, 0, 0, 6, 64, 0xfd]);
    bytes.set([2, 0x20, 0x01, 0x0d, 0xb8], 23);
    bytes[39] = 9;
    view.setUint16(4, bytes.length - 40);
  }
  view.setUint16(header, port);
  view.setUint16(header + 2, 443);
  view.setUint32(header + 4, sequence);
  view.setUint32(header + 8, 77);
  bytes[header + 12] = 0x50;
  bytes[header + 13] = syn ? 0x02 : 0x19; // or FIN, PSH and ACK
  bytes.set(payload, header + 20);
  return bytes;
}

/** Reads a packet that lies at `at`. */
export function readPacket(packet: Uint8Array, segment: Segment = new Segment(), at = 64): boolean {
  const bytes = new Uint8Array((at + packet.length + 3) & ~3);
  bytes.set(packet, at);
  const log = new LogMessage();
  log.payload = at;
  log.length = packet.length;
  return segment.read({ bytes, words: new Int32Array(bytes.buffer), high: 1 }, log, 5000);
}

/** The segment of such facts. */
export function makeSegment(facts: SegmentFacts): Segment {
  const segment = new Segment();
  assert.ok(readPacket(makePacket(facts), segment));
  return segment;
}

/** Its packet as it lies in memory. */
export function packetOf({ bytes, offset, length }: Segment): Uint8Array {
  return bytes.slice(offset, offset + length);
}
