/** Over real pipes and sockets whose readers stop. */
import assert from "node:assert/strict";
import { openPipe } from "../../../ffi/pipe.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { readStream } from "../../../ffi/sockets/stream.ts";
import { LogSink } from "../../../src/daemon/log_sink.ts";
import { drain, tcpPair } from "../ffi/support/tcp.ts";

/** A pipe, whose ends are non-blocking already; tests/lab/log_test.ts has one as a shell makes it. */
function openLogPipe(): { reader: number; writer: number } {
  const ends = new Int32Array(2);
  assert.equal(openPipe(ends), 0);
  return { reader: ends[0], writer: ends[1] };
}

/** Reads all that waits in the pipe. */
function readAll(fd: number): string {
  const buffer = new Uint8Array(1 << 17);
  let text = "";
  for (;;) {
    const length = readStream(fd, buffer);
    if (length <= 0) return text;
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
}

const LINE = `${"x".repeat(99)}\n`;

Deno.test("LogSink writes lines at once, in order", async () => {
  const { reader, writer } = openLogPipe();
  const sink = new LogSink(writer);
  sink.write("one\n");
  sink.write("two\n");
  assert.equal(readAll(reader), "one\ntwo\n");
  await sink.end();
  closeFd(reader);
  closeFd(writer);
});

Deno.test("LogSink keeps what a reader that has stopped does not take, drops the rest, and tells how much", async () => {
  const { reader, writer } = openLogPipe();
  const sink = new LogSink(writer);
  let lost = 0;
  sink.onLost = (lines) => lost += lines;
  const start = performance.now();
  // 64 KiB fit into the pipe, 64 KiB into the sink's memory.
  for (let i = 0; i < 5_000; i++) sink.write(LINE);
  assert.ok(performance.now() - start < 500, "it waited for the reader");
  let read = "";
  for (let i = 0; i < 40 && lost === 0; i++) {
    read += readAll(reader);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  read += readAll(reader);
  assert.equal(read, LINE.repeat(read.length / 100), "a line was cut");
  assert.ok(lost > 3_000 && read.length / 100 + lost === 5_000, `read ${read.length / 100}, lost ${lost}`);
  assert.equal(sink.dropped, lost);
  await sink.end();
  closeFd(reader);
  closeFd(writer);
});

Deno.test("LogSink.end() does not wait long for a reader that has stopped", async () => {
  const { reader, writer } = openLogPipe();
  const sink = new LogSink(writer);
  for (let i = 0; i < 1_000; i++) sink.write(LINE);
  const start = performance.now();
  await sink.end();
  assert.ok(performance.now() - start < 1_000);
  closeFd(reader);
  closeFd(writer);
});

Deno.test("LogSink survives a reader that has gone", async () => {
  const { reader, writer } = openLogPipe();
  const sink = new LogSink(writer);
  closeFd(reader);
  for (let i = 0; i < 10; i++) sink.write(LINE);
  await sink.end();
  closeFd(writer);
});

Deno.test("LogSink does not wait for a socket either, which journald's stream is", async () => {
  const [writer, reader] = tcpPair({ smallBuffers: true });
  const sink = new LogSink(writer);
  let lost = 0;
  sink.onLost = (lines) => lost += lines;
  for (let i = 0; i < 5_000; i++) sink.write(LINE);
  let read = 0;
  for (let i = 0; i < 40 && lost === 0; i++) {
    read += drain(reader).data.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  read += drain(reader).data.length;
  assert.ok(lost > 0 && read % 100 === 0 && read / 100 + lost === 5_000, `read ${read}, lost ${lost}`);
  await sink.end();
  closeFd(writer);
  closeFd(reader);
});

Deno.test("LogSink appends to a file", async () => {
  const path = Deno.makeTempFileSync({ prefix: "tproxy-log-" });
  using file = Deno.openSync(path, { write: true });
  file.writeSync(new TextEncoder().encode("before\n"));
  const number = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name))
    .find((fd) => linkOf(fd) === path)!;
  const sink = new LogSink(number);
  sink.write("after\n");
  await sink.end();
  assert.equal(Deno.readTextFileSync(path), "before\nafter\n");
  Deno.removeSync(path);
});

function linkOf(fd: number): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}
