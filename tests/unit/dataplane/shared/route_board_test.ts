import assert from "node:assert/strict";
import { ROUTE_BOARD_WORDS, RouteBoard } from "../../../../src/dataplane/routes/route_board.ts";

function makeBoard(): RouteBoard {
  return new RouteBoard(new Int32Array(new SharedArrayBuffer(ROUTE_BOARD_WORDS * 4)));
}

Deno.test("RouteBoard: no generation comes twice, also where the routing was simple for a while", () => {
  const board = makeBoard();
  const seen = [0, 1, 2].map(() => {
    board.write({ byPort: false, priority: 1, mark: 4 });
    const { generation } = board;
    board.write(null);
    assert.equal(board.generation, 0);
    return generation;
  });
  assert.equal(new Set(seen).size, 3);
});

Deno.test("RouteBoard: a change counts, and what is written again as it was does not", () => {
  const board = makeBoard();
  const steps: [what: string, write: () => void, change: number][] = [
    ["simple as ever", () => board.write(null), 0],
    ["not simple", () => board.write({ byPort: false, priority: 1, mark: 4 }), 1],
    ["other routes, perhaps", () => board.write({ byPort: false, priority: 1, mark: 4 }), 1],
    ["simple", () => board.write(null), 1],
    ["open as ever", () => assert.ok(!board.writeOutput(false)), 0],
    ["closed", () => assert.ok(board.writeOutput(true)), 1],
    ["closed as before", () => assert.ok(!board.writeOutput(true)), 0],
    ["open", () => assert.ok(board.writeOutput(false)), 1],
  ];
  for (const [what, write, change] of steps) {
    const before = board.changes;
    write();
    assert.equal(board.changes - before, change, what);
  }
});
