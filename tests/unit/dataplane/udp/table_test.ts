import assert from "node:assert/strict";
import { CLOSED } from "../../../../src/dataplane/shared/endings.ts";
import { DNS, OTHER, UdpTable } from "../../../../src/dataplane/udp/table.ts";
import { sockaddr } from "../support/addresses.ts";
import { testLedger } from "../support/test_ledger.ts";

function makeTable(): UdpTable {
  return new UdpTable(testLedger(1000).ledger);
}

function open(table: UdpTable, text: string, options: { tick?: number; kind?: number } = {}): number {
  return table.open(sockaddr(text), 0, {
    fd: 9,
    tick: options.tick ?? 0,
    time: 0,
    kind: options.kind ?? OTHER,
    way: 0,
    traits: 0,
  });
}

Deno.test("UdpTable finds sessions by the client's address and port, and forgets them", () => {
  const table = makeTable();
  const texts = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:${1000 + i % 7}`);
  const slots = texts.map((text) => open(table, text));
  assert.equal(table.size, 1000);
  assert.equal(new Set(slots).size, 1000);
  texts.forEach((text, i) => assert.equal(table.find(sockaddr(text), 0), slots[i]));
  slots.filter((_, i) => i % 2 === 0).forEach((slot) => table.close(slot, CLOSED));
  texts.forEach((text, i) => assert.equal(table.find(sockaddr(text), 0), i % 2 === 0 ? -1 : slots[i]));
  assert.equal(table.size, 500);
  const tag = table.tags[slots[1]];
  table.close(slots[1], CLOSED);
  assert.equal(table.tags[slots[1]], 0);
  assert.equal(open(table, texts[1]), slots[1], "slots are used again");
  assert.notEqual(table.tags[slots[1]], tag);
});

Deno.test("UdpTable.victim() is the least recently used session, of whatever kind", () => {
  const table = makeTable();
  const dns = open(table, "10.0.0.1:1", { kind: DNS, tick: 1 });
  const other = open(table, "10.0.0.2:1", { tick: 2 });
  const third = open(table, "10.0.0.3:1", { kind: DNS, tick: 3 });
  assert.equal(table.victim(), dns);
  table.touch(dns, 4);
  assert.equal(table.victim(), other);
  table.touch(other, 5);
  assert.equal(table.victim(), third);
  table.touch(third, 6);
  table.makeOther(third);
  assert.deepEqual([table.oldestOfKind(DNS), table.oldestOfKind(OTHER)], [dns, other]);
  assert.equal(table.newestTick(), 6);
});

Deno.test("UdpTable.victim() is of the client that has more than its share", () => {
  const table = makeTable();
  const quiet = open(table, "10.0.0.1:1", { tick: 1 });
  const flood = [2, 3, 4].map((tick) => open(table, `10.0.0.2:${tick}`, { tick }));
  assert.equal(table.victim(), flood[0], "not the quiet client's, though it is older");
  table.touch(flood[0], 9);
  assert.equal(table.victim(), flood[1]);
  assert.equal(table.oldestOf(sockaddr("10.0.0.2:77"), 0), flood[1]);
  assert.equal(table.countOf(sockaddr("10.0.0.2:77"), 0), 3);
  table.close(flood[1], CLOSED);
  table.close(flood[2], CLOSED);
  assert.equal(table.victim(), quiet, "both have one");
  table.close(flood[0], CLOSED);
  table.close(quiet, CLOSED);
  assert.equal(table.victim(), -1);
  assert.equal(table.countOf(sockaddr("10.0.0.2:77"), 0), 0);
});

Deno.test("UdpTable.isModest() tells clients with less than an equal share", () => {
  const table = makeTable();
  const [quiet, flood, newcomer] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map((text) => sockaddr(text));
  assert.ok(!table.isModest(quiet, 0), "there is nothing to share");
  open(table, "10.0.0.1:1");
  assert.ok(!table.isModest(quiet, 0), "alone");
  for (let port = 1; port <= 3; port++) open(table, `10.0.0.2:${port}`);
  assert.deepEqual([quiet, flood, newcomer].map((address) => table.isModest(address, 0)), [
    true,
    false,
    true,
  ]);
  open(table, "10.0.0.1:2");
  open(table, "10.0.0.1:3");
  assert.ok(!table.isModest(quiet, 0), "as much as the other");
});
