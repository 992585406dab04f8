import assert from "node:assert/strict";
import { readList } from "../../../../src/names/list/read.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { asker, SEED } from "../support/sets.ts";

/** Reads lines behind one that has a name, so that none of them is the whole list. */
function read(text: string | Uint8Array<ArrayBuffer>) {
  const builder = new NameTableBuilder(SEED);
  const first = new TextEncoder().encode("first.test\n");
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const { names, skipped } = readList(Uint8Array.of(...first, ...bytes), "list", builder);
  return { names: names - 1, skipped, has: asker(builder.build()) };
}

/** A line, the names of these that it puts into the set, and whether it counts as skipped. */
const ASKED = ["x.test", "a.x.test", "b.a.x.test", "y.test", "a.y.test", "test", "ax.test"];
const EXACT = "x.test";
const BELOW = "a.x.test b.a.x.test";
const BOTH = `${EXACT} ${BELOW}`;
const LINES: readonly (readonly [line: string, inside: string, skipped?: "skipped"])[] = [
  // Nothing to say.
  ["", ""],
  [" \t\r", ""],
  ["# x.test", ""],
  ["#x.test", ""],
  ["! x.test", ""],
  ["!x.test", ""],
  ["; x.test", ""],
  ["  # x.test", ""],
  ["[Adblock Plus 2.0]", ""],
  ["[Adblock Plus 2.0", "", "skipped"],
  // Names alone.
  ["x.test", EXACT],
  ["X.Test.", EXACT],
  ["\t x.test \r", EXACT],
  ["x.test # why", EXACT],
  ["x.test\t#why", EXACT],
  ["x.test ; why", EXACT],
  ["x.test#why", "", "skipped"],
  ["x.test ! why", "", "skipped"],
  ["*.x.test", BELOW],
  ["*.X.Test. # why", BELOW],
  [".x.test", BOTH],
  ["..x.test", "", "skipped"],
  ["*x.test", "", "skipped"],
  ["*", "", "skipped"],
  ["*.", "", "skipped"],
  [".", "", "skipped"],
  ["x.*.test", "", "skipped"],
  ["*.*.x.test", "", "skipped"],
  ["x.test y.test", "", "skipped"],
  ["x.test:443", "", "skipped"],
  ["x.test/path", "", "skipped"],
  ["https://x.test/", "", "skipped"],
  ["192.0.2.1", "", "skipped"],
  ["192.0.2.0/24", "", "skipped"],
  ["::1", "", "skipped"],
  ["/^x\\.test$/", "", "skipped"],
  // Hosts.
  ["0.0.0.0 x.test", EXACT],
  ["127.0.0.1 x.test", EXACT],
  [":: x.test", EXACT],
  ["::1\tx.test", EXACT],
  ["0 x.test", EXACT],
  ["  0.0.0.0  x.test  y.test # a.y.test", `${EXACT} y.test`],
  ["0.0.0.0 x.test ;a.x.test", EXACT],
  ["0.0.0.0 x.test #a.x.test y.test", EXACT],
  ["0.0.0.0 localhost", ""],
  ["127.0.0.1 localhost.localdomain localhost", ""],
  ["0.0.0.0 0.0.0.0", ""],
  ["127.0.0.1 localhost x.test", EXACT],
  ["255.255.255.255 broadcasthost", ""],
  ["fe80::1%lo0 localhost", ""],
  ["ff02::1 ip6-allnodes", ""],
  ["192.168.1.9 nas", ""],
  ["192.168.1.9 x.test", "", "skipped"],
  ["2001:db8::1 x.test", "", "skipped"],
  ["0.0.0.0 x.test *.y.test", EXACT, "skipped"],
  ["0.0.0.0 *.x.test", "", "skipped"],
  ["0.0.0.0 .x.test", "", "skipped"],
  ["0.0.0.0 192.0.2.1", "", "skipped"],
  ["0.0.0.0", "", "skipped"],
  ["0.0.0.0 # x.test", "", "skipped"],
  ["some words", "", "skipped"],
  ["note: words", "", "skipped"],
  // Ad blockers.
  ["||x.test^", BOTH],
  ["||X.Test^", BOTH],
  ["||x.test^$important", BOTH],
  ["||x.test^$third-party", "", "skipped"],
  ["||x.test^$important,third-party", "", "skipped"],
  ["||x.test^$", "", "skipped"],
  ["||x.test", "", "skipped"],
  ["||x.test^*", "", "skipped"],
  ["||x.test/ad^", "", "skipped"],
  ["||*.x.test^", "", "skipped"],
  ["||^", "", "skipped"],
  ["||", "", "skipped"],
  ["|x.test^", "", "skipped"],
  ["|", "", "skipped"],
  ["@@", "", "skipped"],
  ["@@|x.test^", "", "skipped"],
  ["@@x.test", "", "skipped"],
  ["x.test^", "", "skipped"],
  ["x.test##.ad", "", "skipped"],
  ["##.ad", ""],
  ["||192.0.2.1^", "", "skipped"],
  // dnsmasq.
  ["address=/x.test/0.0.0.0", BOTH],
  ["address=/x.test/", BOTH],
  ["address=/x.test/#", BOTH],
  ["address=/x.test/y.test/::", `${BOTH} y.test a.y.test`],
  ["local=/x.test/", BOTH],
  ["local=/x.test/y.test/", `${BOTH} y.test a.y.test`],
  ["local=/x.test/192.0.2.1", "", "skipped"],
  ["server=/x.test/", "", "skipped"],
  ["address=/#/0.0.0.0", "", "skipped"],
  ["address=//0.0.0.0", "", "skipped"],
  ["address=/x.test", "", "skipped"],
  ["address=/", "", "skipped"],
  ["local=/", "", "skipped"],
  ["address=/x.test/*.y.test/::", BOTH, "skipped"],
  ["address=", "", "skipped"],
];

