import assert from "node:assert/strict";
import { canonicalize, canonicalName } from "../../../src/names/canonical.ts";

const LONG_LABEL = "a".repeat(63);
/** 253 characters. */
const LONG_NAME = `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.${"b".repeat(61)}`;

/** Names in ASCII; undefined: none. Text and bytes are read alike. */
const NAMES: readonly (readonly [string, string | undefined])[] = [
  ["example.com", "example.com"],
  ["WWW.Example.coM", "www.example.com"],
  ["example.com.", "example.com"],
  ["example.com..", undefined],
  [".", undefined],
  ["", undefined],
  [".example.com", undefined],
  ["a..b", undefined],
  ["com", "com"],
  ["_dmarc.a_b.example", "_dmarc.a_b.example"],
  ["-a-.b-.example", "-a-.b-.example"],
  ["1and1.example", "1and1.example"],
  ["XN--BCHER-kva.Example", "xn--bcher-kva.example"],
  ["xn--a.example", "xn--a.example"],
  ["xn--.example", "xn--.example"],
  [`${LONG_LABEL}.example`, `${LONG_LABEL}.example`],
  [`${LONG_LABEL}a.example`, undefined],
  [`example.${LONG_LABEL}a`, undefined],
  [LONG_NAME, LONG_NAME],
  [`${LONG_NAME}.`, LONG_NAME],
  [`${LONG_NAME}b`, undefined],
  ["192.0.2.1", undefined],
  ["149.154.165.120:80", undefined],
  ["example.com:443", undefined],
  ["127.1", undefined],
  ["16909060", undefined],
  ["0x7f000001", undefined],
  ["0X", undefined],
  ["example.0x1F", undefined],
  ["example.0x1g", "example.0x1g"],
  ["example.123", undefined],
  ["123.example", "123.example"],
  ["----", undefined],
  ["example.-", undefined],
  ["[2001:db8::1]", undefined],
  ["2001:db8::1", undefined],
  ["[2001:db8::1]:443", undefined],
  ["a b.example", undefined],
  [" example.com", undefined],
  ["example.com\0", undefined],
  ["example.com/path", undefined],
  ["user@example.com", undefined],
  ["*.example.com", undefined],
  ["ex%61mple.com", undefined],
];

function readBytes(bytes: Uint8Array): string | undefined {
  const into = new Uint8Array(253);
  const length = canonicalize(bytes, 0, bytes.length, into);
  return length === 0 ? undefined : new TextDecoder().decode(into.subarray(0, length));
}

for (const [written, name] of NAMES) {
  Deno.test(`canonicalName() and canonicalize() read ${JSON.stringify(written).slice(0, 60)} alike`, () => {
    assert.equal(canonicalName(written), name);
    assert.equal(readBytes(new TextEncoder().encode(written)), name);
  });
}

/** Names as people write them. */
const INTERNATIONAL: readonly (readonly [string, string | undefined])[] = [
  ["Bücher.example", "xn--bcher-kva.example"],
  ["BÜCHER.EXAMPLE.", "xn--bcher-kva.example"],
  ["bu\u0308cher.example", "xn--bcher-kva.example"],
  ["bücher。example。", "xn--bcher-kva.example"],
  ["a_b.bücher.example", "a_b.xn--bcher-kva.example"],
  ["faß.de", "xn--fa-hia.de"],
  ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
  ["ｅｘａｍｐｌｅ.com", "example.com"],
  ["xn--.bücher.example", undefined],
  ["１２７.0.0.1", undefined],
  ["bücher.example:443", undefined],
  ["bücher.example/", undefined],
  ["user@bücher.example", undefined],
  ["bücher.example?", undefined],
  ["ex%61mple.bücher", undefined],
  ["℀.com", undefined],
  ["bücher..example", undefined],
  [`${"ü".repeat(60)}.example`, undefined],
];

for (const [written, name] of INTERNATIONAL) {
  Deno.test(`canonicalName() reads ${JSON.stringify(written).slice(0, 60)}`, () => {
    assert.equal(canonicalName(written), name);
    assert.equal(readBytes(new TextEncoder().encode(written)), undefined, "clients send A-labels");
  });
}

Deno.test("canonicalName() is what URL makes of every international name that it takes", () => {
  for (const [written, name] of INTERNATIONAL) {
    if (name !== undefined) assert.equal(URL.parse(`http://${written}`)?.hostname.replace(/\.$/, ""), name);
  }
});

Deno.test("canonicalize() works within other bytes, and in place", () => {
  const bytes = new TextEncoder().encode("GET Example.COM./");
  assert.equal(canonicalize(bytes, 4, 16, bytes), 11);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 11)), "example.com");
});

Deno.test("canonicalize() takes 39 signs for a label: letters, digits, hyphen, underscore, and the dot", () => {
  const taken: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (readBytes(Uint8Array.of(0x61, byte, 0x61)) !== undefined) taken.push(byte);
  }
  assert.equal(
    String.fromCharCode(...taken),
    "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
  );
});

Deno.test("canonicalize() leaves what is canonical as it is", () => {
  for (const [, name] of NAMES) {
    if (name !== undefined) assert.equal(readBytes(new TextEncoder().encode(name)), name);
  }
});
