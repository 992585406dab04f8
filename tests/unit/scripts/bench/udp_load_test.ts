import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { compileLoad, PROGRAM } from "../../../../scripts/lib/bench/udp/load.ts";
import { parseReport } from "../../../../scripts/lib/bench/udp/report.ts";
import { print } from "../../../laboratory/machine/print.ts";
import { isUdpBound } from "../../../laboratory/machine/procfs.ts";
import { Program, runProgram } from "../../../laboratory/program.ts";
import { delay, until } from "../../../laboratory/machine/wait.ts";

/** Not that of another run of these tests beside this one. */
const PORT = 20_000 + Deno.pid % 10_000;
const DATA = 0x64617461;
const SIZE = 32;

function datagram(
  sequence: number,
  options: { flow?: number; size?: number; kind?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(options.size ?? SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, options.kind ?? DATA, true);
  view.setUint32(4, options.flow ?? 0, true);
  view.setBigUint64(8, BigInt(sequence), true);
  return bytes;
}

async function start(role: string, ...words: string[]): Promise<Program> {
  const program = new Program([PROGRAM, role, `port=${PORT}`, `size=${SIZE}`, ...words]);
  await until(() => isUdpBound(program.pid, PORT), { what: `${program} to be bound`, timeoutMs: 20_000 });
  return program;
}

async function finish(program: Program): Promise<string> {
  await program.closeInput();
  assert.equal(await program.waitForExit({ timeoutMs: 20_000 }), 0, program.output);
  return program.stdout;
}

async function hasCompiler(): Promise<boolean> {
  const works = await runProgram(["gcc", "--version"]).then(() => true, () => false);
  if (!works) print("skipped: tests of the UDP load generator: they need gcc");
  return works;
}

const ignore = !await hasCompiler();
if (!ignore) await compileLoad();

Deno.test({
  name: "udp_load counts duplicates, late and malformed datagrams",
  ignore,
  fn: async () => {
    const sink = await start("sink", "flows=2");
    const socket = createSocket("udp4");
    const send = (bytes: Uint8Array) =>
      new Promise((resolve) => socket.send(Buffer.from(bytes), PORT, "127.0.0.1", resolve));
    for (const sequence of [0, 1, 4, 2, 4, 2, 70_000, 3]) await send(datagram(sequence));
    for (const sequence of [0, 1]) await send(datagram(sequence, { flow: 1 }));
    await send(datagram(5, { flow: 2 }));
    await send(datagram(5, { size: SIZE + 1 }));
    // Apart from the first: datagrams that a busy machine receives in one go took no time.
    await delay(20);
    await send(datagram(5, { kind: 1 }));
    await send(datagram(70_001));
    await new Promise<void>((resolve) => socket.close(resolve));
    await delay(100);
    const { seconds, ...counts } = parseReport("receive", await finish(sink));
    // 2 came late and twice; 3 came late, so late that nobody knows whether it came before.
    assert.deepEqual(counts, { received: 11, duplicates: 2, reordered: 2, malformed: 3, dropped: 0 });
    assert.ok(seconds > 0);
  },
});

Deno.test({
  name: "udp_load keeps to the rate, from several sockets",
  ignore,
  fn: async () => {
    const sink = await start("sink", "flows=3");
    const words = ["address=127.0.0.1", `port=${PORT}`, `size=${SIZE}`];
    const { stdout } = await runProgram([PROGRAM, "send", ...words, "flows=3", "rate=5000", "seconds=0.5"]);
    const { sent, seconds } = parseReport("send", stdout);
    const report = parseReport("receive", await finish(sink));
    assert.ok(seconds >= 0.5);
    assert.ok(sent > 2_000 && sent <= 5000 * seconds, `${sent} in ${seconds} s`);
    assert.equal(report.received, sent);
    assert.equal(report.duplicates + report.reordered + report.malformed, 0);
  },
});

Deno.test({
  name: "udp_load sends from the server to each client that said hello",
  ignore,
  fn: async () => {
    const source = await start("source", "flows=3", "seconds=0.2", "rate=3000");
    const words = ["address=127.0.0.1", `port=${PORT}`, `size=${SIZE}`];
    const pull = new Program([PROGRAM, "pull", ...words, "flows=3"]);
    assert.equal(await source.waitForExit({ timeoutMs: 20_000 }), 0, source.output);
    await source.closeInput();
    await delay(100);
    const report = parseReport("receive", await finish(pull));
    assert.equal(report.received, parseReport("send", source.stdout).sent);
    assert.equal(report.duplicates + report.reordered + report.malformed, 0);
  },
});

Deno.test({
  name: "udp_load measures exchanges and holds sessions",
  ignore,
  fn: async () => {
    const echo = await start("echo");
    const words = ["address=127.0.0.1", `port=${PORT}`, `size=${SIZE}`];
    const ping = parseReport(
      "ping",
      (await runProgram([PROGRAM, "ping", ...words, "flows=4", "seconds=0.2"])).stdout,
    );
    assert.ok(ping.exchanges > 0 && ping.lost === 0);
    assert.ok(ping.median > 0 && ping.median <= ping.p99);
    const hold = new Program([PROGRAM, "hold", ...words, "flows=50"]);
    await hold.waitForOutput(/\}\n/);
    const held = parseReport("hold", hold.stdout);
    assert.equal(held.sessions, 50);
    assert.ok(held.median > 0 && held.median <= held.p99);
    assert.ok(hold.running);
    await finish(hold);
    await finish(echo);
    const alone = new Program([PROGRAM, "hold", ...words, "flows=2"]);
    await alone.waitForOutput(/\}\n/);
    assert.equal(parseReport("hold", alone.stdout).sessions, 0);
    await finish(alone);
  },
});

Deno.test({
  name: "udp_load begins as many sessions at once as it is told, from the ports that it is told",
  ignore,
  fn: async () => {
    const socket = createSocket("udp4");
    const ports = new Set<number>();
    let waiting: (() => void)[] = [];
    let most = 0;
    socket.on("message", (bytes, { port }) => {
      ports.add(port);
      waiting.push(() => socket.send(bytes, port));
      most = Math.max(most, waiting.length);
    });
    await new Promise<void>((resolve) => socket.bind(PORT, "127.0.0.1", resolve));
    const answering = setInterval(() => {
      for (const answer of waiting) answer();
      waiting = [];
    }, 5);
    const first = 35_000 + Deno.pid % 10_000;
    const words = ["address=127.0.0.1", `port=${PORT}`, `size=${SIZE}`, "flows=6", "burst=2"];
    // On a busy machine answers are late, and then another session begins.
    for (let attempt = 0; attempt < 10 && most !== 2; attempt++) {
      ports.clear();
      most = 0;
      const hold = new Program([PROGRAM, "hold", ...words, `first=${first + 6 * attempt}`]);
      await hold.waitForOutput(/\}\n/);
      assert.equal(parseReport("hold", hold.stdout).sessions, 6);
      await finish(hold);
      assert.deepEqual([...ports].sort(), Array.from({ length: 6 }, (_, i) => first + 6 * attempt + i));
    }
    assert.equal(most, 2);
    clearInterval(answering);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  },
});
