import assert from "node:assert/strict";
import { formatIp, parseIp, parsePrefix } from "../../../src/net/ip.ts";
import { mergeRanges, prefixRange } from "../../../src/net/ranges.ts";
import { putAddress } from "../../../src/policy/flow.ts";
import { isInSet, setSize, writeSet } from "../../../src/policy/networks.ts";
import { Random } from "../../laboratory/proxy/policies.ts";

/** A set somewhere in a table, with other things before and behind it. */
function makeSet(networks: readonly string[], width: number): (address: string) => boolean {
  const ranges = mergeRanges(networks.map((text) => prefixRange(parsePrefix(text)!)));
  const tables = new Int32Array(new SharedArrayBuffer(4 * (20 + setSize(ranges, width)))).fill(-1);
  writeSet(tables, 10, ranges, width);
  assert.equal(tables[10 + setSize(ranges, width)], -1, "writes no more than it says");
  const key = new Int32Array(4);
  return (address) => {
    const { bytes, family } = parseIp(address)!;
    putAddress(key, bytes, 0, family === "ipv6");
    return isInSet(tables, 10, key, width);
  };
}

Deno.test("isInSet() finds the first and the last address of a network, and not their neighbours", () => {
  const has = makeSet(["127.0.0.0/8", "128.0.0.0/8", "10.1.2.3", "255.255.255.255"], 1);
  for (const address of ["127.0.0.0", "128.255.255.255", "127.255.255.255", "10.1.2.3", "255.255.255.255"]) {
    assert.ok(has(address), address);
  }
  for (const address of ["126.255.255.255", "129.0.0.0", "10.1.2.2", "10.1.2.4", "0.0.0.0"]) {
    assert.ok(!has(address), address);
  }
});

Deno.test("isInSet() compares all four words of IPv6", () => {
  const has = makeSet(["2001:db8::ffff:ffff:0:0/96", "8000::/1"], 4);
  for (const address of ["2001:db8::ffff:ffff:0:0", "2001:db8::ffff:ffff:ffff:ffff", "8000::", "ffff::1"]) {
    assert.ok(has(address), address);
  }
  for (const address of ["2001:db8::ffff:fffe:ffff:ffff", "2001:db8:0:1::", "7fff::", "::"]) {
    assert.ok(!has(address), address);
  }
});

Deno.test("isInSet() finds nothing in an empty set, and everything in a set of all", () => {
  assert.ok(!makeSet([], 1)("10.0.0.1"));
  assert.ok(makeSet(["0.0.0.0/0"], 1)("255.255.255.255"));
  assert.ok(makeSet(["::/0"], 4)("::"));
});

Deno.test("isInSet() agrees with a look at each network, for long lists", () => {
  const random = new Random(3);
  const address = () =>
    formatIp({ family: "ipv4", bytes: Uint8Array.from({ length: 4 }, () => random.below(256)) });
  const networks = Array.from({ length: 3000 }, () => `${address()}/${12 + random.below(21)}`);
  const ranges = networks.map((text) => prefixRange(parsePrefix(text)!));
  const value = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const spans = ranges.map(({ from, to }) => [value(from), value(to)]);
  const has = makeSet(networks, 1);
  let inside = 0;
  for (let round = 0; round < 5000; round++) {
    const text = address();
    const number = value(parseIp(text)!.bytes);
    const expected = spans.some(([first, last]) => first <= number && number <= last);
    assert.equal(has(text), expected, text);
    if (expected) inside++;
  }
  assert.ok(inside > 50 && inside < 4950, `${inside}`);
});
