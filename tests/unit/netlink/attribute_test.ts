import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util"; // quiet: a diff of such trees takes minutes
import { AttributeMap, AttributeWriter, readAttributes } from "../../../src/netlink/attribute.ts";

/** A tree of attributes: leaves are bytes. */
type Tree = readonly (readonly [type: number, value: Uint8Array | Tree])[];

/** Random numbers that are the same in every run of a seed: xorshift32. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function randomTree(random: (below: number) => number, depth: number): Tree {
  return Array.from({ length: random(6) }, () => {
    const type = 1 + random(1000);
    if (depth > 0 && random(3) === 0) return [type, randomTree(random, depth - 1)] as const;
    const length = random(10) === 0 ? random(3000) : random(20);
    return [type, Uint8Array.from({ length }, () => random(256))] as const;
  });
}

function write(writer: AttributeWriter, tree: Tree, plain: boolean): void {
  for (const [type, value] of tree) {
    if (value instanceof Uint8Array) writer.bytes(type, value);
    else writer.nest(type, (nest) => write(nest, value, plain), { plain });
  }
}

function read(bytes: Uint8Array, shape: Tree): Tree {
  return readAttributes(bytes).map(({ type, data }, index) => {
    const expected = shape[index]?.[1];
    return [
      type,
      expected === undefined || expected instanceof Uint8Array ? data.slice() : read(data, expected),
    ];
  });
}

Deno.test("readAttributes() reads every tree that AttributeWriter writes", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const tree = randomTree(generator(seed), 4);
    const writer = new AttributeWriter();
    write(writer, tree, seed % 2 === 0);
    const bytes = writer.finish();
    assert.equal(bytes.length % 4, 0, `seed ${seed}`);
    assert.ok(isDeepStrictEqual(read(bytes, tree), tree), `seed ${seed}`);
  }
});

Deno.test("readAttributes() survives damaged bytes with nothing but a RangeError", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = generator(seed);
    const writer = new AttributeWriter();
    write(writer, randomTree(random, 3), false);
    const bytes = writer.finish();
    if (bytes.length === 0) continue;
    bytes[random(bytes.length)] = random(256);
    try {
      readAttributes(bytes.subarray(0, random(bytes.length + 1)));
    } catch (error) {
      assert.ok(error instanceof RangeError, `seed ${seed}: ${error}`);
    }
  }
});

Deno.test("AttributeWriter writes integers in the byte order that its methods say", () => {
  const bytes = new AttributeWriter().u16be(1, 0x0102).u32be(2, 0x01020304).u32(3, 1).u64be(4, 5n).u8(5, 6)
    .u32be(6, -310).string(7, "lo").flag(8).finish();
  const expected = [
    ...[6, 0, 1, 0, 1, 2, 0, 0],
    ...[8, 0, 2, 0, 1, 2, 3, 4],
    ...[8, 0, 3, 0, 1, 0, 0, 0],
    ...[12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5],
    ...[5, 0, 5, 0, 6, 0, 0, 0],
    ...[8, 0, 6, 0, 0xff, 0xff, 0xfe, 0xca],
    ...[7, 0, 7, 0, 0x6c, 0x6f, 0, 0],
    ...[4, 0, 8, 0],
  ];
  assert.deepEqual([...bytes], expected);
  const map = new AttributeMap(bytes);
  assert.deepEqual(
    [
      map.u16be(1),
      map.u32be(2),
      map.u32(3),
      map.u64be(4),
      map.u8(5),
      map.i32be(6),
      map.string(7),
      map.has(8),
    ],
    [0x0102, 0x01020304, 1, 5n, 6, -310, "lo", true],
  );
  assert.equal(map.u32(99), undefined);
  assert.throws(() => map.u32be(5), RangeError);
});

Deno.test("AttributeWriter refuses what does not fit", () => {
  assert.throws(() => new AttributeWriter().u8(1, 256), RangeError);
  assert.throws(() => new AttributeWriter().u32be(1, 2 ** 32), RangeError);
  assert.throws(() => new AttributeWriter().bytes(1, new Uint8Array(65532)), RangeError);
  const half = new Uint8Array(33000);
  assert.throws(
    () => new AttributeWriter().nest(1, (nest) => nest.bytes(1, half).bytes(2, half)),
    RangeError,
  );
  assert.equal(new AttributeWriter().bytes(1, new Uint8Array(65531)).finish().length, 65536);
});
