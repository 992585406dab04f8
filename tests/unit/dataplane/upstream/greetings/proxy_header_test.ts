/** The PROXY protocol: the bytes of its specification. */
import assert from "node:assert/strict";
import {
  ProxyHeader,
  proxyHeaderLength,
  writeDatagramHeader,
} from "../../../../../src/dataplane/upstream/greetings/proxy_header.ts";
import { AF_INET, AF_INET6 } from "../../../../../ffi/consts.ts";
import { octets, talk, target, text } from "./talk.ts";

const IPV4 = target("192.168.0.11:443", { client: "192.168.0.1:56324" });
const IPV6 = target("[2001:db8::7]:443", { client: "[2001:db8::1]:56324" });
const SIGNATURE = "0d0a0d0a000d0a515549540a";

Deno.test("Version 1 is a line of text", () => {
  // The example of the specification, 2.1.
  assert.equal(
    text(talk(new ProxyHeader(1), IPV4, octets()).said[0]),
    "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
  );
  assert.equal(
    text(talk(new ProxyHeader(1), IPV6, octets()).said[0]),
    "PROXY TCP6 2001:db8::1 2001:db8::7 56324 443\r\n",
  );
  const longest = `[${"fedc:".repeat(7)}fedc]:65535`;
  const { said } = talk(new ProxyHeader(1), target(longest, { client: longest }), octets());
  assert.ok(said[0].length === 104);
});

Deno.test("Version 2 is binary, for both families", () => {
  assert.deepEqual(
    talk(new ProxyHeader(2), IPV4, octets()).said,
    [octets(SIGNATURE, "21 11 000c c0a80001 c0a8000b dc04 01bb")],
  );
  const [header] = talk(new ProxyHeader(2), IPV6, octets()).said;
  assert.deepEqual(
    header,
    octets(
      SIGNATURE,
      "21 21 0024",
      "20010db8000000000000000000000001",
      "20010db8000000000000000000000007",
      "dc04 01bb",
    ),
  );
});

Deno.test("A header is all of the talk: what a server says at once is left", () => {
  const course = talk(new ProxyHeader(2), IPV4, octets('"220 mail"'));
  assert.deepEqual([course.done, text(course.rest)], [true, "220 mail"]);
});

Deno.test("A header before a datagram says so", () => {
  const bytes = new Uint8Array(80);
  for (const [flow, family, bits] of [[IPV4, AF_INET, "12 000c"], [IPV6, AF_INET6, "22 0024"]] as const) {
    const length = writeDatagramHeader(bytes, flow);
    assert.equal(length, proxyHeaderLength(family));
    assert.deepEqual(bytes.slice(0, 16), octets(SIGNATURE, "21", bits));
  }
});

Deno.test("A header of our own connection says that it is local", () => {
  const said = (version: 1 | 2) => {
    const header = new ProxyHeader(version);
    header.tell(null);
    return header.output;
  };
  assert.equal(text(said(1)), "PROXY UNKNOWN\r\n");
  assert.deepEqual(said(2), octets(SIGNATURE, "20 00 0000"));
  const bytes = new Uint8Array(16);
  assert.equal(writeDatagramHeader(bytes, null), 16);
  assert.deepEqual(bytes, octets(SIGNATURE, "20 00 0000"));
});
