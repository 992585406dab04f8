import assert from "node:assert/strict";
import { NAME_KINDS } from "../../../../src/names/kinds.ts";
import { parsePattern } from "../../../../src/names/pattern.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { Random } from "../../../laboratory/proxy/policies.ts";
import { type NaiveEntry, naiveHas, randomName } from "../support/naive.ts";
import { asker, builderOf, SEED } from "../support/sets.ts";
import { collidingNames } from "../support/collision.ts";

const KINDS = Object.keys(NAME_KINDS) as NaiveEntry["kind"][];

Deno.test("NameTable.has() says what the plain matcher says, for random sets and names", () => {
  const counts = { in: 0, out: 0 };
  for (let seed = 0; seed < 600; seed++) {
    const random = new Random(seed);
    // Half of the sets have no exception.
    const kinds = seed % 2 === 0 ? KINDS : KINDS.filter((kind) => kind !== "exception");
    const entries = Array.from({ length: random.below(12) }, () => ({
      kind: random.one(kinds),
      name: randomName(random),
    }));
    const has = asker(builderOf(entries, Int32Array.of(seed, random.below(2 ** 31))).build());
    const asked = [
      ...entries.map(({ name }) => name),
      ...Array.from({ length: 40 }, () => randomName(random)),
    ];
    for (const name of [...asked, "", ...entries.map(({ name }) => `a${name}`)]) {
      const expected = naiveHas(entries, name);
      counts[expected ? "in" : "out"]++;
      assert.equal(has(name), expected, JSON.stringify({ seed, name, entries }));
    }
  }
  assert.ok(counts.in > 3000 && counts.out > 3000, JSON.stringify(counts));
});

Deno.test("NameTable.has() keeps the borders of labels, for each kind of entry", () => {
  const cases: readonly (readonly [NaiveEntry["kind"], string])[] = [
    ["exact", "le.com"],
    ["below", "x.le.com y.x.le.com"],
    ["both", "le.com x.le.com y.x.le.com"],
  ];
  for (const [kind, inside] of cases) {
    const has = asker(builderOf([{ kind, name: "le.com" }]).build());
    for (const name of ["le.com", "x.le.com", "y.x.le.com", "google.com", "com", "e.com", "le.com.x", ""]) {
      assert.equal(has(name), inside.split(" ").includes(name), `${kind}: ${name}`);
    }
  }
});

Deno.test("NameTable.has() lets exceptions win, of the name and of those above and below", () => {
  const has = asker(
    builderOf([
      { kind: "exception", name: "good.ads.example" },
      { kind: "both", name: "ads.example" },
      { kind: "exact", name: "x.good.ads.example" },
    ]).build(),
  );
  for (const name of ["ads.example", "bad.ads.example", "bgood.ads.example"]) assert.ok(has(name), name);
  for (const name of ["good.ads.example", "x.good.ads.example"]) assert.ok(!has(name), name);
});

Deno.test("NameTable.has() finds nothing in an empty set", () => {
  const has = asker(new NameTableBuilder(SEED).build());
  for (const name of ["", "a", "example.com"]) assert.ok(!has(name), name);
});

Deno.test("NameTableBuilder.add() tells what is new; kinds of one name join", () => {
  const builder = new NameTableBuilder(SEED);
  const add = (text: string) => {
    const pattern = parsePattern(text);
    assert.ok("name" in pattern);
    return builder.addPattern(pattern);
  };
  assert.ok(add("a.example"));
  assert.ok(!add("A.example."));
  assert.ok(add("*.a.example"));
  assert.ok(!add(".a.example"));
  assert.ok(add(".b.example"));
  assert.ok(!add("b.example"));
  const has = asker(builder.build());
  for (const name of ["a.example", "x.a.example", "b.example", "x.b.example"]) assert.ok(has(name), name);
});

Deno.test("NameTableBuilder.build() can be called again after more entries, and an image stays as it is", () => {
  const builder = builderOf([{ kind: "exact", name: "a.example" }]);
  const first = asker(builder.build());
  const pattern = parsePattern("b.example");
  assert.ok("name" in pattern);
  builder.addPattern(pattern);
  assert.ok(!first("b.example"));
  assert.ok(asker(builder.build())("b.example"));
});

Deno.test("names that are made to collide under one seed are told apart under another", () => {
  const [listed, other] = collidingNames(SEED);
  assert.notEqual(listed, other);
  const entries: NaiveEntry[] = [{ kind: "exact", name: listed }];
  assert.ok(asker(builderOf(entries).build())(other), "this seed is the one that they are made for");
  for (const seed of [Int32Array.of(SEED[0] + 1, SEED[1]), Int32Array.of(SEED[0] ^ (1 << 31), SEED[1])]) {
    const has = asker(builderOf(entries, seed).build());
    assert.ok(has(listed));
    assert.ok(!has(other));
  }
});

Deno.test("names whose lower words collide are told apart by the higher", () => {
  const [one, two] = collidingNames(SEED, { lowerWordOnly: true });
  assert.notEqual(one, two);
  const has = asker(builderOf([{ kind: "exact", name: one }]).build());
  assert.ok(has(one));
  assert.ok(!has(two));
  const both = asker(builderOf([{ kind: "exact", name: one }, { kind: "below", name: two }]).build());
  assert.ok(both(one) && !both(two) && both(`a.${two}`));
});
