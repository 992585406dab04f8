import assert from "node:assert/strict";
import {
  formatEndpoint,
  formatIp,
  formatPrefix,
  parseEndpoint,
  parseIp,
  parsePrefix,
  sameIp,
} from "../../../src/net/ip.ts";

Deno.test("parseIp() reads four decimal parts and RFC 4291 text, and formatIp() writes the canonical form", () => {
  for (
    const [text, canonical] of [
      ["0.0.0.0", "0.0.0.0"],
      ["255.255.255.255", "255.255.255.255"],
      ["::", "::"],
      ["0:0:0:0:0:0:0:1", "::1"],
      ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"], // one group of zeros stays
      ["1:0:0:2:0:0:0:3", "1:0:0:2::3"], // the longer run goes
      ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ]
  ) {
    const address = parseIp(text);
    assert.notEqual(address, undefined, text);
    assert.equal(formatIp(address!), canonical);
    assert.ok(sameIp(parseIp(canonical)!, address!), canonical);
  }
});

Deno.test("parseIp() gives bytes in network order", () => {
  assert.deepEqual(parseIp("192.0.2.1"), { family: "ipv4", bytes: Uint8Array.of(192, 0, 2, 1) });
  const { family, bytes } = parseIp("2001:db8::ff01")!;
  assert.equal(family, "ipv6");
  assert.deepEqual([...bytes], [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1]);
});

Deno.test("parseIp() refuses what is no address, or only half one", () => {
  for (
    const text of [
      "",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "01.2.3.4",
      "0x7f.0.0.1",
      "2130706433",
      "1.2.3.4 ",
      "fe80::1%eth0",
      ":::",
      "1::2::3",
      "12345::",
      "1:2:3:4:5:6:7",
      "[::1]",
      "localhost",
    ]
  ) assert.equal(parseIp(text), undefined, JSON.stringify(text));
});

Deno.test("parsePrefix() reads a network, or an address as its whole length", () => {
  for (
    const [text, formatted] of [
      ["10.0.0.0/8", "10.0.0.0/8"],
      ["0.0.0.0/0", "0.0.0.0/0"],
      ["192.0.2.1", "192.0.2.1/32"],
      ["fc00::/7", "fc00::/7"],
      ["::1", "::1/128"],
    ]
  ) assert.equal(formatPrefix(parsePrefix(text)!), formatted);
  for (
    const text of [
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "/8",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "10.0.0/8",
      "::/1e1",
    ]
  ) {
    assert.equal(parsePrefix(text), undefined, text);
  }
});

Deno.test("parseEndpoint() reads address and port, IPv6 in brackets, and formatEndpoint() writes it back", () => {
  for (const text of ["192.0.2.1:80", "[2001:db8::1]:65535", "0.0.0.0:0"]) {
    assert.equal(formatEndpoint(parseEndpoint(text)!), text);
  }
  for (
    const text of [
      "192.0.2.1",
      "192.0.2.1:",
      "192.0.2.1:65536",
      "::1:80",
      "[192.0.2.1]:80",
      "[::1]",
      "[::1]80",
      ":80",
    ]
  ) {
    assert.equal(parseEndpoint(text), undefined, text);
  }
});

Deno.test("sameIp() tells addresses apart, and families", () => {
  assert.equal(sameIp(parseIp("192.0.2.1")!, parseIp("192.0.2.1")!), true);
  assert.equal(sameIp(parseIp("192.0.2.1")!, parseIp("192.0.2.2")!), false);
  assert.equal(sameIp(parseIp("0.0.0.0")!, parseIp("::")!), false);
});
