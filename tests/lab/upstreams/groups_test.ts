/** Groups of real proxies, and checks, with the whole program: what becomes of flows when proxies die. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { type Attempt, attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { countSyns } from "../../laboratory/upstreams/syns.ts";
import { firstPacketsAsk, type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { PASSWORD, startMicrosocks, startTinyproxy, USER } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "python3", "microsocks", "tinyproxy"];
const SERVER = ADDRESSES[4].server;
const RARELY = { interval: "1h" };
const CHECKS = { interval: "500ms", timeout: "400ms", rise: 2, fall: 3 };

interface GroupText {
  readonly strategy?: string;
  readonly "when-down"?: string;
}

/** A group of the proxies at these ports: by default microsocks. */
function startGroup(
  lab: Lab,
  ports: readonly number[],
  group: GroupText = {},
  upstream: Record<string, unknown> = {},
  checks: Record<string, unknown> = CHECKS,
): Promise<Proxy> {
  const name = (port: number) => `u${port}`;
  const office = { type: "socks5", ...upstream };
  const upstreams = Object.fromEntries(
    ports.map((port) => [name(port), { ...office, address: `${SERVER}:${port}` }]),
  );
  return startProxy(lab, {
    config: {
      rules: [{ name: "through", action: "proxy", upstream: "corp" }],
      upstreams,
      groups: { corp: { members: ports.map(name), ...group } },
      checks,
    },
  });
}

function assertServed({ told, heard }: Attempt): void {
  assert.deepEqual([told, heard], ["connected", "here\n"]);
}

function assertRefused({ told, heard, ms }: Attempt, within = 300): void {
  if (firstPacketsAsk()) assert.deepEqual([told, heard], ["Connection refused", ""]);
  else assert.match(`${told} ${heard}`, /Connection reset by peer/); // it may come before the client looks
  assert.ok(ms < within, `after ${ms} ms`);
}

/** Counts the SYNs that come to ports of the server. */
function countSynsTo(lab: Lab, ports: readonly number[]): Promise<() => Promise<number[]>> {
  return countSyns(lab, ports.map((port) => `tcp dport ${port}`));
}

/** The checks of one upstream that there may have been since then: one every 500 ms, less a fifth. */
function mostChecks(begun: number): number {
  return (performance.now() - begun) / 400 + 2;
}

/** The lines of `status` about upstreams and groups. */
async function statusOf(lab: Lab, proxy: Proxy): Promise<string> {
  const { stdout } = await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true });
  return stdout.split("\n").filter((line) => /upstream |group /.test(line)).join("\n");
}

/** The words of `explain` about the client's flow to the server. */
async function explained(lab: Lab, proxy: Proxy): Promise<string> {
  const flow = ["--from", ADDRESSES[4].client, "--to", `${SERVER}:7000`, "--in", "r0"];
  return (await tproxy(lab, ["explain", ...flow, "-c", proxy.configPath], { mayFail: true })).stdout;
}

labTest("failover: the next one carries flows when the first is killed, new ones go back when it is up", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "echo here");
  const first = await startMicrosocks(lab, { port: 1080, asks: false });
  const second = await startMicrosocks(lab, { port: 1081, asks: false });
  const carried = () => second.output.match(/connected to/g)?.length ?? 0;
  const syns = await countSynsTo(lab, [1080, 1081]);
  const proxy = await startGroup(lab, [1080, 1081]);
  assertServed(await attempt(lab, { port: 7000 }));
  assert.deepEqual((await syns())[1], 0);
  await first.stop();
  // At once, before any check has seen it.
  for (let i = 0; i < 5; i++) assertServed(await attempt(lab, { port: 7000 }));
  await until(() => /an upstream is down.*upstream=u1080/.test(proxy.log), { what: "the log of its end" });
  const [before] = await syns();
  const begun = performance.now();
  for (let i = 0; i < 12; i++) assertServed(await attempt(lab, { port: 7000 }));
  const checks = mostChecks(begun);
  assert.ok((await syns())[0] - before <= checks, "a dead one is not dialled by flows");
  await until(async () => /group corp \(failover\): u1081/.test(await statusOf(lab, proxy)), {
    what: "the status",
    timeoutMs: 8000,
  });
  assert.match(await statusOf(lab, proxy), /upstream u1080 \(203.0.113.2:1080\): down for .*ECONNREFUSED/);
  const told = await explained(lab, proxy);
  // The guard refuses what the client's packet would meet behind the proxy's question.
  assert.match(told, /^end: the proxy relays it through an upstream/m);
  assert.match(told, /upstream: u1080 \(down: .*ECONNREFUSED\S*\), then u1081 \(up\); when down: block\n/);
  assert.match(told, /takes: u1081, of group corp \(failover\): no other is up\n/);
  await startMicrosocks(lab, { port: 1080, asks: false });
  await until(() => /an upstream is up.*upstream=u1080/.test(proxy.log), {
    what: "its return",
    timeoutMs: 8000,
  });
  const others = carried();
  assert.ok(others >= 17);
  assertServed(await attempt(lab, { port: 7000 }));
  assert.equal(carried(), others, "new flows go back");
});

