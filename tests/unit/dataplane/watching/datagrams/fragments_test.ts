import assert from "node:assert/strict";
import { PinnedMemory } from "../../../../../ffi/memory.ts";
import { get16, get32 } from "../../../../../src/dataplane/asking/packet/bytes.ts";
import { Question } from "../../../../../src/dataplane/asking/question.ts";
import { Fragments } from "../../../../../src/dataplane/watching/datagrams/fragments.ts";

const { bytes: memory, low, high } = new PinnedMemory(4000);

function datagram(version: 4 | 6, length: number): Question {
  const packet = new Question();
  packet.bytes = memory;
  packet.offset = 80;
  packet.low = (low + 80) | 0;
  packet.high = high;
  packet.length = length;
  packet.header = version === 4 ? 20 : 40;
  memory.forEach((_, i) => memory[i] = i * 7 + (i >> 8));
  memory[80] = version === 4 ? 0x45 : 0x60;
  if (version === 4) memory.set([0, 0, 0, 0], 84);
  else memory[86] = 17;
  return packet;
}

/** The bytes at an address in memory that does not move. */
function bytesAt(low: number, high: number, length: number): Uint8Array {
  const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
  return new Uint8Array(view.getArrayBuffer(length)).slice();
}

interface Cut {
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

function cut(fragments: Fragments, packet: Question, sizes: readonly number[]): Cut[] {
  assert.ok(fragments.begin(packet));
  const all: Cut[] = [];
  do {
    fragments.take(sizes[Math.min(all.length, sizes.length - 1)]);
    all.push({
      header: bytesAt(fragments.low, fragments.high, fragments.headerLength),
      data: bytesAt(fragments.dataLow, packet.high, fragments.dataLength),
    });
  } while (fragments.next());
  return all;
}

function concat(parts: readonly Uint8Array[]): string {
  return parts.map((part) => part.toHex()).join("");
}

for (const version of [4, 6] as const) {
  Deno.test(`Fragments make an IPv${version} datagram again, whatever fits on the way`, () => {
    const fragments = new Fragments(0xfffe);
    for (const [sizes, count] of [[[1500], 3], [[1280], 3], [[1500, 576], 5], [[4000], 1]] as const) {
      const packet = datagram(version, 3600);
      const all = cut(fragments, packet, sizes);
      assert.ok(all.length >= count, `${all.length} of ${sizes}`);
      assert.equal(concat(all.map(({ data }) => data)), memory.subarray(80 + packet.header, 3680).toHex());
      let offset = 0;
      const identifications = new Set<number>();
      for (const [i, { header, data }] of all.entries()) {
        const isLast = i === all.length - 1;
        if (version === 4) {
          assert.equal(header.length, 20);
          assert.equal(get16(header, 2), 20 + data.length);
          assert.equal(get16(header, 6), offset / 8 | (isLast ? 0 : 0x2000));
          identifications.add(get16(header, 4));
        } else {
          assert.deepEqual([header.length, header[6], header[40]], [48, 44, 17]);
          assert.equal(get16(header, 4), 8 + data.length);
          assert.equal(get16(header, 42), offset | (isLast ? 0 : 1));
          identifications.add(get32(header, 44));
        }
        assert.ok(header.length + data.length <= sizes[Math.min(i, sizes.length - 1)]);
        if (!isLast) assert.equal(data.length % 8, 0);
        offset += data.length;
      }
      assert.equal(identifications.size, 1);
      assert.ok(!identifications.has(0), "the kernel would give each another");
    }
  });
}

Deno.test("Fragments keep the number that the client has given, and cut nothing that it forbids to cut", () => {
  const fragments = new Fragments(1);
  const packet = datagram(4, 3000);
  memory.set([0x12, 0x34], 84);
  assert.deepEqual(cut(fragments, packet, [1500]).map(({ header }) => get16(header, 4)), [
    0x1234,
    0x1234,
    0x1234,
  ]);
  memory[86] = 0x40;
  assert.equal(fragments.begin(packet), false);
});
