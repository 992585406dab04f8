/** Bounds: memory, connections, descriptors, processor time while nothing can be done. */
import assert from "node:assert/strict";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import type { Program } from "../../laboratory/program.ts";
import { type Proxy, startProxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { countDescriptorKinds } from "../../laboratory/machine/procfs.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  connectClient,
  listSockets,
  serve,
  socatServer,
  waitForSockets,
} from "../../laboratory/network/sockets.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "socat", "ss", "wrk", "prlimit"];
const MIB = 1 << 20;

/** Fails if the proxy uses more than a tenth of a processor during a second. */
async function assertCalm(proxy: Proxy): Promise<void> {
  const before = proxy.processorMs();
  await delay(1_000);
  const used = proxy.processorMs() - before;
  assert.ok(used <= 100, `${used} ms of processor time in 1 s`);
}

labTest("run holds a fast sender back for a slow reader", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  await lab.server.run(["truncate", "-s", "1G", `${lab.directory}/large`]);
  await serve(lab, 7000, "sleep 100");
  const proxy = await startProxy(lab);
  await nginx.get(4);
  const before = proxy.residentBytes();
  for (const family of [4, 6] as const) {
    await lab.client.start([
      "curl",
      "-so/dev/null",
      "--limit-rate",
      "100k",
      nginx.url(family, "/files/large"),
    ]);
    const push = `socat -u OPEN:/dev/zero,readbytes=1073741824 TCP4:203.0.113.2:7000`;
    await lab.client.start(push.split(" "));
  }
  await delay(1_000);
  await assertCalm(proxy);
  const growth = proxy.residentBytes() - before;
  assert.ok(growth < 32 * MIB, `grew by ${(growth / MIB).toFixed(1)} MiB`);
  assert.equal((await listSockets(lab.router, "state established dport = 7000")).length, 2);
});

labTest(
  "run keeps to limits.connections: who has most makes room, and nobody waits",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await lab.client.ip("addr add 10.77.1.3/24 dev c0");
    const proxy = await startProxy(lab, { config: { limits: { connections: 5 }, listener: { workers: 1 } } });
    const dial = async (address: string) => {
      const client = await lab.client.start([
        "socat",
        "-dd",
        "-t30",
        "-",
        `${socatServer(4, 7000)},bind=${address}`,
      ]);
      await client.write("served\n");
      await client.waitForOutput("served\n");
      return client;
    };
    const clients: Program[] = [];
    for (let i = 0; i < 5; i++) {
      clients.push(await dial("10.77.1.2"));
      await delay(200); // silences are measured in tenths of a second
    }
    await clients[0].write("busy\n");
    await clients[0].waitForOutput("busy\n");
    await dial("10.77.1.3");
    // The second was silent for longest.
    await clients[1].waitForOutput(/reset by peer/i);
    await clients[0].write("still\n");
    await clients[0].waitForOutput("still\n");
    assert.equal((await listSockets(lab.router, "state established dport = 7000")).length, 5);
    await assertCalm(proxy);
    await proxy.program.waitForOutput("connections end early to make room");
  },
);

labTest(
  "a handful of connections is shared with several workers too",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await lab.client.ip("addr add 10.77.1.3/24 dev c0");
    const proxy = await startProxy(lab, { config: { limits: { connections: 2 }, listener: { workers: 4 } } });
    const clients: Program[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await connectClient(lab, 7000);
      await client.write("served\n");
      await client.waitForOutput("served\n");
      clients.push(client);
    }
    for (let i = 0; i < 8; i++) {
      const words = ["socat", "-t2", "-", `${socatServer(4, 7000)},bind=10.77.1.3,connect-timeout=3`];
      const { stdout } = await lab.client.run(words, { input: "hello\n", mayFail: true });
      assert.equal(stdout, "hello\n", `connection ${i} of a client that has none`);
    }
    await until(() => clients.some(({ output }) => /reset by peer/i.test(output)), { what: "room" });
    assert.doesNotMatch(proxy.log, /descriptor limit is low/);
    assert.match(proxy.log, /workers=1 workers-by="limits\.connections: 2"/);
  },
);