labTest("All down: flows are refused at once, nothing reaches their server, and checks are few", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "echo here");
  const syns = await countSynsTo(lab, [7000, 1080, 1081]);
  const proxy = await startGroup(lab, [1080, 1081]);
  await lab.openGuard(); // whatever goes direct would arrive
  for (let i = 0; i < 4; i++) assertRefused(await attempt(lab, { port: 7000 }));
  await until(() => (proxy.log.match(/an upstream is down/g) ?? []).length === 2, { what: "both down" });
  const before = await syns();
  const begun = performance.now();
  for (let i = 0; i < 20; i++) assertRefused(await attempt(lab, { port: 7000 }));
  const after = await syns();
  assert.equal(after[0], 0, "a flow went direct");
  const most = mostChecks(begun);
  for (const i of [1, 2]) assert.ok(after[i] - before[i] <= most, `${after[i] - before[i]} SYNs of checks`);
  assert.equal((proxy.log.match(/no upstream is up: flows are refused/g) ?? []).length, 1, "said once");
  await until(
    async () => /group corp \(failover\): none is up: flows are refused/.test(await statusOf(lab, proxy)),
    {
      what: "the status",
      timeoutMs: 8000,
    },
  );
});

labTest("when-down: direct lets flows go as they would have gone, and only then", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "echo here");
  const proxy = await startGroup(lab, [1080], { "when-down": "direct" });
  assertRefused(await attempt(lab, { port: 7000 })); // not known yet
  await until(async () => (await attempt(lab, { port: 7000 })).heard === "here\n", { what: "a direct flow" });
  assert.match(proxy.log, /no upstream is up: flows go direct.*upstream=u1080/);
  const syns = await countSynsTo(lab, [1080]);
  await startMicrosocks(lab, { port: 1080, asks: false });
  await until(() => /an upstream is up/.test(proxy.log), { what: "its return", timeoutMs: 8000 });
  const [before] = await syns();
  assertServed(await attempt(lab, { port: 7000 }));
  assert.ok((await syns())[0] > before);
});

labTest(
  "An upstream that comes and goes is held down for longer each time",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "echo here");
    const proxy = await startGroup(lab, [1080]);
    const changes = () => Array.from(proxy.log.matchAll(/an upstream is (up|down)/g), ([, state]) => state);
    const syns = await countSynsTo(lab, [1080]);
    let program = await startMicrosocks(lab, { port: 1080, asks: false });
    assertServed(await attempt(lab, { port: 7000 }));
    await program.stop();
    await until(() => changes().length === 1, { what: "down", timeoutMs: 8000 });
    program = await startMicrosocks(lab, { port: 1080, asks: false });
    await until(() => changes().length === 2, { what: "up", timeoutMs: 8000 });
    await program.stop();
    await until(() => changes().length === 3, { what: "down again", timeoutMs: 8000 });
    program = await startMicrosocks(lab, { port: 1080, asks: false });
    const [before] = await syns();
    await delay(5000);
    assert.deepEqual(changes(), ["down", "up", "down"]);
    assert.equal((await syns())[0], before, "no check while it is held down, for 8 s at least");
  },
);

