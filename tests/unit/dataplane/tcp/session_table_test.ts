import assert from "node:assert/strict";
import { SessionTable } from "../../../../src/dataplane/tcp/session_table.ts";

const COUNTERS = { up: 3, down: 4 };

Deno.test("SessionTable.open() makes a session with both directions and its own tag", () => {
  const table = new SessionTable(COUNTERS);
  const session = table.open(10, 11);
  assert.deepEqual([session.up.from, session.up.to, session.up.counter], [10, 11, 3]);
  assert.deepEqual([session.down.from, session.down.to, session.down.counter], [11, 10, 4]);
  assert.equal(table.size, 1);
  assert.equal(table.find(session.slot, session.tag), session);
  assert.notEqual(table.open(12, 13).tag, session.tag);
});

Deno.test("SessionTable.find() knows a stale event, also when the slot is used again", () => {
  const table = new SessionTable(COUNTERS);
  const first = table.open(10, 11);
  const tag = first.tag;
  table.close(first);
  assert.equal(table.find(first.slot, tag), undefined);
  assert.equal(table.find(first.slot, 0) === first && first.tag !== 0, false);
  const second = table.open(10, 11);
  assert.equal(second, first, "the object is used again");
  assert.equal(table.find(second.slot, tag), undefined);
  assert.equal(table.find(second.slot, second.tag), second);
  assert.equal(table.find(99, tag), undefined);
});

Deno.test("SessionTable.open() resets all that the session before has left", () => {
  const table = new SessionTable(COUNTERS);
  const session = table.open(1, 2);
  const fresh = JSON.stringify({ ...session.up, opposite: null });
  Object.assign(session.up, {
    readable: true,
    writable: true,
    hungUp: true,
    urgent: true,
    ended: true,
    finished: true,
    failure: -104,
    bulk: true,
    smallReads: 5,
    offset: 6,
    length: 7,
    inPipe: 8,
  });
  session.dying = session.up;
  table.close(session);
  const again = table.open(1, 2);
  assert.equal(JSON.stringify({ ...again.up, opposite: null }), fresh);
  assert.equal(again.dying, null);
  assert.equal(again.up.opposite, again.down);
});

Deno.test("SessionTable.forEach() visits each live session, which may be closed meanwhile", () => {
  const table = new SessionTable(COUNTERS);
  const sessions = [1, 2, 3, 4].map((fd) => table.open(fd, fd + 10));
  table.close(sessions[1]);
  const seen: number[] = [];
  table.forEach((session) => {
    seen.push(session.clientFd);
    table.close(session);
  });
  assert.deepEqual(seen, [1, 3, 4]);
  assert.equal(table.size, 0);
});
