/** Digests of lists: where two lists differ, their digests do. */
import assert from "node:assert/strict";
import { digest } from "../../../../src/config/files/digest.ts";

const LIST = new TextEncoder().encode("ads.example\ntracker.example\nx");

Deno.test("digest() tells lists apart that differ in a bit, in their order or in their length", () => {
  const others = [new Uint8Array(), new Uint8Array(1), LIST.subarray(1), LIST.toReversed()];
  for (let length = 1; length <= LIST.length; length++) others.push(LIST.slice(0, length));
  for (let bit = 0; bit < LIST.length * 8; bit++) {
    others.push(LIST.map((byte, i) => i === bit >> 3 ? byte ^ 1 << (bit & 7) : byte));
  }
  // The highest bits of many words, which a product alone never leaves.
  for (let words = 1; words < 200; words++) {
    for (const value of [0x10, 0x20, 0x40, 0x80]) {
      const list = new Uint8Array(800);
      for (let word = 0; word < words; word++) list[4 * word + 3] = value;
      others.push(list);
    }
  }
  assert.equal(new Set(others.map(digest)).size, others.length);
});

Deno.test("digest() is that of the bytes, wherever they lie", () => {
  const wanted = digest(LIST);
  for (let offset = 0; offset < 9; offset++) {
    const memory = new Uint8Array(LIST.length + 20).fill(offset);
    memory.set(LIST, offset);
    assert.equal(digest(memory.subarray(offset, offset + LIST.length)), wanted, `${offset}`);
  }
});
