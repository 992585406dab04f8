import assert from "node:assert/strict";
import { findSlot, FLAG_BITS, SLOT_WORDS } from "../../../../src/names/table/slots.ts";

const BASE = 5;
const SLOTS = 4;
/** A lower word whose search begins at the slot. */
const lowOf = (slot: number, more = 0) => (slot * 2 ** 30 + more) | 0;

/** A table with entries of these hashes, and their places. */
function fill(hashes: readonly (readonly [low: number, high: number])[]) {
  const words = new Int32Array(BASE + SLOTS * SLOT_WORDS);
  const slotOf = (low: number, high: number) => (findSlot(words, BASE, SLOTS, low, high) - BASE) / SLOT_WORDS;
  const slots = hashes.map(([low, high]) => {
    const slot = slotOf(low, high);
    words.set([low, high], BASE + slot * SLOT_WORDS);
    return slot;
  });
  return { slots, slotOf };
}

Deno.test("findSlot() begins where the hash says, from the first slot to the last", () => {
  const { slotOf } = fill([]);
  for (let slot = 0; slot < SLOTS; slot++) {
    assert.equal(slotOf(lowOf(slot), 1), slot);
    assert.equal(slotOf(lowOf(slot, 2 ** 30 - 1), 1), slot);
  }
});

Deno.test("findSlot() tells hashes apart that differ in one word alone, and looks behind the last slot", () => {
  const low = lowOf(3);
  const { slots, slotOf } = fill([[low, 0x11], [low, 0x21], [low + 1, 0x11]]);
  assert.deepEqual(slots, [3, 0, 1]);
  assert.deepEqual([[low, 0x11], [low, 0x21], [low + 1, 0x11]].map(([l, h]) => slotOf(l, h)), [3, 0, 1]);
  assert.equal(slotOf(low, 0x31), 2, "free");
  assert.equal(slotOf(low + 2, 0x11), 2, "free");
});

Deno.test("findSlot() takes the kinds of an entry for no part of its hash", () => {
  const { slotOf } = fill([[lowOf(1), 0x10 | 1], [lowOf(1), 0x20 | FLAG_BITS]]);
  for (let kinds = 0; kinds <= FLAG_BITS; kinds++) {
    assert.equal(slotOf(lowOf(1), 0x10 | kinds), 1);
    assert.equal(slotOf(lowOf(1), 0x20 | kinds), 2);
  }
});
