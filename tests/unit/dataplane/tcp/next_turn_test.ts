import assert from "node:assert/strict";
import { NextTurn } from "../../../../src/dataplane/tcp/next_turn.ts";
import type { Session } from "../../../../src/dataplane/tcp/session.ts";
import { SessionTable } from "../../../../src/dataplane/tcp/session_table.ts";

Deno.test("NextTurn visits each session once, and one that it is given meanwhile in the turn after", () => {
  const table = new SessionTable();
  const [one, two] = [table.open(0), table.open(0)];
  const next = new NextTurn();
  for (const session of [one, two, one]) next.add(session);
  assert.equal(next.size, 2);
  const turns: Session[][] = [];
  for (let turn = 0; turn < 3; turn++) {
    const visited: Session[] = [];
    next.begin((session) => {
      visited.push(session);
      if (turn === 0 && session === one) next.add(one);
    });
    turns.push(visited);
  }
  assert.deepEqual(turns.map((turn) => turn.map(({ slot }) => slot)), [[0, 1], [0], []]);
  assert.equal(next.size, 0);
});

Deno.test("NextTurn leaves out a session that has ended", () => {
  const table = new SessionTable();
  const session = table.open(0);
  const next = new NextTurn();
  next.add(session);
  table.close(session);
  next.begin(() => assert.fail("the session has ended"));
  assert.equal(session.queued, false);
});
