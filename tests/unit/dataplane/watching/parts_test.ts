/** Segments that are cut for a link. */
import assert from "node:assert/strict";
import { Parts } from "../../../../src/dataplane/watching/parts.ts";
import { makeSegment, packetOf } from "./support.ts";

for (const family of [4, 6] as const) {
  Deno.test(`Parts cuts a segment of IPv${family} into packets that join to it again`, () => {
    const data = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    const segment = makeSegment({ family, data, sequence: -50 >>> 0 });
    const { low, offset } = segment;
    const header = family === 4 ? 20 : 40;
    const parts = new Parts();
    assert.ok(parts.begin(segment));
    const joined: number[] = [];
    const seen: unknown[] = [];
    // One is too large for the link, and is taken again.
    for (const [size, isSent] of [[500, false], [300, true], [300, true], [900, true]] as const) {
      parts.take(size);
      const packet = packetOf(segment);
      const view = new DataView(packet.buffer);
      assert.ok(packet.length <= size);
      assert.equal(segment.low, low + segment.offset - offset);
      assert.equal(view.getUint16(family === 4 ? 2 : 4), packet.length - (family === 4 ? 0 : 40));
      if (!isSent) continue;
      assert.equal(view.getUint32(header + 4), (joined.length - 50) >>> 0);
      seen.push([packet[header + 13], parts.isLast, family === 4 ? view.getUint16(4) : 0]);
      joined.push(...packet.slice(header + 20));
      assert.equal(parts.next(), joined.length < 1000);
    }
    assert.deepEqual(joined, [...data]);
    const id = (n: number) => family === 4 ? 7 + n : 0;
    assert.deepEqual(seen, [[0x10, false, id(0)], [0x10, false, id(1)], [0x19, true, id(2)]]);
  });
}
