/** A successor that comes to nothing, or is refused: the proxy that runs goes on as if nothing had been. */
import assert from "node:assert/strict";
import { print } from "../../laboratory/machine/print.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { writeConfig } from "../../laboratory/proxy/proxy.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import { labTest } from "../../laboratory/register.ts";
import { Crowd } from "../../laboratory/upgrade/crowd.ts";
import {
  askToHandOver,
  beginSuccessor,
  failAfter,
  STEPS,
  succeed,
} from "../../laboratory/upgrade/successor.ts";

const PROGRAMS = ["cc", "socat"];

labTest("a successor that ends at any step changes nothing", { programs: PROGRAMS }, async (lab) => {
  const crowd = await Crowd.open(lab);
  const proxy = await startUdpProxy(lab);
  const udp = await crowd.udp(50, 100);
  const tcp = await crowd.tcp(10);
  for (const [i, step] of STEPS.entries()) {
    await failAfter(lab, proxy.configPath, step);
    await until(() => proxy.log.split("nothing was handed over").length === i + 2, {
      what: `the end of a handover after ${step}`,
      timeoutMs: 10_000,
    });
    await delay(200);
  }
  const counts = { udp: await udp.end(), tcp: await tcp.end() };
  print(JSON.stringify(counts));
  assert.deepEqual({ ...counts.udp, sent: 0, answered: 0 }, {
    sent: 0,
    answered: 0,
    lost: 0,
    moved: 0,
    doubled: 0,
    told: 0,
  });
  assert.equal(counts.tcp.failed, 0);
  await succeed(lab, proxy);
  assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
});

labTest("a successor that is killed at any moment changes nothing", { programs: PROGRAMS }, async (lab) => {
  const crowd = await Crowd.open(lab);
  const proxy = await startUdpProxy(lab);
  const udp = await crowd.udp(50, 100);
  const tcp = await crowd.tcp(10);
  for (const ms of [150, 400, 600, 700, 800, 900, 1000, 1200]) {
    const successor = await beginSuccessor(lab, proxy.configPath);
    await delay(ms);
    if (/taken over/.test(successor.output)) break; // it runs: the end of that is another story
    successor.signal("SIGKILL");
    await successor.waitForExit();
    await delay(300);
    assert.ok(proxy.program.running, proxy.log);
  }
  const counts = { udp: await udp.end(), tcp: await tcp.end() };
  assert.equal(counts.udp.moved, 0);
  assert.ok(counts.udp.lost <= 1, JSON.stringify(counts));
  assert.equal(counts.tcp.failed, 0);
});

labTest("what cannot be handed over is refused with its reason", {}, async (lab) => {
  const proxy = await startUdpProxy(lab);
  const other = await askToHandOver(lab, proxy.configPath, { protocol: 99 });
  assert.equal(other.status, 409);
  assert.match(other.text, /version 99 of the handover.* version 1/);
  const changed = await askToHandOver(lab, proxy.configPath, { fixed: { "listener.port": "1" } });
  assert.match(changed.text, /listener\.port, .* have changed/);
  assert.equal((await askToHandOver(lab, proxy.configPath, { pid: "no" })).status, 422);

  for (
    const [config, code, reason] of [
      [{ listener: { port: 50081 } }, 1, /listener\.port has changed since it was started: restart/],
      [{ listener: { port: "x" } }, 2, /listener\.port/],
    ] as const
  ) {
    const configPath = writeConfig(lab, { ...config, intercept: { protocols: ["tcp", "udp"] } });
    const successor = await beginSuccessor(lab, configPath);
    assert.equal(await successor.waitForExit({ timeoutMs: 20_000 }), code, successor.output);
    assert.match(successor.output, reason);
  }
  assert.ok(proxy.program.running);
});

labTest("while one lets its connections end there is no third", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  await lab.server.nft(
    "table inet silent { chain in { type filter hook input priority 0; tcp dport 7200 drop; }; }",
  );
  const first = await startUdpProxy(lab, {
    intercept: { admission: "early" }, // so that a connection is accepted which nobody has answered yet
    timeouts: { drain: "60s", connect: "60s" },
  });
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  const dial = await connectClient(lab, 7200);
  await dial.waitForOutput("starting data transfer");
  const second = await succeed(lab, first);
  await first.program.waitForOutput("handed over");
  const third = await beginSuccessor(lab, first.configPath);
  assert.equal(await third.waitForExit({ timeoutMs: 20_000 }), 1, third.output);
  assert.match(third.output, /the proxy before it still lets its last connections end/);
  await client.write("again\n");
  await client.waitForOutput("again\n");
  assert.ok(first.program.running);
  await lab.server.nft("delete table inet silent"); // the dial comes about, and follows
  await serve(lab, 7200, "cat");
  await dial.write("hello\n");
  await dial.waitForOutput("hello\n", { timeoutMs: 20_000 });
  assert.equal(await first.program.waitForExit({ timeoutMs: 10_000 }), 0, first.log);
  await succeed(lab, second);
  assert.equal(await second.program.waitForExit({ timeoutMs: 10_000 }), 0, second.log);
  for (const one of [client, dial]) {
    await one.write("still\n");
    await one.waitForOutput("still\n");
  }
});

labTest(
  "when the one that has taken over is killed another starts, while the one before lets its connections end",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const config = { timeouts: { drain: "60s" } };
    const first = await startUdpProxy(lab, config);
    const exchange = async (client: Program, text: string) => {
      await client.write(text);
      await client.waitForOutput(text);
    };
    const client = await connectClient(lab, 7000);
    await exchange(client, "hello\n");
    const second = await succeed(lab, first);
    await first.program.waitForOutput("handed over");
    second.program.signal("SIGKILL");
    await second.program.waitForExit();
    await startUdpProxy(lab, config, { install: false });
    for (let i = 0; i < 8; i++) await exchange(await connectClient(lab, 7000), "through the third\n");
    await exchange(client, "again\n");
    await client.closeInput();
    assert.equal(await first.program.waitForExit({ timeoutMs: 10_000 }), 0, first.log);
  },
);

labTest(
  "when the one before is killed amid it, the successor ends, or has all",
  { programs: PROGRAMS },
  async (lab) => {
    const crowd = await Crowd.open(lab);
    const proxy = await startUdpProxy(lab);
    const udp = await crowd.udp(20, 50);
    const successor = await beginSuccessor(lab, proxy.configPath);
    await delay(700);
    proxy.program.signal("SIGKILL");
    const isOver = () => !successor.running || /taken over/.test(successor.output);
    await until(isOver, { what: "an end, or all", timeoutMs: 20_000 });
    if (!successor.running) {
      assert.notEqual(await successor.waitForExit(), 0);
      assert.match(successor.output, /tproxy: Cannot (hand over|take over|ask|connect)/);
    }
    await udp.end();
  },
);
