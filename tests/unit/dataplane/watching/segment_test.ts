/** Segments out of the kernel's messages. */
import assert from "node:assert/strict";
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { Segment } from "../../../../src/dataplane/watching/segment.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { makePacket, makeSegment, readPacket } from "./support.ts";

const ENDS = {
  4: ["10.0.0.2:5000", "203.0.113.9:443"],
  6: ["[fd00::2]:5000", "[2001:db8::9]:443"],
} as const;

for (const family of [4, 6] as const) {
  Deno.test(`Segment reads a segment of IPv${family}`, () => {
    const data = Uint8Array.of(1, 2, 3);
    const segment = makeSegment({ family, data, sequence: 0xfffffff0 });
    const bytes = new Uint8Array(segment.addresses.buffer);
    const ends = [0, 32].map((at) => formatEndpoint(readSockaddr(bytes.slice(at, at + 32))));
    assert.deepEqual(ends, ENDS[family]);
    assert.deepEqual(segment.bytes.slice(segment.data, segment.data + segment.dataLength), data);
    assert.deepEqual([segment.sequence, segment.acknowledged, segment.isSyn], [-16, 77, false]);
    assert.deepEqual([segment.isIpv4, segment.length], [family === 4, family === 4 ? 43 : 63]);
    assert.ok(makeSegment({ family, syn: true }).isSyn);
  });

  Deno.test(`Segment reads nothing beyond a cut or spoilt packet of IPv${family}`, () => {
    const packet = makePacket({ family, data: new Uint8Array(20) });
    const headers = packet.length - 20;
    for (let length = 0; length < packet.length; length++) {
      const segment = new Segment();
      const isRead = readPacket(packet.slice(0, length), segment);
      assert.equal(isRead, length >= headers, `${length} bytes`);
      if (isRead) assert.equal(segment.dataLength, length - headers);
    }
    for (let at = 0; at < headers; at++) {
      for (const value of [0, 0x0f, 0xf0, 0xff]) {
        const segment = new Segment();
        const isRead = readPacket(packet.with(at, value), segment);
        const end = 64 + packet.length;
        if (isRead) {
          assert.ok(segment.data + segment.dataLength <= end && segment.dataLength >= 0, `${at}: ${value}`);
        }
      }
    }
  });
}
