/** `log.access`: what clients do is on a line each, and no reader of these lines holds anything up. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import {
  type ConfigText,
  PROXY_PORT,
  startProxy,
  tproxy,
  tproxyCommand,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";

const BOTH = { protocols: ["tcp", "udp"] };
const { client, server } = ADDRESSES[4];

type Line = Readonly<Record<string, string | number>>;

/** The lines of a log in JSON. */
function linesOf(text: string): Line[] {
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Line);
}

/** Those about flows. */
function flowsOf(text: string): Line[] {
  return linesOf(text).filter(({ msg }) => msg === "flow");
}

/** Counts the flows that have no line, by what the other lines say. */
function countLeftOut(lines: readonly Line[]): number {
  const sum = (key: string) => lines.reduce((sum, line) => sum + Number(line[key] ?? 0), 0);
  return sum("tproxy.over_the_rate") + sum("tproxy.not_read_in_time");
}

async function waitForFlows(read: () => string, count: number): Promise<Line[]> {
  await until(() => flowsOf(read()).length >= count, { what: `${count} lines` });
  return flowsOf(read());
}

function logTo(access: string, rest: ConfigText = {}): ConfigText {
  return { ...rest, log: { access, format: "json" } };
}

labTest("log.access has a line for each flow at its end: who, where, by which rule, how much, how it ended", {
  programs: ["curl", "nginx", "socat"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const echo = openServer(lab, 4, 7000);
  await serve(lab, 7001, "sleep 0.3; cat");
  const rules = [{ name: "the web", ports: [80], action: "direct" }];
  const proxy = await startProxy(lab, {
    config: logTo("on", { intercept: BOTH, rules, timeouts: { "udp-dns": "1s", "udp-idle": "1s" } }),
  });
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  await lab.client.run(["sh", "-c", `printf hello | socat -t5 - ${socatServer(4, 7001)}`]);
  await lab.client.run(["socat", "-u", "/dev/null", socatServer(4, 7999)], { mayFail: true });
  await exchange(openClient(lab, 4, 7000), echo);
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  const flows = flowsOf(proxy.log);
  const [four, six] = flows;
  const told = (flow: Line, ...names: string[]) => names.map((name) => flow[`tproxy.${name}`]);
  assert.deepEqual(four["client.address"], client);
  assert.deepEqual(
    [four["network.transport"], four["server.address"], four["server.port"]],
    ["tcp", server, 80],
  );
  assert.deepEqual(told(four, "rule", "rule_index", "action", "end"), ["the web", 0, "direct", "closed"]);
  assert.deepEqual([six["server.address"], six["server.port"]], [ADDRESSES[6].server, 80]);
  assert.ok(Number(four.bytes_up) > 70 && Number(four.bytes_down) > 6);
  assert.ok(Number(four.connect_s) <= Number(four.duration_s));
  const slow = flows.find((flow) => flow["server.port"] === 7001)!;
  assert.deepEqual([slow.bytes_up, slow.bytes_down, ...told(slow, "rule")], [5, 5, "default"]);
  assert.ok(Number(slow.duration_s) >= 0.3 && Number(slow.duration_s) < 2, JSON.stringify(slow));
  assert.ok(Number(slow.connect_s) < 0.2, JSON.stringify(slow));
  const refused = flows.find((flow) => flow["server.port"] === 7999)!;
  assert.deepEqual([...told(refused, "end"), refused.bytes_down, refused.connect_s], [
    "refused",
    0,
    undefined,
  ]);
  const udp = flows.find((flow) => flow["network.transport"] === "udp")!;
  assert.deepEqual([udp["server.port"], ...told(udp, "end")], [7000, "closed"], "the proxy was told to end");
  assert.ok(Number(udp.bytes_up) > 0 && Number(udp.bytes_down) > 0, JSON.stringify(udp));
  assert.equal(flows.length, 5, JSON.stringify(flows));
});

labTest("A file of log.access is opened anew on SIGHUP, and a reload takes log.access over", {
  programs: ["curl", "nginx"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const path = `${lab.directory}/flows.log`;
  const read = (file = path) => Deno.readTextFileSync(file);
  const proxy = await startProxy(lab, { config: logTo(path) });
  await nginx.get(4);
  await waitForFlows(read, 1);
  Deno.renameSync(path, `${path}.1`);
  await nginx.get(4);
  await waitForFlows(() => read(`${path}.1`), 2);
  const reload = async (generation: number) => {
    proxy.program.signal("SIGHUP");
    await until(() => proxy.log.includes(`generation ${generation} is in force`), { what: "the reload" });
  };
  await reload(2);
  await nginx.get(4);
  assert.equal((await waitForFlows(read, 1)).length, 1);
  writeConfig(lab, logTo("off"));
  await reload(3);
  await nginx.get(4);
  writeConfig(lab, logTo("on"));
  await reload(4);
  await nginx.get(6);
  const [flow] = await waitForFlows(() => proxy.log, 1);
  assert.equal(flow["server.address"], ADDRESSES[6].server);
  assert.deepEqual([flowsOf(read()).length, flowsOf(proxy.log).length], [1, 1]);
});

labTest("A reload that is refused loses no line of the access log, whoever opens its file", {
  programs: ["curl", "nginx"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  const path = `${lab.directory}/flows.log`;
  const proxy = await startProxy(lab, { config: logTo(path) });
  await nginx.get(4);
  await waitForFlows(() => Deno.readTextFileSync(path), 1);
  // A config that is none names no file: who opens files as root opens none then.
  for (
    const spoil of [
      () => Deno.writeTextFileSync(proxy.configPath, "rules: [\n"),
      () => Deno.removeSync(proxy.configPath),
    ]
  ) {
    const before = proxy.log.length;
    spoil();
    proxy.program.signal("SIGHUP");
    await until(() => proxy.log.slice(before).includes("not reloaded"), { what: "the refusal" });
    await nginx.get(4);
  }
  assert.equal((await waitForFlows(() => Deno.readTextFileSync(path), 3)).length, 3);
  assert.equal(writeConfig(lab, logTo(path)), proxy.configPath);
  Deno.renameSync(path, `${path}.1`);
  proxy.program.signal("SIGHUP");
  await until(() => proxy.log.includes("generation 2 is in force"), { what: "the reload" });
  await nginx.get(4);
  assert.equal((await waitForFlows(() => Deno.readTextFileSync(path), 1)).length, 1);
});

labTest("The access log holds nothing up whose reader has stopped, and says how many flows have no line", {
  programs: ["curl", "nginx", "wrk"],
}, async (lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  const configPath = writeConfig(lab, logTo("on", { limits: { connections: 2000 } }));
  await tproxy(lab, ["install", "-c", configPath]);
  const pipe = `${lab.directory}/log`;
  await lab.router.run(["mkfifo", pipe]);
  const log = `${lab.directory}/read`;
  const go = `${lab.directory}/go`;
  const reader = `while [ ! -e ${go} ]; do sleep 0.1; done; exec cat > ${log}`;
  await lab.router.start(["sh", "-c", `exec < ${pipe}; ${reader}`]);
  await lab.router.run(["dd", "if=/dev/zero", `of=${pipe}`, "bs=65536", "count=1", "status=none"]);
  const words = [...tproxyCommand(), "run", "-c", configPath].join(" ");
  const program = await lab.router.start(["sh", "-c", `exec ${words} 2> ${pipe}`], { listens: PROXY_PORT });
  const flood = ["wrk", "-t1", "-c20", "-d3s", "-H", "Connection: close", nginx.url(4)];
  let requests = 0;
  let rounds = 0;
  // More than the rings and the pipe hold, however slow the machine is.
  for (; requests < 4000; rounds++) {
    const { stdout } = await lab.client.run(flood);
    assert.doesNotMatch(stdout, /Socket errors/, stdout);
    requests += Number(/(\d+) requests in/.exec(stdout)![1]);
  }
  assert.equal(await nginx.get(6), "hello\n");
  Deno.writeTextFileSync(go, "");
  await delay(2500);
  program.signal("SIGTERM");
  assert.equal(await program.waitForExit({ timeoutMs: 10_000 }), 0);
  await delay(200);
  const text = Deno.readTextFileSync(log).replace(/^\0+/, "");
  const lines = linesOf(text);
  const written = flowsOf(text).length;
  const rest = countLeftOut(lines);
  // wrk breaks off what runs when its time is over.
  assert.ok(
    Math.abs(written + rest - requests) <= 25 * rounds,
    `${requests} requests, ${written} lines, ${rest} without`,
  );
  assert.ok(written > 100 && rest > 1000, `${written} lines, ${rest} without`);
  assert.ok(
    lines.some(({ msg }) => String(msg).includes(" relays ")),
    "the log's own lines came first",
  );
});

labTest("A flood of flows has 1,000 lines in a second, and the rest are counted", {
  programs: ["nginx", "wrk"],
}, async (lab: Lab) => {
  const nginx = await startNginx(lab, { accessLog: false });
  const path = `${lab.directory}/flows.log`;
  const proxy = await startProxy(lab, { config: logTo(path) });
  await lab.client.run(["wrk", "-t1", "-c20", "-d4s", "-H", "Connection: close", nginx.url(4)]);
  await delay(1500);
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  const text = Deno.readTextFileSync(path);
  const written = flowsOf(text).length;
  const { "tproxy.accepted": accepted } = JSON.parse(proxy.log.trimEnd().split("\n").at(-1)!);
  assert.ok(written <= 6200, `${written} lines`);
  const told = written + countLeftOut(linesOf(text));
  // A client that breaks off while the server is dialled is not accepted.
  assert.ok(told >= accepted && told <= accepted + 20, `${accepted} accepted, ${told} told`);
});

labTest(
  "A line tells the name that was read, and who of a group has carried the flow; status -v counts both",
  {
    programs: ["curl", "nginx", "microsocks"],
  },
  async (lab) => {
    const nginx = await startNginx(lab);
    await startMicrosocks(lab, { port: 1080, asks: false });
    const office = { type: "socks5", address: `${server}:1080`, send: "name" };
    const proxy = await startProxy(lab, {
      config: logTo("on", {
        rules: [{ name: "the web", ports: [80], action: "proxy", upstream: "corp" }],
        upstreams: { closed: { type: "socks5", address: `${server}:1081` }, office },
        groups: { corp: { members: ["closed", "office"] } },
      }),
    });
    // Its address is what microsocks makes of the name.
    await lab.client.run(["curl", "-sSfm5", "-H", "Host: localhost", nginx.url(4)]);
    const [flow] = await waitForFlows(() => proxy.log, 1);
    assert.deepEqual(
      ["name", "rule", "action", "upstream", "group", "end"].map((name) => flow[`tproxy.${name}`]),
      ["localhost", "the web", "proxy", "office", "corp", "closed"],
    );
    const status = async () =>
      (await tproxy(lab, ["status", "-v", "-c", proxy.configPath], { mayFail: true })).stdout;
    await until(async () => /^upstream .* office +1 flows, /m.test(await status()), {
      what: "its count",
      timeoutMs: 30_000,
    });
    assert.match(await status(), /^rule +proxy +the web +1 flows, \d+ B up, \d+ B down$/m);
  },
);
