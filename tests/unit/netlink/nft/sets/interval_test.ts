import assert from "node:assert/strict";
import { parsePrefix } from "../../../../../src/net/ip.ts";
import {
  elementRanges,
  intervalElements,
  type KeyRange,
  mergeRanges,
  prefixLength,
  prefixRange,
} from "../../../../../src/netlink/nft/sets/interval.ts";
import { portKey } from "../../../../../src/netlink/nft/sets/set_type.ts";

const range = (first: number, last = first): KeyRange => ({ from: portKey(first), to: portKey(last) });
const port = (key: Uint8Array) => key[0] * 256 + key[1];
const text = (ranges: readonly KeyRange[]) =>
  ranges.map(({ from, to }) => `${port(from)}-${port(to)}`).join(" ");

Deno.test("mergeRanges() joins what overlaps or touches", () => {
  assert.equal(text(mergeRanges([range(90, 95), range(80), range(81, 85), range(84, 89)])), "80-95");
  assert.equal(text(mergeRanges([range(80, 90), range(82, 84), range(92)])), "80-90 92-92");
  assert.equal(text(mergeRanges([range(5, 65535), range(7)])), "5-65535");
});

Deno.test("intervalElements() opens at zero, closes after each range, and leaves the last open at the top", () => {
  const elements = intervalElements([range(80), range(60000, 65535)]);
  assert.deepEqual(elements, [
    { key: portKey(0), intervalEnd: true },
    { key: portKey(80) },
    { key: portKey(81), intervalEnd: true },
    { key: portKey(60000), intervalOpen: true },
  ]);
  assert.deepEqual(intervalElements([range(0, 9)]), [{ key: portKey(0) }, {
    key: portKey(10),
    intervalEnd: true,
  }]);
  assert.deepEqual(intervalElements([]), []);
});

Deno.test("elementRanges() reads what intervalElements() wrote, in any order", () => {
  for (
    const ranges of [
      [range(80)],
      [range(0, 65535)],
      [range(0), range(2, 9), range(256, 511), range(65535)],
      [],
    ]
  ) {
    assert.equal(text(elementRanges(intervalElements(ranges).reverse())), text(ranges));
  }
});

Deno.test("prefixRange() is the first and the last address", () => {
  const { from, to } = prefixRange(parsePrefix("10.1.2.3/9")!);
  assert.deepEqual([from.join("."), to.join(".")], ["10.0.0.0", "10.127.255.255"]);
  const all = prefixRange(parsePrefix("::/0")!);
  assert.deepEqual([all.from.every((byte) => byte === 0), all.to.every((byte) => byte === 255)], [
    true,
    true,
  ]);
});

Deno.test("prefixLength() knows ranges that are prefixes", () => {
  for (
    const text of ["0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "192.0.2.1/32", "::/0", "fc00::/7", "::1/128"]
  ) {
    const prefix = parsePrefix(text)!;
    assert.equal(prefixLength(prefixRange(prefix)), prefix.length, text);
  }
  const key = (text: string) => parsePrefix(text)!.address.bytes;
  for (const [from, to] of [["10.0.0.0", "10.0.0.2"], ["10.0.0.1", "10.0.0.2"], ["10.0.1.0", "10.0.2.255"]]) {
    assert.equal(prefixLength({ from: key(from), to: key(to) }), undefined, `${from}-${to}`);
  }
});
