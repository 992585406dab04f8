import assert from "node:assert/strict";
import { SlotLinks, SlotList } from "../../../../src/dataplane/udp/slot_list.ts";

function slots(list: SlotList, links: SlotLinks): number[] {
  const found: number[] = [];
  for (let slot = list.first; slot >= 0; slot = links.next[slot]) found.push(slot);
  const back: number[] = [];
  for (let slot = list.last; slot >= 0; slot = links.previous[slot]) back.push(slot);
  assert.deepEqual(back.reverse(), found);
  assert.equal(list.size, found.length);
  return found;
}

Deno.test("SlotList keeps the order of use", () => {
  const links = new SlotLinks();
  links.grow(4);
  const list = new SlotList(links);
  assert.deepEqual(slots(list, links), []);
  for (const slot of [2, 0, 3, 1]) list.append(slot);
  list.touch(1);
  assert.deepEqual(slots(list, links), [2, 0, 3, 1]);
  list.touch(0);
  list.touch(2);
  assert.deepEqual(slots(list, links), [3, 1, 0, 2]);
  links.grow(8);
  list.append(7);
  list.remove(3);
  list.remove(7);
  list.remove(0);
  assert.deepEqual(slots(list, links), [1, 2]);
  list.remove(1);
  list.remove(2);
  assert.deepEqual(slots(list, links), []);
});
