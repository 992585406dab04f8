/** The client's view of another end that refuses, resets, is silent or unreachable: never a clean end. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  connectClient,
  listSockets,
  serve,
  socatServer,
  waitForSockets,
} from "../../laboratory/network/sockets.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { delay } from "../../laboratory/machine/wait.ts";

/** Flows are taken before the router's own rules: a client is connected before its server is. */
const EARLY = { intercept: { interfaces: ["r0"], admission: "early" } };

const PROGRAMS = ["curl", "socat", "ss"];
/**
 * A client that only listens meets a reset (one that has sent something would see one after a clean end,
 * too).
 */
async function assertReset(lab: Lab, family: 4 | 6): Promise<void> {
  const argv = ["socat", "-dd", "-u", socatServer(family, 7000), "-"];
  const { stderr } = await lab.client.run(argv, { mayFail: true, timeoutMs: 8_000 });
  assert.match(stderr, /reset by peer/i);
}

const TO_SERVER = "state all dport = 7000";

labTest("run refuses the client when the server refuses", { programs: PROGRAMS }, async (lab) => {
  await startProxy(lab);
  for (const family of [4, 6] as const) {
    assert.equal((await attempt(lab, { family, port: 7000 })).told, "Connection refused");
  }
});

labTest(
  "run resets the client when the server refuses, admission: early",
  { programs: PROGRAMS },
  async (lab) => {
    await startProxy(lab, { config: EARLY });
    for (const family of [4, 6] as const) await assertReset(lab, family);
  },
);

labTest("run resets the client when the server resets", { programs: PROGRAMS }, async (lab) => {
  // It never reads, so the kernel resets the connection when it is killed with the client's text unread.
  const server = await lab.server.start(
    ["socat", "-u", "SYSTEM:echo part; sleep 100", "TCP-LISTEN:7000,reuseaddr"],
    { listens: 7000 },
  );
  await startProxy(lab);
  const client = await connectClient(lab, 7000);
  await client.waitForOutput("part\n");
  await client.write("never read");
  await delay(200);
  server.signal("SIGKILL");
  await client.waitForOutput(/reset by peer/i);
});

labTest("run resets the server when the client resets", { programs: PROGRAMS }, async (lab) => {
  const server = await serve(lab, 7000, "echo never read; cat");
  await startProxy(lab);
  const client = await lab.client.start([
    "socat",
    "-u",
    "SYSTEM:echo hello; sleep 100",
    "TCP4:203.0.113.2:7000",
  ]);
  await server.waitForOutput("accepting connection");
  await delay(300);
  client.signal("SIGKILL");
  await server.waitForOutput(/reset by peer/i);
});

labTest(
  "run gives up a silent server after the connect timeout, admission: early",
  { programs: PROGRAMS },
  async (lab) => {
    await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; policy accept; tcp dport 7000 drop; }
  }`);
    // First packets that ask learn nothing from a silent server: see asking_pending_test.ts.
    await startProxy(lab, { config: { ...EARLY, timeouts: { connect: "1s" } } });
    for (const family of [4, 6] as const) {
      const start = performance.now();
      await assertReset(lab, family);
      const seconds = (performance.now() - start) / 1000;
      assert.ok(seconds > 0.9 && seconds < 3, `after ${seconds} s`);
    }
  },
);

labTest("run resets the client when there is no way to the server", { programs: PROGRAMS }, async (lab) => {
  await lab.router.ip("route add unreachable 198.51.100.0/24");
  await startProxy(lab);
  const argv = ["curl", "-sSm5", "http://198.51.100.1/"];
  const { code } = await lab.client.run(argv, { mayFail: true });
  // 56: reset; 7: the router itself said so before there was a connection, which is as good. 28 would be a
  // timeout.
  assert.ok(code === 56 || code === 7, `curl ended with ${code}`);
});

labTest(
  "run ends an idle connection after tcp-idle, and no busy one",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await startProxy(lab, { config: { timeouts: { "tcp-idle": "1s" } } });
    const busy = await connectClient(lab, 7000);
    const idle = await connectClient(lab, 7000);
    for (let i = 0; i < 10; i++) {
      await busy.write(`line ${i}\n`);
      await delay(300);
    }
    assert.equal(idle.running && !idle.output.includes("EOF"), false, "the idle connection lives after 3 s");
    await busy.waitForOutput("line 9\n");
    assert.doesNotMatch(busy.stderr, /EOF|reset/i);
  },
);

labTest("run ends a half-closed connection after half-closed", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat >/dev/null; sleep 100");
  await startProxy(lab, { config: { timeouts: { "half-closed": "1s" } } });
  const client = await connectClient(lab, 7000);
  await waitForSockets(lab.router, { filter: TO_SERVER, count: 1 });
  await delay(1_500);
  assert.equal((await listSockets(lab.router, TO_SERVER)).length, 1, "an open connection must live on");
  await client.closeInput();
  await waitForSockets(lab.router, {
    filter: "state connected exclude time-wait dport = 7000",
    count: 0,
    timeoutMs: 4_000,
  });
});

labTest("run keeps connections alive with TCP keepalive, both sides", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  await startProxy(lab);
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  await delay(2_500); // the upstream leg has it only when the connection has lived two seconds
  for (const filter of ["state established dport = 7000", "state established sport = 7000"]) {
    const lines = await listSockets(lab.router, filter, ["-o"]);
    assert.equal(lines.length, 1);
    // Rarely, so that a phone may sleep.
    assert.match(lines[0], /timer:\(keepalive,1(19|20)min/);
  }
});
