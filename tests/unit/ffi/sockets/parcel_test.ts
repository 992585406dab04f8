import assert from "node:assert/strict";
import { Parcel } from "../../../../ffi/sockets/parcel.ts";
import { MOST_DESCRIPTORS, SequenceMemory } from "../../../../ffi/sockets/sequence.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { openPair } from "../../../../ffi/sockets/unix.ts";

/** Calls with both ends of a socket, and closes them. */
function withPair(test: (own: number, other: number) => void): void {
  const ends = new Int32Array(2);
  assert.ok(openPair(ends) >= 0);
  try {
    test(ends[0], ends[1]);
  } finally {
    for (const fd of ends) closeFd(fd);
  }
}

Deno.test("Parcel carries words and none, one or two descriptors, one message after another", () => {
  withPair((own, other) => {
    const [sent, got] = [new Parcel(3), new Parcel(3)];
    for (const [first, second, expected] of [[own, other, 2], [own, -1, 1], [-1, -1, 0]] as const) {
      sent.words.set([7, expected, -1]);
      assert.equal(sent.send(own, first, second), 0);
      assert.equal(got.receive(other), 12);
      assert.deepEqual([...got.words], [7, expected, -1]);
      const fds = got.allReceived;
      assert.equal(fds.length, expected);
      assert.equal(got.received, fds[0] ?? -1);
      for (const fd of fds) {
        assert.ok(fd !== own && fd !== other);
        closeFd(fd);
      }
    }
  });
});

Deno.test("SequenceMemory carries bytes of any length, and as many descriptors as the kernel lets pass", () => {
  withPair((own, other) => {
    const [sender, receiver] = [new SequenceMemory(), new SequenceMemory()];
    for (const [length, count] of [[1, MOST_DESCRIPTORS], [40_001, 3], [2, 0]]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      assert.equal(sender.send(own, bytes, Array(count).fill(own)), 0);
      const message = receiver.receive(other);
      assert.ok(message !== null && typeof message !== "number");
      assert.deepEqual(message.bytes, bytes);
      assert.equal(new Set(message.fds).size, count);
      for (const fd of message.fds) closeFd(fd);
    }
  });
});

Deno.test("receive() tells that the other end has gone", () => {
  const ends = new Int32Array(2);
  assert.ok(openPair(ends) >= 0);
  closeFd(ends[0]);
  assert.equal(new Parcel(1).receive(ends[1]), 0);
  assert.equal(new SequenceMemory().receive(ends[1]), null);
  closeFd(ends[1]);
});
