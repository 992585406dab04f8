import assert from "node:assert/strict";
import { allocateNames, NamePlaces, NO_NAME } from "../../../../src/dataplane/flows/name_places.ts";

function open(seed = 1) {
  const places = new NamePlaces(allocateNames(seed));
  const keep = (name: string) => {
    const bytes = new TextEncoder().encode(name);
    return places.keep(bytes, bytes.length);
  };
  const read = (place: number) => {
    const bytes = new Uint8Array(300);
    return new TextDecoder().decode(bytes.subarray(0, places.copy(place, bytes, 0)));
  };
  return { places, keep, read };
}

Deno.test("NamePlaces keeps one place for all sessions of a name, until the last is gone", () => {
  const { places, keep, read } = open();
  const one = keep("a.example");
  assert.equal(keep("a.example"), one);
  const other = keep("b.example");
  assert.notEqual(other, one);
  assert.deepEqual([read(one), read(other)], ["a.example", "b.example"]);
  places.release(one);
  for (let i = 0; i < 100_000; i++) places.release(keep(`${i}.example`));
  assert.equal(read(one), "a.example", "a session has it still");
});

Deno.test("NamePlaces keeps as many names as it has room for, and the rest have none: memory is bounded", () => {
  const { places, keep } = open();
  const kept: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const place = keep(`${i}.example`);
    if (place !== NO_NAME) kept.push(place);
  }
  assert.equal(new Set(kept).size, kept.length, "a place was given twice");
  assert.ok(kept.length > 3500 && kept.length <= 4096, `${kept.length} names were kept`);
  for (const place of kept) places.release(place);
  assert.notEqual(keep("again.example"), NO_NAME);
});

Deno.test("NamePlaces does not let a client choose names that take the places of another's", () => {
  const own = open(1);
  const wanted = own.keep("blocked.example");
  const near = Array.from({ length: 100_000 }, (_, i) => `${i}.example`).filter((name) => {
    const place = own.keep(name);
    own.places.release(place);
    return place >= wanted && place < wanted + 8;
  });
  assert.ok(near.length > 100);
  const other = open(2);
  const places = new Set(near.slice(0, 64).map((name) => other.keep(name)));
  assert.ok(places.size > 48, `under another seed they are in ${places.size} places`);
  const spread = [...places].reduce((sum, place) => sum + Math.abs(place - wanted), 0) / places.size;
  assert.ok(spread > 500, `${spread} places apart`);
});

Deno.test("NamePlaces keeps no name that is longer than any is", () => {
  const { keep } = open();
  assert.equal(keep("x".repeat(257)), NO_NAME);
  assert.equal(keep(""), NO_NAME);
});
