/** Live connections follow to the successor: each goes on where it was, and the one before ends. */
import assert from "node:assert/strict";
import { askControl } from "../../../src/daemon/control/client.ts";
import type { ConnectionRow } from "../../../src/daemon/control/connections/row.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, Proxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  beginSuccessor,
  dieAmidConnections,
  succeed,
  takeWithoutConnections,
} from "../../laboratory/upgrade/successor.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";
import { startTransfers } from "../../laboratory/upgrade/transfers.ts";

const PROGRAMS = ["cc"];
const TRANSFERS = 10_000;
const UPGRADES = 5;

for (const admission of ["forward-path", "early"]) {
  labTest(
    `${TRANSFERS} transfers come through ${UPGRADES} upgrades whole, admission: ${admission}`,
    { programs: PROGRAMS },
    async (lab) => {
      let proxy = await startUdpProxy(lab, { intercept: { admission }, timeouts: { drain: "0s" } });
      const transfers = await startTransfers(lab, { count: TRANSFERS, atOnce: 1000, seconds: 5 });
      const moved = [];
      for (let round = 0; round < UPGRADES; round++) {
        await delay(2000);
        const next = await succeed(lab, proxy);
        const before = performance.now();
        assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
        moved.push({
          connections: Number(/connections are handed over connections=(\d+)/.exec(proxy.log)?.[1]),
          ms: Math.round(performance.now() - before),
        });
        proxy = next;
      }
      assert.ok(transfers.program.running, "the transfers were over too soon");
      const counts = await transfers.end(180_000);
      print(JSON.stringify({ moved, ...counts }));
      // On a busy machine few are alive at one of the upgrades; over all of them it must have been a crowd.
      const all = moved.reduce((sum, { connections }) => sum + connections, 0);
      assert.ok(all >= 50 * UPGRADES, `${all} show little`);
      for (const { done, failed } of [counts.client, counts.server]) {
        assert.deepEqual({ done, failed }, { done: TRANSFERS, failed: 0 });
      }
    },
  );
}

labTest(
  "a successor that is killed before it runs costs no connection",
  { programs: PROGRAMS },
  async (lab) => {
    const proxy = await startUdpProxy(lab, { intercept: { admission: "early" } });
    const transfers = await startTransfers(lab, { count: 1500, atOnce: 600, seconds: 5 });
    for (const ms of [300, 500, 600, 700, 800, 900, 1000, 1200, 1500]) {
      const successor = await beginSuccessor(lab, proxy.configPath);
      const end = performance.now() + ms;
      while (performance.now() < end && !/taken over/.test(successor.output)) await delay(5);
      if (/taken over/.test(successor.output)) break; // it runs
      successor.signal("SIGKILL");
      await successor.waitForExit();
      assert.ok(proxy.program.running, proxy.log);
    }
    const { client, server } = await transfers.end(60_000);
    assert.deepEqual([client.done, client.failed, server.failed], [1500, 0, 0]);
  },
);

for (const says of [false, true]) {
  const [when, fate] = says
    ? ["has said that it has connections takes them along", "has ended"]
    : ["does not say that it has them leaves connections where they were", "goes on"];
  labTest(`a successor that is killed and ${when}`, { programs: ["socat"] }, async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startUdpProxy(lab);
    const client = await connectClient(lab, 7000);
    await client.write("hello\n");
    await client.waitForOutput("hello\n");
    await dieAmidConnections(lab, proxy.configPath, says);
    if (says) await client.waitForOutput("is at EOF");
    else {
      await proxy.program.waitForOutput("connections end here: the one that takes over takes no more");
      await client.write("again\n");
      await client.waitForOutput("again\n");
    }
    await client.closeInput();
    assert.equal(await client.waitForExit({ timeoutMs: 5000 }), 0, `it ${fate}: ${client.output}`);
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 10_000 }), 0, proxy.log);
  });
}

labTest(
  "to a version that takes no connections none follow: they end where they are",
  { programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startUdpProxy(lab);
    const client = await connectClient(lab, 7000);
    await client.write("hello\n");
    await client.waitForOutput("hello\n");
    await takeWithoutConnections(lab, proxy.configPath, async () => {
      await delay(1000);
      await client.write("again\n");
      await client.waitForOutput("again\n");
      await client.closeInput();
      assert.equal(await client.waitForExit(), 0);
    });
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 10_000 }), 0, proxy.log);
    assert.match(proxy.log, /handed over: connections end here/);
  },
);

