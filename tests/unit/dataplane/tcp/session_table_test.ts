import assert from "node:assert/strict";
import { NEW } from "../../../../src/dataplane/tcp/stage_numbers.ts";
import { SessionTable } from "../../../../src/dataplane/tcp/session_table.ts";

Deno.test("SessionTable.open() makes a session without descriptors, which has its own tag", () => {
  const table = new SessionTable();
  const session = table.open(5);
  assert.deepEqual([session.clientFd, session.upstreamFd, session.stage], [-1, -1, NEW]);
  assert.deepEqual([session.startedTick, session.activeTick], [5, 5]);
  session.setClient(10);
  session.setUpstream(11);
  assert.deepEqual([session.up.from, session.up.to, session.up.counter], [10, 11, 0]);
  assert.deepEqual([session.down.from, session.down.to, session.down.counter], [11, 10, 1]);
  assert.equal(table.size, 1);
  assert.equal(table.find(session.slot, session.tag), session);
  const other = table.open(5);
  assert.notEqual(other.tag, session.tag);
  assert.deepEqual([other.up.counter, other.down.counter], [2, 3], "bytes are counted by slot");
});

Deno.test("Session.setUpstream() forgets what was seen of the socket before, and nothing of the client", () => {
  const session = new SessionTable().open(0);
  Object.assign(session.up, { readable: true, hungUp: true, urgent: true, writable: true });
  Object.assign(session.down, { readable: true, hungUp: true, urgent: true, writable: true });
  session.setUpstream(12);
  const { up, down } = session;
  assert.deepEqual([up.readable, up.hungUp, up.urgent, down.writable], [true, true, true, true]);
  assert.deepEqual([down.readable, down.hungUp, down.urgent, up.writable], [false, false, false, false]);
});

Deno.test("SessionTable.find() knows a stale event, also when the slot is used again", () => {
  const table = new SessionTable();
  const first = table.open(0);
  const tag = first.tag;
  table.close(first);
  assert.equal(table.find(first.slot, tag), undefined);
  assert.equal(table.find(first.slot, 0) === first && first.tag !== 0, false);
  const second = table.open(0);
  assert.equal(second, first, "the object is used again");
  assert.equal(table.find(second.slot, tag), undefined);
  assert.equal(table.find(second.slot, second.tag), second);
  assert.equal(table.find(99, tag), undefined);
});

Deno.test("SessionTable.open() resets all that the session before has left", () => {
  const table = new SessionTable();
  const session = table.open(0);
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
  Object.assign(session, { attempt: 2, choice: 3, called: true, excess: 4, keptAlive: true });
  session.dying = session.up;
  table.close(session);
  const again = table.open(0);
  assert.equal(JSON.stringify({ ...again.up, opposite: null }), fresh);
  assert.equal(again.dying, null);
  const { attempt, choice, called, excess, keptAlive } = again;
  assert.deepEqual([attempt, choice, called, excess, keptAlive], [0, -1, false, 0, false]);
  assert.equal(again.up.opposite, again.down);
});

Deno.test("SessionTable.forEach() visits each live session, which may be closed meanwhile", () => {
  const table = new SessionTable();
  const sessions = [1, 2, 3, 4].map((fd) => {
    const session = table.open(0);
    session.setClient(fd);
    return session;
  });
  table.close(sessions[1]);
  const seen: number[] = [];
  table.forEach((session) => {
    seen.push(session.clientFd);
    table.close(session);
  });
  assert.deepEqual(seen, [1, 3, 4]);
  assert.equal(table.size, 0);
});
