import assert from "node:assert/strict";
import { MAX_LIST_BYTES, readList } from "../../../../src/names/list/read.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { LIST_FORMATS, makeList, makeNames } from "../../../laboratory/names/lists.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { asker, SEED } from "../support/sets.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("readList() counts names, those that are there twice, and lines of another kind", () => {
  const set = new NameTableBuilder(SEED);
  const text = "a.test\n||b.test^\nb.test\nhttp://c.test\nA.test.\n\n<p>\n0.0.0.0 d.test e.test\n";
  assert.deepEqual(readList(encode(text), "list", set), {
    names: 4,
    duplicates: 2,
    skipped: 2,
    firstSkipped: { number: 4, text: "http://c.test" },
  });
  assert.deepEqual(readList(encode("a.test\nf.test"), "other", set), { names: 1, duplicates: 1, skipped: 0 });
});

for (const format of Object.keys(LIST_FORMATS) as (keyof typeof LIST_FORMATS)[]) {
  Deno.test(`readList() understands every line of a list like those of the world: ${format}`, () => {
    const names = makeNames(3000);
    const set = new NameTableBuilder(SEED);
    assert.deepEqual(readList(makeList(names, format), "list", set), {
      names: 3000,
      duplicates: 0,
      skipped: 0,
    });
    const has = asker(set.build());
    for (const name of names) assert.ok(has(name), name);
    const isExact = format === "hosts" || format === "bare";
    for (const name of names) assert.equal(has(`www.${name}`), !isExact, name);
    for (const name of names) assert.ok(!has(`x${name}`), name);
  });
}

Deno.test("the set of a rule is what all its lists and domains say; exceptions of one hold for all", () => {
  const set = new NameTableBuilder(SEED);
  readList(encode("||ads.test^"), "one", set);
  readList(encode("@@||good.ads.test^\n@@||good.other.test^"), "two", set);
  readList(encode("good.other.test\nbad.other.test"), "three", set);
  const has = asker(set.build());
  assert.ok(has("ads.test") && has("x.ads.test") && has("bad.other.test"));
  assert.ok(!has("good.ads.test") && !has("x.good.ads.test") && !has("good.other.test"));
});

Deno.test("readList() refuses a file with no name in it, but something else", () => {
  for (const text of ["<html>\n<body>hello</body>\n</html>", "# list\n\nhttp://a.test"]) {
    assert.throws(
      () => readList(encode(text), "/etc/ads.txt", new NameTableBuilder(SEED)),
      (error) =>
        error instanceof OperationError &&
        error.usage &&
        /^Cannot read list of names "\/etc\/ads.txt:[13]:1": it has no name; this line is "(<html>|http:\/\/a.test)"$/
          .test(error.message),
    );
  }
  for (const text of ["", "\n", "# nothing yet\n", "127.0.0.1 localhost\n"]) {
    const { names, skipped } = readList(encode(text), "list", new NameTableBuilder(SEED));
    assert.deepEqual({ names, skipped }, { names: 0, skipped: 0 });
  }
  assert.equal(readList(encode("@@||a.test^\n<p>"), "list", new NameTableBuilder(SEED)).names, 1);
});

Deno.test("readList() shows the beginning of a line, without what commands a terminal", () => {
  const text = `a.test\n  \u001b[31m<${"p".repeat(200)}>  \n`;
  const { firstSkipped } = readList(encode(text), "list", new NameTableBuilder(SEED));
  assert.equal(firstSkipped?.number, 2);
  assert.equal(firstSkipped?.text, `\\u001b[31m<${"p".repeat(74)}…`);
});

Deno.test("readList() refuses a file that is too large, before it reads any of it", () => {
  const bytes = new Uint8Array(MAX_LIST_BYTES + 1).fill(0x0a);
  const set = new NameTableBuilder(SEED);
  assert.throws(() => readList(bytes, "list", set), /larger than 64 MiB/);
  assert.equal(readList(bytes.subarray(1), "list", set).names, 0);
});

Deno.test("readList() refuses a list of too many names; those that are there twice do not count", () => {
  const list = encode("a.test\na.test\nb.test");
  assert.equal(readList(list, "list", new NameTableBuilder(SEED), 2).names, 2);
  assert.throws(
    () => readList(makeList(makeNames(2001), "bare"), "list", new NameTableBuilder(SEED), 2000),
    /it has more than 2,000 names/,
  );
});
