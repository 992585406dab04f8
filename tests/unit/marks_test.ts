import assert from "node:assert/strict";
import { DEFAULT_MARK } from "../../src/constants.ts";
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

Deno.test("Marks of any bits are told apart by rules that ask for the bits of one of them", () => {
  for (const mark of [0x1, 0x2, 0x3, 0x5, 0x7, 0x15, 0x30, 0xb0, 0x10000001, Marks.largest(true)]) {
    const marks = new Marks(mark);
    const { intercepted, router, refused, dropped, clientSocket, serverSocket } = marks;
    const fits = (packet: number, asked: number) => ((packet & asked) >>> 0) === asked;
    const name = `kernel.mark ${mark.toString(16)}`;
    // mangle asks for dropped first, then for refused, then for intercepted.
    assert.ok(fits(dropped, dropped) && fits(refused, refused) && fits(intercepted, intercepted), name);
    assert.ok(!fits(refused, dropped) && !fits(intercepted, dropped) && !fits(intercepted, refused), name);
    assert.ok(!fits(refused, intercepted), `${name}: a routing rule delivers what is refused`);
    // What raw has left is cleared as a whole.
    for (const left of [intercepted, refused, dropped]) assert.equal((left & ~dropped) >>> 0, 0, name);
    for (const socket of [clientSocket, serverSocket]) {
      assert.ok(!fits(socket, intercepted) && !fits(socket, router), `${name}: a socket's packets are taken`);
      assert.ok(
        !fits(intercepted, socket) && !fits(router, socket),
        `${name}: a packet passes for a socket's`,
      );
    }
    assert.ok(!fits(clientSocket, serverSocket) && !fits(serverSocket, clientSocket), name);
  }
});

Deno.test("Marks() keep apart from whole marks of others, unless the administrator has chosen the bits", () => {
  assert.equal(new Marks(DEFAULT_MARK, { apart: true }).intercepted, 0x40000001);
  assert.equal(new Marks(DEFAULT_MARK, { apart: true }).router, 0x40000003);
  assert.equal(new Marks(DEFAULT_MARK).intercepted, DEFAULT_MARK);
  assert.equal(new Marks(0x10, { apart: true }).router, 0x30);
});
