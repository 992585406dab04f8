import assert from "node:assert/strict";
import { buildNameSet, findName, type NameSources } from "../../../src/names/set.ts";
import { OperationError } from "../../../src/net/error.ts";
import { asker, SEED } from "./support/sets.ts";

const list = (path: string, text: string) => ({ path, bytes: new TextEncoder().encode(text) });

const SOURCES: NameSources = {
  domains: ["a.test", "*.b.test", ".c.test", "x.c.test"],
  lists: [
    list("one", "# names\n||ads.test^\na.test\n"),
    list("two", "@@||good.ads.test^\n@@||good.c.test^\nno name\nads.test"),
  ],
};

Deno.test("buildNameSet() makes one set of domains and lists, exceptions of any list win", () => {
  const { image, reports } = buildNameSet(SOURCES, SEED);
  assert.deepEqual(reports, [
    { path: "one", names: 1, duplicates: 1, skipped: 0 },
    { path: "two", names: 2, duplicates: 1, skipped: 1, firstSkipped: { number: 3, text: "no name" } },
  ]);
  const names = ["a.test", "x.a.test", "b.test", "x.b.test", "c.test", "x.c.test", "good.c.test", "ads.test"];
  const more = ["x.ads.test", "good.ads.test", "y.good.ads.test", "test"];
  const inside = [...names, ...more].filter(asker(image));
  assert.deepEqual(inside, ["a.test", "x.b.test", "c.test", "x.c.test", "ads.test", "x.ads.test"]);
  for (const name of [...names, ...more]) {
    const { entry, exception } = findName(SOURCES, name);
    assert.equal(entry !== undefined && exception === undefined, inside.includes(name), name);
  }
});

Deno.test("findName() names the first entry of domains, else the first line; and the first exception", () => {
  const line = (path: string, number: number, text: string) => ({ path, line: { number, text } });
  assert.deepEqual(findName(SOURCES, "a.test"), { entry: { domain: 0 } });
  assert.deepEqual(findName(SOURCES, "y.b.test"), { entry: { domain: 1 } });
  assert.deepEqual(findName(SOURCES, "x.c.test"), { entry: { domain: 2 } });
  assert.deepEqual(findName(SOURCES, "ads.test"), { entry: line("one", 2, "||ads.test^") });
  assert.deepEqual(findName(SOURCES, "good.c.test"), {
    entry: { domain: 2 },
    exception: line("two", 2, "@@||good.c.test^"),
  });
  assert.deepEqual(findName(SOURCES, "b.test"), {});
});

Deno.test("buildNameSet() takes each list when its turn comes, and refuses what is none", () => {
  const taken: string[] = [];
  function* lists() {
    taken.push("one");
    yield list("one", "<html>\n<p>");
    taken.push("two");
  }
  assert.throws(
    () => buildNameSet({ domains: [], lists: lists() }, SEED),
    (error) => error instanceof OperationError && error.object === "one:1:1",
  );
  assert.deepEqual(taken, ["one"]);
  assert.throws(
    () => buildNameSet({ domains: ["*"], lists: [] }, SEED),
    /Cannot read domain "\*": it names no/,
  );
});
