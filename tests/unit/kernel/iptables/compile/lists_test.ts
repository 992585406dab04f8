import assert from "node:assert/strict";
import { rangePrefixes } from "../../../../../src/kernel/iptables/compile/lists.ts";
import { parseIp, parsePrefix } from "../../../../../src/net/ip.ts";
import { mergeRanges, prefixRange } from "../../../../../src/netlink/nft/sets/interval.ts";

function split(from: string, to: string): string[] {
  return rangePrefixes({ from: parseIp(from)!.bytes, to: parseIp(to)!.bytes });
}

Deno.test("rangePrefixes() gives the fewest prefixes that hold the range", () => {
  assert.deepEqual(split("10.0.0.0", "10.255.255.255"), ["10.0.0.0/8"]);
  assert.deepEqual(split("10.0.0.1", "10.0.0.1"), ["10.0.0.1/32"]);
  assert.deepEqual(split("10.0.0.1", "10.0.0.6"), [
    "10.0.0.1/32",
    "10.0.0.2/31",
    "10.0.0.4/31",
    "10.0.0.6/32",
  ]);
  assert.deepEqual(split("255.255.255.254", "255.255.255.255"), ["255.255.255.254/31"]);
  assert.deepEqual(split("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
  assert.deepEqual(split("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
  assert.deepEqual(split("2001:db8::ffff", "2001:db8::1:0"), ["2001:db8::ffff/128", "2001:db8::1:0/128"]);
});

Deno.test("rangePrefixes() holds exactly the addresses of any range", () => {
  let state = 1;
  const random = (limit: number) => (state = (state * 48271) % 0x7fffffff) % limit;
  for (let round = 0; round < 500; round++) {
    const [a, b] = [random(2 ** 24), random(2 ** 24)].toSorted((x, y) => x - y);
    const bytes = (value: number) => Uint8Array.of(10, value >> 16, value >> 8, value);
    const range = { from: bytes(a), to: bytes(b) };
    const prefixes = rangePrefixes(range).map((text) => parsePrefix(text)!);
    assert.deepEqual(mergeRanges(prefixes.map(prefixRange)), [range]);
    assert.ok(prefixes.length <= 46, `${prefixes.length} prefixes`);
  }
});