const { client: from, server } = ADDRESSES[4];
const RULES = [
  { name: "office", ports: [7001], action: "proxy", upstream: "office" },
  { name: "echo", ports: [7000], action: "direct" },
];

/** The config of a proxy, with these rules and flows in the log. */
function configOf(lab: Lab, rules: readonly object[], perClient: number): string {
  return writeConfig(lab, {
    intercept: { protocols: ["tcp", "udp"] },
    rules,
    upstreams: { office: { type: "socks5", address: `${server}:1080` } },
    limits: { "per-client": perClient },
    log: { access: "on", format: "json" },
  });
}

async function listed(lab: Lab, configPath: string): Promise<ConnectionRow[]> {
  const { stdout } = await tproxy(lab, ["connections", "--json", "-c", configPath, "--sort", "client"]);
  return (JSON.parse(stdout) as { connections: ConnectionRow[] }).connections;
}

labTest(
  "all that is known of connections follows: who, by which rule and upstream, since when, how much",
  { programs: ["socat", "microsocks"] },
  async (lab) => {
    for (const port of [7000, 7001]) await serve(lab, port, "cat");
    await startMicrosocks(lab, { port: 1080, asks: false });
    const configPath = configOf(lab, RULES, 0);
    await tproxy(lab, ["install", "-c", configPath]);
    const program = await lab.router.start([...tproxyCommand(), "run", "-c", configPath]);
    const first = new Proxy(program, { configPath });
    await program.waitForOutput("privileges: ");
    const clients = [
      await connectClient(lab, 7000),
      await connectClient(lab, 7001),
      await connectClient(lab, 7000, { family: 6 }),
    ];
    for (const one of clients) {
      await one.write("hello\n");
      await one.waitForOutput("hello\n");
    }
    await clients[2].closeInput(); // half-closed: its server has nothing to say before its end, and cat ends
    await clients[2].waitForExit();
    const before = await listed(lab, configPath);
    assert.equal(before.length, 2, JSON.stringify(before));
    configOf(lab, [...RULES].reverse(), 2);
    const second = await beginSuccessor(lab, configPath);
    await second.waitForOutput("privileges: ", { timeoutMs: 30_000 }); // it can be asked
    assert.equal(await program.waitForExit({ timeoutMs: 10_000 }), 0, first.log);
    const after = await listed(lab, configPath);
    const known = (rows: readonly ConnectionRow[]) => rows.map(({ id: _, started: _started, ...row }) => row);
    assert.deepEqual(known(after), known(before));
    for (const [i, { started }] of after.entries()) {
      const apart = Date.parse(started) - Date.parse(before[i].started); // told by the clock of now
      assert.ok(Math.abs(apart) <= 20, `${apart} ms`);
    }
    assert.deepEqual(after.map(({ rule }) => rule).sort(), ["echo", "office"]);
    const status = async () => {
      const reply = await askControl(controlPath(lab), { method: "GET", target: "/v1/status" });
      const { connections, upstreams } = JSON.parse(reply!.text);
      return [connections, upstreams[0].connections];
    };
    assert.deepEqual(await status(), [2, 1]);
    // They count for the limit of their client.
    const third = await connectClient(lab, 7000);
    assert.notEqual(await third.waitForExit({ timeoutMs: 10_000 }), 0, third.output);
    const office = after.find(({ rule }) => rule === "office")!;
    await tproxy(lab, ["connections", "close", "-c", configPath, office.id, "--yes"]);
    await until(() => clients[1].stderr.includes("Connection reset by peer"), { what: "the reset" });
    await until(async () => (await status())[1] === 0, { what: "its row to go" });
    await clients[0].write("still\n");
    await clients[0].waitForOutput("still\n");
    await clients[0].closeInput();
    await clients[0].waitForExit();
    await until(async () => (await status())[0] === 0, { what: "the end of the last" });
    await delay(500); // its line
    const flows = (log: string) =>
      log.split("\n").filter((line) => line.includes('"msg":"flow"')).map((line) => JSON.parse(line));
    assert.deepEqual(flows(first.log).map((flow) => flow["client.address"]), [ADDRESSES[6].client]);
    const told = flows(second.output).filter((flow) => flow["tproxy.end"] !== "over-limit");
    assert.deepEqual(
      told.map((flow) => [flow["client.address"], flow["tproxy.rule"], flow["tproxy.end"], flow.bytes_up]),
      [[from, "office", "reset", 6], [from, "echo", "closed", 12]],
    );
    for (const flow of told) assert.ok(Number(flow.duration_s) >= 1, "since it began in the one before");
  },
);
