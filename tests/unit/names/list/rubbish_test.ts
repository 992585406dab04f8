import assert from "node:assert/strict";
import { canonicalize } from "../../../../src/names/canonical.ts";
import { Entries } from "../../../../src/names/list/entries.ts";
import { findInList } from "../../../../src/names/list/find.ts";
import { Lines } from "../../../../src/names/list/lines.ts";
import { readList } from "../../../../src/names/list/read.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { Random } from "../../../laboratory/proxy/policies.ts";
import { asker, SEED } from "../support/sets.ts";

const WHOLE = [
  "\nx.test\n",
  "\n0.0.0.0 a.test ",
  "\n||b.test^",
  "\n@@||a.test^",
  "\nlocal=/b.test/",
  "\n*.test ",
];
/** Pieces of all formats, and bytes of none. */
const PIECES = [
  ...WHOLE,
  ...[
    "0.0.0.0",
    "127.0.0.1",
    "::",
    "||",
    "@@||",
    "^",
    "$important",
    "address=/",
    "local=/",
    "/",
    "*.",
    ".",
    "*",
  ],
  ...[
    "\n",
    "\r\n",
    " ",
    "\t",
    "#",
    ";",
    "!",
    "[",
    "]",
    "=",
    "@",
    "|",
    "a.test",
    "B.Test",
    "x",
    "-",
    "_",
    "ü",
    "。",
  ],
  ...["a".repeat(64), "b.".repeat(130), "\0", "\u001b", "\ufeff", "localhost", "xn--a", "%lo0", "0x1f", "1"],
];

Deno.test("lists of rubbish make canonical names or none, and one count for each line", () => {
  let named = 0;
  for (let seed = 0; seed < 5000; seed++) {
    const random = new Random(seed);
    const bytes = new TextEncoder().encode(
      Array.from({ length: random.below(30) }, () => random.one(PIECES)).join(""),
    );
    // Some are no UTF-8.
    if (bytes.length > 0 && random.chance(30)) bytes[random.below(bytes.length)] = random.below(256);
    const names: string[] = [];
    const copy = new Uint8Array(253);
    const entries = new Entries((_kind, name, length) => {
      assert.equal(canonicalize(name, 0, length, copy), length);
      const text = new TextDecoder().decode(name.subarray(0, length));
      assert.equal(new TextDecoder().decode(copy.subarray(0, length)), text);
      names.push(text);
    });
    const lines = new Lines(bytes);
    while (lines.read(entries));
    const texts = new TextDecoder().decode(bytes).split("\n");
    assert.equal(lines.number, texts.length - (texts.at(-1) === "" ? 1 : 0));
    const set = new NameTableBuilder(SEED);
    try {
      const report = readList(bytes, "list", set);
      assert.equal(report.names + report.duplicates, names.length);
      const has = asker(set.build());
      for (const name of names) {
        const { entry, exception } = findInList(bytes, name);
        assert.equal(has(name), entry !== undefined && exception === undefined, `${seed}: ${name}`);
      }
    } catch (error) {
      assert.ok(error instanceof OperationError && names.length === 0, String(error));
    }
    named += names.length;
  }
  assert.ok(named > 1000, `${named} names`);
});
