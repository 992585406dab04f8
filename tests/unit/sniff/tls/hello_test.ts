import assert from "node:assert/strict";
import { FoundName } from "../../../../src/sniff/found.ts";
import { readStream } from "../../../../src/sniff/stream.ts";
import { resultOf } from "../stream.ts";
import { entry, extension, hello, type HelloParts, records, serverName, sized } from "./hello.ts";

function nameIn(extensions: readonly Uint8Array[], parts?: HelloParts): string | null | number {
  return resultOf(records(hello(extensions, parts)));
}

const NAME = serverName(entry("a.example"));

Deno.test("the name is canonical", () => {
  assert.equal(nameIn([serverName(entry("WWW.Example.COM."))]), "www.example.com");
});

Deno.test("a name that is no host name is none", () => {
  const long = `${"a".repeat(63)}.`.repeat(4);
  const label = "a".repeat(64);
  for (
    const name of [
      label,
      `${label}.example`,
      "",
      ".",
      "192.0.2.1",
      "::1",
      "a..b",
      "a b",
      "ä.example",
      `${long}b`,
      "a\0.example",
    ]
  ) {
    assert.equal(nameIn([serverName(entry(name))]), null, name);
  }
});

Deno.test("the name is found behind extensions of any kind, GREASE among them", () => {
  assert.equal(nameIn([extension(0x1a1a, [0]), extension(51, new Uint8Array(1216)), NAME]), "a.example");
  assert.equal(nameIn([NAME, extension(0xfafa), extension(65280, [1, 2, 3])]), "a.example");
});

Deno.test("only names of type 0 are host names", () => {
  assert.equal(nameIn([serverName(entry("other", 7), entry("a.example"))]), "a.example");
  assert.equal(nameIn([serverName(entry("a.example", 1))]), null);
});

Deno.test("two names are none", () => {
  assert.equal(nameIn([NAME, serverName(entry("b.example"))]), null, "two extensions");
  assert.equal(nameIn([serverName(entry("a.example"), entry("b.example"))]), null, "two entries");
});

Deno.test("an encrypted hello is noted beside the outer name, in the old form and in the new", () => {
  for (const type of [0xfe0d, 0xffce]) {
    const found = new FoundName();
    for (const extensions of [[NAME, extension(type, [0, 1])], [extension(type, [0, 1]), NAME]]) {
      const stream = records(hello(extensions));
      assert.equal(readStream(stream, stream.length, found), 0);
      assert.equal(found.encrypted, true);
    }
    const plain = records(hello([NAME]));
    readStream(plain, plain.length, found);
    assert.equal(found.encrypted, false, "the next flow begins anew");
  }
});

Deno.test("a hello that a server refuses has no name", () => {
  const cases: Record<string, HelloParts> = {
    "version 2": { version: 2 },
    "a session id of 33 bytes": { sessionId: 33 },
    "no cipher": { suites: 0 },
    "half a cipher": { suites: 3 },
    "no compression": { compressions: 0 },
    "extensions that end too early": { lie: -1 },
    "extensions that end too late": { lie: 1 },
  };
  assert.equal(nameIn([NAME]), "a.example");
  for (const [title, parts] of Object.entries(cases)) assert.equal(nameIn([NAME], parts), null, title);
  assert.equal(nameIn([]), null, "no extension");
  assert.equal(nameIn([extension(0)]), null, "no list");
  assert.equal(nameIn([extension(0, sized())]), null, "an empty list");
  assert.equal(nameIn([extension(0, [0, 9, ...entry("a")])]), null, "a list that is too long");
  assert.equal(nameIn([extension(0, sized([0, 0, 9, 97]))]), null, "an entry that is too long");
  assert.equal(nameIn([NAME, Uint8Array.of(0, 1, 0)]), null, "half an extension");
  assert.equal(nameIn([NAME, Uint8Array.of(0, 1, 0, 2, 0)]), null, "an extension that is too long");
});

Deno.test("a hello that is cut short anywhere, with a header that says so, has no name", () => {
  const whole = hello([NAME]);
  for (let length = 4; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    cut.set([0, length - 4 >> 8, length - 4 & 255], 1);
    assert.equal(resultOf(records(cut)), null, `${length}`);
  }
});
