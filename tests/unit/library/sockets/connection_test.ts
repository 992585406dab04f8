import assert from "node:assert/strict";
import { ECONNRESET } from "../../../../ffi/consts.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  assertSameBytes,
  bytes,
  drain,
  finish,
  pattern,
  readText,
  reset,
  sendAll,
} from "../../ffi/support/tcp.ts";
import { connectionAndPeer, connectionPair, settle } from "./support.ts";

const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

descriptorTest(
  "TransparentConnection reads what comes, waits for more, and ends with the other side",
  async () => {
    const [connection, peer] = connectionAndPeer();
    const reader = connection.readable.getReader();
    sendAll(peer, "one");
    assert.equal(text((await reader.read()).value), "one");
    const later = reader.read();
    await settle();
    sendAll(peer, "two");
    assert.equal(text((await later).value), "two");
    finish(peer);
    assert.deepEqual(await reader.read(), { done: true, value: undefined });
    const writer = connection.writable.getWriter();
    await writer.write(bytes("half-closed"));
    await writer.close();
    assert.deepEqual(readText(peer), { text: "half-closed", end: "end" });
    closeFd(peer);
  },
);

descriptorTest("TransparentConnection reads into room that the reader brings", async () => {
  const [connection, peer] = connectionAndPeer();
  const reader = connection.readable.getReader({ mode: "byob" });
  sendAll(peer, "abcdef");
  const { value } = await reader.read(new Uint8Array(4));
  assert.equal(text(value), "abcd");
  assert.equal(text((await reader.read(new Uint8Array(4))).value), "ef");
  finish(peer);
  assert.equal((await reader.read(new Uint8Array(4))).done, true);
  connection.close();
  closeFd(peer);
});

descriptorTest("TransparentConnection takes no more than the other side reads", async () => {
  const [connection, peer] = connectionAndPeer({ smallBuffers: true });
  const writer = connection.writable.getWriter();
  const data = pattern(4 << 20);
  let written = false;
  const writing = writer.write(data).then(() => written = true);
  await settle();
  assert.equal(written, false, "4 MiB lie in no buffer");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  while (!written) {
    parts.push(drain(peer).data);
    await settle(1);
  }
  await writing;
  await writer.close();
  parts.push(drain(peer).data);
  await settle();
  parts.push(drain(peer).data);
  assertSameBytes(new Uint8Array(await new Blob(parts).arrayBuffer()), data);
  connection.close();
  closeFd(peer);
});

descriptorTest(
  "TransparentConnection passes on what pipeTo() brings, both ways at once, and is closed with both",
  async () => {
    const [client, near] = connectionPair({ smallBuffers: true });
    const [far, server] = connectionPair();
    const relayed = Promise.all([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]);
    const echoed = server.readable.pipeTo(server.writable);
    const data = pattern(3 << 20);
    const source = new Blob([data]).stream().pipeTo(client.writable);
    assertSameBytes(new Uint8Array(await new Response(client.readable).arrayBuffer()), data);
    await Promise.all([source, relayed, echoed]);
  },
);

descriptorTest("TransparentConnection tells a reset, and resets when its writable is aborted", async () => {
  const [first, peer] = connectionAndPeer();
  const reading = first.readable.getReader().read();
  reset(peer);
  await assert.rejects(reading, (error) => error instanceof OperationError && error.code === "ECONNRESET");
  await assert.rejects(
    first.writable.getWriter().write(bytes("x")),
    /Cannot write to "127\.0\.0\.1:\d+ → .*": EPIPE/,
  );
  const [second, other] = connectionAndPeer();
  await second.writable.abort();
  await assert.rejects(second.readable.getReader().read(), /it is closed/);
  await settle();
  assert.equal(drain(other).end, -ECONNRESET);
  closeFd(other);
});

descriptorTest("TransparentConnection resets at once, also while the other side takes nothing", async () => {
  const [connection, peer] = connectionAndPeer({ smallBuffers: true });
  const writer = connection.writable.getWriter();
  const writing = writer.write(pattern(4 << 20));
  writing.catch(() => {});
  await settle();
  await writer.abort(new Error("enough"));
  await assert.rejects(writing);
  await settle();
  let { end } = drain(peer); // what is queued may come first
  if (end === "open") end = drain(peer).end;
  assert.equal(end, -ECONNRESET);
  closeFd(peer);
});

descriptorTest(
  "TransparentConnection.close() ends waits with an error, and may be called twice",
  async () => {
    const [connection, peer] = connectionAndPeer({ smallBuffers: true });
    const reading = connection.readable.getReader().read();
    const writing = connection.writable.getWriter().write(pattern(4 << 20));
    await settle();
    connection.close();
    connection.close();
    for (const waiting of [reading, writing]) {
      await assert.rejects(
        waiting,
        (error) => error instanceof OperationError && /it is closed$/.test(error.message),
      );
    }
    closeFd(peer);
  },
);

descriptorTest("TransparentConnection goes on writing when nobody wants to read any more", async () => {
  const [connection, peer] = connectionAndPeer();
  const reader = connection.readable.getReader();
  const reading = reader.read();
  await settle();
  await reader.cancel();
  assert.equal((await reading).done, true);
  const writer = connection.writable.getWriter();
  await writer.write(bytes("still"));
  assert.equal(readText(peer, 5).text, "still");
  await writer.close();
  closeFd(peer);
});
