import assert from "node:assert/strict";
import { Marks } from "../../src/marks.ts";

Deno.test("Marks tells every bit of the default mark", () => {
  const { intercepted, router, clientSocket, serverSocket, refused, dropped } = new Marks(0x1);
  assert.deepEqual(
    { intercepted, router, clientSocket, serverSocket, refused, dropped },
    { intercepted: 0x1, router: 0x3, clientSocket: 0x4, serverSocket: 0x8, refused: 0x2, dropped: 0x3 },
  );
});

Deno.test("Marks knows bit 31, which JavaScript's operators take for a sign", () => {
  assert.equal(new Marks(0x20000000).clientSocket, 0x80000000);
  assert.equal(new Marks(0x10000000).serverSocket, 0x80000000);
  assert.equal(new Marks(0x40000000).router, 0xc0000000);
});

Deno.test("Marks.largest() is the last mark whose bits all fit into 32", () => {
  for (const routerTraffic of [false, true]) {
    const highest = routerTraffic ? "serverSocket" : "clientSocket";
    const largest = Marks.largest(routerTraffic);
    assert.ok(new Marks(largest)[highest] <= 0xffffffff);
    assert.ok(new Marks(largest + 1)[highest] > 0xffffffff);
  }
  assert.deepEqual([Marks.largest(false), Marks.largest(true)], [0x3fffffff, 0x1fffffff]);
  assert.deepEqual([Marks.bitsAbove(false), Marks.bitsAbove(true)], [2, 3]);
});

Deno.test("Marks of adjacent bits: what is dropped has the bits of what is refused, so that clearing it clears all", () => {
  const { intercepted, refused, dropped } = new Marks(0x3);
  assert.deepEqual([dropped & intercepted, dropped & refused], [intercepted, refused]);
});
