/** The rules that belong to the running proxy: they come and go with it, and follow config and network. */
import assert from "node:assert/strict";
import { type Lab } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { withoutCounts, withoutFlows } from "../../laboratory/network/snapshot.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { labTest } from "../../laboratory/register.ts";

const LIVE = "transparent_proxy_live";
const PROGRAMS = ["curl", "nginx", "nft", "socat"];
const netlinkOnly = "rules of iptables take flows early";

async function tables(lab: Lab): Promise<string> {
  return (await lab.router.run(["nft", "list", "tables"])).stdout;
}

/** The table without what packets have put into its sets and counters. */
async function liveRules(lab: Lab): Promise<string> {
  return withoutCounts(withoutFlows(await live(lab)));
}

async function live(lab: Lab): Promise<string> {
  return (await lab.router.run(["nft", "list", "table", "inet", LIVE])).stdout;
}

labTest(
  "kill -9: the rules of the proxy are gone at once, and with on-failure open everything is forwarded",
  { programs: PROGRAMS, netlinkOnly },
  async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startProxy(lab, { config: { intercept: { "on-failure": "open" } } });
    assert.match(await tables(lab), new RegExp(LIVE));
    assert.equal(await nginx.get(4), "hello\n");
    await lab.openGuard();
    proxy.program.signal("SIGKILL");
    await proxy.program.waitForExit();
    // No second try, and no sign of life that must grow old first.
    assert.equal(await nginx.get(4), "hello\n");
    assert.equal(await nginx.get(6), "hello\n");
    assert.doesNotMatch(await tables(lab), new RegExp(LIVE));
  },
);

labTest("flush ruleset of a firewall leaves the rules of the proxy; an install brings the others back", {
  programs: PROGRAMS,
  netlinkOnly,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  const before = await liveRules(lab);
  await lab.router.run(["nft", "flush", "ruleset"]);
  assert.equal(await liveRules(lab), before);
  await tproxy(lab, ["install", "-c", proxy.configPath]);
  assert.equal(await nginx.get(4), "hello\n");
  assert.match(await nginx.waitForAccess(4).then(() => proxy.log), /relays/);
});

labTest("while it drains new flows are forwarded with on-failure open, and what is relayed goes on", {
  programs: PROGRAMS,
  forwarding: true,
  netlinkOnly,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab, { config: { intercept: { "on-failure": "open" } } });
  const client = await connectClient(lab, 7000);
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForOutput("draining");
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  assert.doesNotMatch(await live(lab), /log prefix/, "somebody is still asked");
  await client.write("again\n");
  await client.waitForOutput("again\n");
  await client.closeInput();
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 5_000 }), 0, proxy.log);
  assert.match(proxy.log, /stopped accepted=1 /);
  assert.doesNotMatch(await tables(lab), new RegExp(LIVE));
});

labTest("a reload changes the proxy's own rules too", {
  programs: PROGRAMS,
  netlinkOnly,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  const before = await liveRules(lab);
  await lab.router.ip("link add lan9 type veth peer name lan8");
  writeConfig(lab, { intercept: { interfaces: ["r0", "lan9"] } });
  proxy.program.signal("SIGHUP");
  await proxy.program.waitForOutput("generation 2 is in force");
  assert.match(await live(lab), /set lan \{[^}]*"lan9"/);
  assert.equal(await nginx.get(4), "hello\n");
  writeConfig(lab);
  proxy.program.signal("SIGHUP");
  await proxy.program.waitForOutput("generation 3 is in force");
  assert.equal(await liveRules(lab), before);
  assert.equal(await nginx.get(6), "hello\n");
});

labTest("chains that keep what the proxy sends come with others' NAT and marks, and go with them", {
  programs: PROGRAMS,
  netlinkOnly,
}, async (lab) => {
  const kept = async () => [...(await live(lab)).matchAll(/chain (keep_\w+)/g)].map(([, name]) => name);
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  assert.deepEqual(await kept(), []);
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  // Both would lead astray what the proxy dials; what is forwarded they do not concern.
  await lab.router.nft(`table inet others {
    chain out { type nat hook output priority -100; tcp dport 80 dnat ip to 203.0.113.1:9; }
    chain marking { type route hook output priority mangle; meta mark set 0x99; }
  }`);
  await lab.router.ip(`route add default via 10.77.1.2 table 99
    route add default via fd77:1::2 table 99`);
  for (const family of ["-4", "-6"]) {
    await lab.router.run(["ip", family, "rule", "add", "fwmark", "0x99", "lookup", "99"]);
  }
  await until(async () => (await kept()).join() === "keep_outgoing,keep_route", {
    what: "the chains",
    timeoutMs: 2_000,
  });
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  await lab.router.run(["nft", "delete", "table", "inet", "others"]);
  await until(async () => (await kept()).length === 0, { what: "their end", timeoutMs: 2_000 });
  for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit(), 0);
  assert.match(proxy.log, /stopped accepted=6 /);
});

labTest("a second proxy on another port is refused, and the first one serves on", {
  programs: PROGRAMS,
  netlinkOnly,
}, async (lab) => {
  const nginx = await startNginx(lab);
  await startProxy(lab);
  const second = lab.writeFile("second.yaml", "version: 1\nlistener: { port: 50090 }\n");
  const { code, stderr } = await tproxy(lab, ["run", "-c", second], { mayFail: true, timeoutMs: 10_000 });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /it belongs to another running proxy/);
  assert.equal(await nginx.get(4), "hello\n");
});

labTest("a proxy that the install is not for takes nothing, and says so: on-failure has the say", {
  programs: PROGRAMS,
  forwarding: true,
  netlinkOnly,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const OTHERS = /error the rules in the kernel are for another listener\.port or kernel\.mark/g;
  const told = (log: string) => log.match(OTHERS)?.length ?? 0;
  const open = { intercept: { "on-failure": "open" } };
  const proxy = await startProxy(lab, { config: open });
  const own = lab.writeFile("own.yaml", Deno.readTextFileSync(proxy.configPath));
  const others = [{ ...open, listener: { port: 50090 } }, { ...open, kernel: { mark: 0x1000 } }];
  for (const [round, other] of others.entries()) {
    await tproxy(lab, ["install", "-c", writeConfig(lab, other)]);
    await until(() => told(proxy.log) === round + 1, { what: "it to be said", timeoutMs: 2_000 });
    assert.doesNotMatch(await live(lab), /log prefix/, "somebody is asked");
    for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
    // Its own once more, and it serves at once.
    await tproxy(lab, ["install", "-c", own]);
    await until(async () => /log prefix/.test(await live(lab)), { what: "questions", timeoutMs: 2_000 });
    for (const family of [4, 6] as const) assert.equal(await nginx.get(family), "hello\n");
  }
  // From the start, too.
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit(), 0);
  assert.match(proxy.log, /stopped accepted=4 /);
  await tproxy(lab, ["install", "-c", writeConfig(lab, others[0])]);
  const late = await lab.router.start([...tproxyCommand(), "run", "-c", own]);
  await late.waitForOutput("relays TCP");
  assert.equal(told(late.stderr), 1, late.stderr);
  assert.doesNotMatch(await live(lab), /log prefix/, "somebody is asked");
  assert.equal(await nginx.get(4), "hello\n");
});
