import assert from "node:assert/strict";
import { findInList } from "../../../../src/names/list/find.ts";
import { readList } from "../../../../src/names/list/read.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { Random } from "../../../laboratory/proxy/policies.ts";
import { type NaiveEntry, naiveHas, randomName, speaksOf } from "../support/naive.ts";
import { asker, SEED } from "../support/sets.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Lines that make an entry, by its kind. */
const LINES: Readonly<Record<NaiveEntry["kind"], readonly ((name: string) => string)[]>> = {
  exact: [(name) => name, (name) => `0.0.0.0 ${name}`, (name) => ` ${name.toUpperCase()}. # why`],
  below: [(name) => `*.${name}`],
  both: [
    (name) => `.${name}`,
    (name) => `||${name}^`,
    (name) => `address=/${name}/`,
    (name) => `local=/${name}/`,
  ],
  exception: [(name) => `@@||${name}^`, (name) => `@@||${name}^$important`],
};
const NOISE = ["", "# b.a", "! a.b", "127.0.0.1 localhost", "http://a.b/", "a.b##.ad", "||a.b^$popup"];
const KINDS = Object.keys(LINES) as NaiveEntry["kind"][];

Deno.test("findInList() finds the lines by which the table decides, in random lists of all formats", () => {
  const counts = { in: 0, exception: 0, out: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const random = new Random(seed);
    const lines = Array.from({ length: random.below(15) }, () => {
      if (random.chance(30)) return { text: random.one(NOISE) };
      const entry = { kind: random.one(KINDS), name: randomName(random) };
      return { text: random.one(LINES[entry.kind])(entry.name), entry };
    });
    // A list of noise alone is refused.
    lines.push({ text: "last.test", entry: { kind: "exact", name: "last.test" } });
    const entries = lines.flatMap(({ entry }) => entry === undefined ? [] : [entry]);
    const bytes = encode(lines.map(({ text }) => text).join(random.one(["\n", "\r\n"])));
    const set = new NameTableBuilder(SEED);
    const { names, duplicates } = readList(bytes, "list", set);
    assert.equal(names + duplicates, entries.length);
    const has = asker(set.build());
    const firstOf = (isWanted: (kind: NaiveEntry["kind"]) => boolean, name: string) => {
      const index = lines.findIndex(({ entry }) =>
        entry !== undefined && isWanted(entry.kind) && speaksOf(entry, name)
      );
      return index < 0 ? undefined : { number: index + 1, text: lines[index].text.trim() };
    };
    for (
      const name of [
        ...entries.map(({ name }) => name),
        ...Array.from({ length: 20 }, () => randomName(random)),
      ]
    ) {
      const { entry, exception } = findInList(bytes, name);
      const expected = naiveHas(entries, name);
      assert.equal(has(name), expected);
      assert.equal(entry !== undefined && exception === undefined, expected);
      assert.deepEqual(entry, firstOf((kind) => kind !== "exception", name));
      assert.deepEqual(exception, firstOf((kind) => kind === "exception", name));
      counts[expected ? "in" : exception === undefined ? "out" : "exception"]++;
    }
  }
  for (const [end, count] of Object.entries(counts)) assert.ok(count > 500, `${end}: ${count}`);
});
