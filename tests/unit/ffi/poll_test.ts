import assert from "node:assert/strict";
import { EAGAIN, EBADF, POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../../ffi/consts.ts";
import { openPipe } from "../../../ffi/pipe.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { openReadOnly } from "../../../ffi/process.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { readStream, writeStream } from "../../../ffi/sockets/stream.ts";
import { check } from "../../../src/net/error.ts";
import { descriptorTest } from "./support/descriptors.ts";
import { bytes } from "./support/tcp.ts";

function pipe(): [read: number, write: number] {
  const ends = new Int32Array(2);
  check(openPipe(ends), "pipe2");
  return [ends[0], ends[1]];
}

descriptorTest("PollSet tells what each descriptor is ready for, and passes over what is left out", () => {
  const [read, write] = pipe();
  const set = new PollSet(3);
  set.set(0, read, POLLIN);
  set.set(1, write, POLLOUT);
  set.skip(2);
  assert.equal(set.wait(0), 1);
  assert.deepEqual([set.ready(0), set.ready(1), set.ready(2)], [0, POLLOUT, 0]);
  assert.equal(writeStream(write, bytes("x")), 1);
  set.set(1, write, 0);
  assert.equal(set.wait(0), 1);
  assert.deepEqual([set.ready(0), set.ready(1)], [POLLIN, 0]);
  closeFd(read);
  closeFd(write);
});

descriptorTest("PollSet waits as long as it is told", () => {
  const [read, write] = pipe();
  const set = new PollSet(1);
  set.set(0, read, POLLIN);
  const start = performance.now();
  assert.equal(set.wait(60), 0);
  assert.ok(performance.now() - start >= 55);
  closeFd(read);
  closeFd(write);
});

descriptorTest("PollSet reports errors that were not asked for", () => {
  const [read, write] = pipe();
  const set = new PollSet(2);
  closeFd(read);
  set.set(0, write, 0);
  set.skip(1);
  assert.equal(set.wait(0), 1);
  assert.equal(set.ready(0), POLLERR);
  closeFd(write);
  const [end, gone] = pipe();
  closeFd(gone);
  set.set(0, end, POLLIN);
  assert.equal(set.wait(0), 1);
  assert.equal(set.ready(0), POLLHUP);
  closeFd(end);
});

descriptorTest("PollSet takes a regular file, which is always ready", () => {
  const file = check(openReadOnly(new URL(import.meta.url).pathname), "open");
  const set = new PollSet(1);
  set.set(0, file, POLLIN | POLLOUT);
  assert.equal(set.wait(1000), 1);
  assert.equal(set.ready(0), POLLIN | POLLOUT);
  closeFd(file);
});

descriptorTest("readStream() and writeStream() move bytes, and tell the end and errors", () => {
  const [read, write] = pipe();
  const buffer = new Uint8Array(16);
  assert.equal(readStream(read, buffer), -EAGAIN);
  assert.equal(writeStream(write, bytes("hello")), 5);
  assert.equal(readStream(read, buffer), 5);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 5)), "hello");
  closeFd(write);
  assert.equal(readStream(read, buffer), 0);
  closeFd(read);
  assert.equal(readStream(-1, buffer), -EBADF);
});