labTest("run keeps to limits.per-client, and counts what has ended no more", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await lab.client.ip("addr add 10.77.1.3/24 dev c0");
  await startProxy(lab, { config: { limits: { "per-client": 3 } } });
  const clients: Program[] = [];
  for (let i = 0; i < 3; i++) clients.push(await connectClient(lab, 7000));
  for (const client of clients) {
    await client.write("served\n");
    await client.waitForOutput("served\n");
  }
  const one = (address: string) =>
    lab.client.run(["socat", "-t2", "-", `${socatServer(4, 7000)},bind=${address}`], {
      input: "hello\n",
      mayFail: true,
    });
  assert.notEqual((await one("10.77.1.2")).stdout, "hello\n", "a fourth connection was served");
  assert.equal((await one("10.77.1.3")).stdout, "hello\n", "another client was not served");
  await clients[0].stop();
  await until(async () => (await one("10.77.1.2")).stdout === "hello\n", { what: "the place to be free" });
});

labTest("run lives with 256 descriptors", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  const proxy = await startProxy(lab, { wrapper: ["prlimit", "--nofile=256:256"] });
  const wrk = await lab.client.start(["wrk", "-t1", "-c400", "-d4s", nginx.url(4)]);
  await delay(1_500);
  assert.ok(proxy.descriptorCount() <= 256);
  const live = (await listSockets(lab.router, "state established dport = 80")).length;
  assert.ok(live >= 20, `${live} connections served at once`);
  await wrk.waitForExit({ timeoutMs: 10_000 });
  assert.match(wrk.stdout, /\d+ requests in/);
  await waitForSockets(lab.router, { filter: "state established dport = 80", count: 0 });
  await assertCalm(proxy);
  assert.equal(await nginx.get(4), "hello\n");
});

labTest("run says that it may have too few descriptors, instead of failing at the last that it opens", {
  programs: ["prlimit"],
}, async (lab) => {
  for (const few of [32, 64]) {
    const run = ["prlimit", `--nofile=${few}:${few}`, ...tproxyCommand(), "run", "-c", writeConfig(lab)];
    const { code, stderr } = await lab.router.run(run, { mayFail: true });
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      new RegExp(`^tproxy: .*at least \\d+ descriptors, and may have ${few} .*LimitNOFILE=65536`),
    );
  }
});

labTest("run leaks no descriptor over thousands of connections, aborted ones among them", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  await lab.server.run(["truncate", "-s", "10M", `${lab.directory}/large`]);
  const proxy = await startProxy(lab);
  // Some are opened with the first connection.
  let sockets: number | undefined;
  const refused = nginx.url(4).replace(":80/", ":81/");
  for (let round = 0; round < 4; round++) {
    await lab.client.run(["wrk", "-t1", "-c50", "-d1s", "-H", "Connection: close", nginx.url(4)]);
    await lab.client.run(["wrk", "-t1", "-c50", "-d1s", refused], { mayFail: true });
    const bulk = await lab.client.start(["wrk", "-t1", "-c50", "-d9s", nginx.url(4, "/files/large")]);
    await delay(300);
    await bulk.stop("SIGKILL");
    // A client that has gone before it was accepted is waited for.
    await waitForSockets(lab.router, {
      filter: "state established dport = 80",
      count: 0,
      timeoutMs: 10_000,
    });
    sockets ??= countDescriptorKinds(proxy.pid).get("socket");
  }
  // When they were counted, some dials of the first round may have been about to end.
  await until(() => countDescriptorKinds(proxy.pid).get("socket")! <= sockets!, {
    what: "all sockets to be closed",
  });
  // Pipes are kept in a pool: as many as were in use at once, 50, of two descriptors each.
  const pipes = countDescriptorKinds(proxy.pid).get("pipe") ?? 0;
  assert.ok(pipes <= 110, `${pipes} descriptors of pipes`);
});
