import assert from "node:assert/strict";
import { SessionGroups } from "../../../../src/dataplane/udp/groups.ts";

function datagramsOf(groups: SessionGroups, group: number): number[] {
  const datagrams: number[] = [];
  for (let i = groups.first[group]; i >= 0; i = groups.next[i]) datagrams.push(i);
  return datagrams;
}

Deno.test("SessionGroups keeps each session's datagrams together, in their order", () => {
  const groups = new SessionGroups(8);
  for (const [i, slot] of [5, 7, 5, 5, 7].entries()) groups.add(i, slot, 1);
  assert.equal(groups.count, 2);
  assert.deepEqual([...groups.slots.slice(0, 2)], [5, 7]);
  assert.deepEqual(datagramsOf(groups, 0), [0, 2, 3]);
  assert.deepEqual(datagramsOf(groups, 1), [1, 4]);
});

Deno.test("SessionGroups tells sessions apart that had one slot after another", () => {
  const groups = new SessionGroups(4);
  groups.add(0, 3, 1);
  groups.add(2, 3, 2); // the datagram between belongs to nobody
  assert.equal(groups.count, 2);
  assert.deepEqual([...groups.tags.slice(0, 2)], [1, 2]);
  assert.deepEqual([datagramsOf(groups, 0), datagramsOf(groups, 1)], [[0], [2]]);
});

Deno.test("SessionGroups.clear() leaves nothing of the batch before", () => {
  const groups = new SessionGroups(4);
  for (const i of [0, 1, 2]) groups.add(i, 1, 1);
  groups.clear();
  assert.equal(groups.count, 0);
  groups.add(0, 1, 1);
  assert.equal(groups.count, 1);
  assert.deepEqual(datagramsOf(groups, 0), [0]);
});