for (const [line, inside, skipped] of LINES) {
  Deno.test(`a line of a list: ${JSON.stringify(line)}`, () => {
    for (const text of [line, `${line}\n`, `${line}\r\n`, `\n\n${line}\n# end`]) {
      const list = read(text);
      assert.equal(ASKED.filter(list.has).join(" "), inside);
      assert.equal(list.skipped, skipped === undefined ? 0 : 1);
    }
  });
}

Deno.test("exceptions of ad blockers take names out, with everything below", () => {
  for (const line of ["@@||a.x.test^", "@@||A.x.test^$important"]) {
    for (const text of [`||x.test^\n${line}\na.x.test`, `${line}\n.x.test`]) {
      assert.equal(ASKED.filter(read(text).has).join(" "), "x.test");
    }
  }
  assert.equal(read("@@||a.x.test^$client=1").skipped, 1);
});

Deno.test("lists have international names in UTF-8, in every format", () => {
  for (const line of ["Bücher.test", "0.0.0.0 bücher.test", "||bücher.test^", "local=/bücher.test/"]) {
    assert.ok(read(line).has("xn--bcher-kva.test"), line);
  }
  assert.equal(read(Uint8Array.of(0x62, 0xfc, 0x2e, 0x61)).skipped, 1, "not in Latin-1");
  assert.equal(read("xn--a.test\nxn--.test").names, 2, "A-labels are taken as they are");
});

Deno.test("a byte order mark before the first line is no part of it", () => {
  for (const line of ["x.test", "0.0.0.0 x.test", "||x.test^", "local=/x.test/", "# list\nx.test"]) {
    const builder = new NameTableBuilder(SEED);
    const { skipped } = readList(new TextEncoder().encode(`\ufeff${line}`), "list", builder);
    assert.equal(skipped, 0, line);
    assert.ok(asker(builder.build())("x.test"), line);
  }
});

Deno.test("a line of 4096 bytes is read, a longer one is skipped", () => {
  const names = "0.0.0.0 " + "x.test ".repeat(584).trim();
  assert.equal(names.length, 4095);
  assert.equal(read(`${names}.`).skipped, 0);
  assert.equal(read(`${names}.`).names, 1);
  assert.equal(read(`${names} y`).skipped, 1);
  assert.equal(read(`#${names}${names}`).skipped, 0);
  assert.equal(read(`x.test${" ".repeat(9000)}`).names, 1, "space around it does not count");
});
