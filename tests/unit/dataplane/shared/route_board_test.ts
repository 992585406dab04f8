import assert from "node:assert/strict";
import { ROUTE_BOARD_WORDS, RouteBoard } from "../../../../src/dataplane/routes/route_board.ts";

Deno.test("RouteBoard: no generation comes twice, also where the routing was simple for a while", () => {
  const board = new RouteBoard(new Int32Array(new SharedArrayBuffer(ROUTE_BOARD_WORDS * 4)));
  const seen = [0, 1, 2].map(() => {
    board.write({ byPort: false, priority: 1, mark: 4 });
    const { generation } = board;
    board.write(null);
    assert.equal(board.generation, 0);
    return generation;
  });
  assert.equal(new Set(seen).size, 3);
});
