import assert from "node:assert/strict";
import { PipePool } from "../../../../../src/dataplane/tcp/bytes/pipes.ts";
import { descriptorTest, listDescriptors } from "../../../ffi/support/descriptors.ts";

const countPipes = () => listDescriptors().filter((line) => line.includes(" pipe:")).length;

descriptorTest("PipePool.take() gives at most its limit, and again what came back", () => {
  const pool = new PipePool(2, 65536);
  const [first, second] = [pool.take()!, pool.take()!];
  assert.equal(pool.take(), null);
  pool.give(first, true);
  assert.equal(pool.take(), first);
  pool.give(first, true);
  pool.give(second, true);
  pool.clear();
});

descriptorTest("PipePool.give() closes a pipe that is not empty, and another may be opened", () => {
  const pool = new PipePool(1, 65536);
  const before = countPipes();
  const pipe = pool.take()!;
  assert.equal(countPipes(), before + 2);
  pool.give(pipe, false);
  assert.equal(countPipes(), before);
  const next = pool.take();
  assert.notEqual(next, null);
  assert.notEqual(next, pipe);
  pool.give(next!, true);
  pool.clear();
});

descriptorTest("PipePool tells the size that the kernel gave", () => {
  const pool = new PipePool(1, 10_000);
  const pipe = pool.take()!;
  assert.equal(pipe.size, 16384, "rounded up to a power of two of pages");
  pool.give(pipe, true);
  pool.clear();
});

descriptorTest("PipePool keeps no more than 256 idle pipes", () => {
  const pool = new PipePool(300, 65536);
  const before = countPipes();
  const pipes = Array.from({ length: 300 }, () => pool.take()!);
  assert.ok(pipes.every((pipe) => pipe !== null));
  for (const pipe of pipes) pool.give(pipe, true);
  assert.equal(countPipes() - before, 512);
  pool.clear();
  assert.equal(countPipes(), before);
});