labTest("least-connections spreads flows evenly, over all workers", { programs: PROGRAMS }, async (lab) => {
  await lab.server.start(["socat", "TCP4-LISTEN:7000,fork,reuseaddr,backlog=200", "EXEC:cat"], {
    listens: 7000,
  });
  const ports = [1080, 1081, 1082];
  for (const port of ports) await startMicrosocks(lab, { port, asks: false });
  const syns = await countSynsTo(lab, ports);
  const proxy = await startGroup(lab, ports, { strategy: "least-connections" }, {}, RARELY);
  await lab.client.start([
    "python3",
    "-c",
    `import socket, time
held = [socket.create_connection(("${SERVER}", 7000)) for _ in range(60)]
print("held", flush=True)
time.sleep(60)`,
  ]).then((program) => program.waitForOutput("held", { timeoutMs: 30_000 }));
  for (const count of await syns()) assert.ok(count >= 19 && count <= 23, `${await syns()}`);
  await until(async () => (await statusOf(lab, proxy)).match(/ (19|20|21) connections/g)?.length === 3, {
    what: `${await statusOf(lab, proxy)}`,
    timeoutMs: 8000,
  });
});

labTest(
  "hash keeps a client with its member, whatever port it comes from",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "echo here");
    const ports = [1080, 1081, 1082];
    for (const port of ports) await startMicrosocks(lab, { port, asks: false });
    const syns = await countSynsTo(lab, ports);
    const proxy = await startGroup(lab, ports, { strategy: "hash" }, {}, RARELY);
    for (let i = 0; i < 8; i++) assertServed(await attempt(lab, { port: 7000 }));
    const counts = await syns();
    const taken = ports[counts.indexOf(Math.max(...counts))];
    const told = await explained(lab, proxy);
    assert.ok(told.includes(`takes: u${taken}, of group corp (hash): the one that is up and has`), told);
    const [none, nor, all] = counts.toSorted((a, b) => a - b);
    assert.deepEqual([none, nor], [0, 0]);
    assert.ok(all >= 8);
  },
);

for (
  const { type, start } of [
    { type: "socks5", start: startMicrosocks },
    { type: "http-connect", start: startTinyproxy },
  ]
) {
  labTest(`A wrong password with ${type} is told once, with its place; no file or log has it`, {
    programs: PROGRAMS,
  }, async (lab) => {
    await serve(lab, 7000, "echo here");
    await start(lab, { port: 1080, asks: true });
    const syns = await countSynsTo(lab, [7000]);
    const secret = lab.writeFile("office.secret", "open-barley\n");
    Deno.chmodSync(secret, 0o600);
    // A check that takes too long, on a machine that is busy, would find it down: refused, it is told again.
    const checks = { ...CHECKS, interval: "3s", timeout: "2s" };
    const upstream = { type, username: USER, "password-file": secret };
    const proxy = await startGroup(lab, [1080], {}, upstream, checks);
    for (let i = 0; i < 4; i++) assertRefused(await attempt(lab, { port: 7000 }));
    // A worker has said so before, in the proxy's own words.
    await until(() => /refuses us as configured.*config=/.test(proxy.log), { what: "the log" });
    assert.match(proxy.log, /refuses us as configured.*config=.*tproxy.yaml:\d+/);
    assert.equal((await syns())[0], 0, "it went direct");
    assert.equal(proxy.log.match(/config=\S*tproxy.yaml:\d+/g)?.length, 1, "once");
    const status = await tproxy(lab, ["status", "-c", proxy.configPath, "--json"], { mayFail: true });
    const path = proxy.configPath;
    const flow = ["--from", ADDRESSES[4].client, "--to", `${SERVER}:7000`, "--in", "r0"];
    const explain = ["explain", ...flow, "--json", "-c"];
    const others = await Promise.all(
      [["check", "-c", path], ["status", "-vc", path], [...explain, path]].map((args) =>
        tproxy(lab, args, { mayFail: true })
      ),
    );
    const said = [proxy.log, status, ...others].map((text) => JSON.stringify(text)).join();
    assert.ok(!said.includes("open-barley") && !said.includes(btoa(`${USER}:open-barley`)));
    // A reload reads the file again, although the config is the same.
    Deno.writeTextFileSync(secret, `${PASSWORD}\n`);
    Deno.kill(proxy.pid, "SIGHUP");
    await until(() => /reloaded: generation 2/.test(proxy.log), { what: "the reload" });
    await until(async () => (await attempt(lab, { port: 7000 })).heard === "here\n", {
      what: "a flow with the right password",
      timeoutMs: 20_000,
    });
  });
}
