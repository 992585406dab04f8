/**
 * `tproxy run` beside programs that flush, delete, or put their rules before ours: within a second everything
 * is there again and first, and the log says who it was.
 */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { exchange, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { KNOWN_MS } from "../../laboratory/proxy/dataplane.ts";
import { type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["curl", "nginx"];
const CONFIG = { intercept: { interfaces: ["r0"], protocols: ["tcp", "udp"] } };

async function isWhole(lab: Lab, proxy: Proxy): Promise<boolean> {
  return (await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true })).code === 0;
}

/** Everything is there again soon after an accident: the watch waits 0.2 s, `status` takes some time too. */
async function assertMended(
  lab: Lab,
  proxy: Proxy,
  { what, work, pattern }: { what: string; work: () => Promise<unknown>; pattern: RegExp },
): Promise<void> {
  const before = proxy.log.length;
  await work();
  const told = () => Promise.resolve(pattern.test(proxy.log.slice(before)));
  await until(told, { what: `${what}: ${pattern}`, timeoutMs: 1000, pollMs: 20 });
  assert.ok(await isWhole(lab, proxy), what);
}

async function fetches(lab: Lab, url: string): Promise<boolean> {
  return (await lab.client.run(["curl", "-sS", "-g", "-m3", url], { mayFail: true })).code === 0;
}

labTest("run mends what others delete or flush, and names them", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  // A plain `run` after an `install`.
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700); // the watch listens, and the rules were seen
  const { router } = lab;
  const accidents: [string, () => Promise<unknown>, RegExp][] = [
    ["a routing rule", () => router.ip("rule del priority 500 iif r0"), /missing="?routing-rule/],
    ["all rules of IPv6", () => router.ip("rule flush", { family: 6 }), /ipv6 rule 500/],
    ["the route", () => router.ip("route flush table 100"), /missing="?route /],
    ["the table", () => router.nft("delete table inet transparent_proxy"), /removed-by="?nft \(\d+\)/],
    ["the rules in the table", () => router.nft("flush table inet transparent_proxy"), /missing="?rule /],
    ["all tables", () => router.run(["nft", "flush", "ruleset"]), /missing="?table /],
  ];
  for (const [what, work, pattern] of accidents) {
    await assertMended(lab, proxy, { what, work, pattern });
    if (what === "all rules of IPv6") {
      await router.ip(
        `
        rule add priority 32766 lookup main
        rule add priority 32767 lookup default`,
        { family: 6 },
      );
    }
  }
  assert.ok(await fetches(lab, nginx.url(4)));
  assert.ok(await fetches(lab, nginx.url(6)));
});

labTest("UDP under way, of a masqueraded client, outlives a flush", {
  programs: PROGRAMS,
  masquerade: true,
  netlinkOnly: "first packets ask with nf_tables alone",
}, async (lab) => {
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  const flows = await Promise.all(([4, 6] as const).map(async (family) => {
    const [server, client] = [openServer(lab, family), openClient(lab, family)];
    return { server, client, seen: await exchange(client, server) };
  }));
  await assertMended(lab, proxy, {
    what: "the table, while answers come",
    work: async () => {
      await lab.router.nft("delete table inet transparent_proxy");
      for (let i = 0; i < 20; i++) {
        for (const { server, seen } of flows) server.send("more", seen);
        await delay(5);
      }
    },
    pattern: /missing="?table /,
  });
  for (const { client } of flows) await client.receiveAll(100);
  // By then the flow asks again.
  await delay(KNOWN_MS);
  for (const { server, client, seen } of flows) assert.equal(await exchange(client, server), seen);
});

labTest("an uninstall holds while run goes on, and so does the install of another config", {
  programs: PROGRAMS,
}, async (lab) => {
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  await tproxy(lab, ["uninstall"]);
  await delay(1500);
  assert.ok(!await isWhole(lab, proxy), "it stays uninstalled");
  assert.match(proxy.log, /no rules are installed/);
  const { stdout: rules } = await lab.router.run(["ip", "rule"]);
  assert.doesNotMatch(rules, /^500:/m);
  // Fewer rules than before: nothing of them is "changed", much is "missing".
  await tproxy(lab, ["install", "-c", proxy.configPath]);
  await delay(1000);
  const other = lab.writeFile(
    "other.yaml",
    JSON.stringify({ intercept: { interfaces: ["r0"], protocols: ["tcp"] } }),
  );
  await tproxy(lab, ["install", "-c", other]);
  await delay(1500);
  assert.equal((await tproxy(lab, ["status", "-c", other], { mayFail: true })).code, 0);
  assert.match(proxy.log, /not those of this config/);
});

labTest("run keeps its routing rules before those of VPNs that come later", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  const { router } = lab;
  const first = async () => {
    const { stdout } = await router.run(["ip", "rule"]);
    const rules = stdout.split("\n").filter((line) => line !== "");
    return rules[1]; // after `local`
  };
  // wg-quick's two rules have no priority, and their order counts.
  await router.ip(`
    link add wg0 type veth peer name wg1
    link set wg0 up
    route add default dev wg0 table 51820
    rule add not fwmark 51820 table 51820
    rule add table main suppress_prefixlength 0`);
  const oursFirst = (what: string, pattern: RegExp, timeoutMs = 1500) =>
    until(async () => pattern.test(await first()), { what, timeoutMs });
  await oursFirst("ours first", /fwmark 0x40000001\/0x40000001/);
  const { stdout } = await router.run(["ip", "rule"]);
  assert.ok(stdout.indexOf("suppress_prefixlength") < stdout.indexOf("not from all fwmark"), stdout);
  assert.ok(await fetches(lab, nginx.url(4)));
  assert.ok(await isWhole(lab, proxy));
  // strongSwan, and one that takes the very front.
  await router.ip("rule add pref 220 lookup 220");
  await oursFirst("219", /^219:.*fwmark 0x40000001\/0x40000001/);
  await router.ip("rule add pref 5 lookup 220");
  await oursFirst("4", /^4:.*fwmark 0x40000001\/0x40000001/);
  assert.ok(await isWhole(lab, proxy));
  // When they go, ours go back.
  await router.ip(`
    rule del pref 5
    rule del pref 220
    rule del table main suppress_prefixlength 0
    rule del not fwmark 51820 table 51820`);
  await oursFirst("500", /^500:.*fwmark 0x40000001\/0x40000001/, 3000);
  await tproxy(lab, ["uninstall"]);
  const { stdout: left } = await router.run(["ip", "rule"]);
  assert.doesNotMatch(left, /proto 50|fwmark 0x4/);
});

labTest("run gives up loudly where another program removes its rules again and again", {
  programs: PROGRAMS,
}, async (lab) => {
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  await lab.router.start([
    "sh",
    "-c",
    "while :; do nft delete table inet transparent_proxy 2>/dev/null; sleep 0.3; done",
  ]);
  await proxy.program.waitForOutput(/removes the rules again and again.*removed-by="?nft/, {
    timeoutMs: 30_000,
  });
  const mended = proxy.log.match(/are there again/g) ?? [];
  assert.ok(mended.length <= 8, `${mended.length}`);
});

labTest("run gives up loudly where another program removes its routing rules again and again", {
  programs: PROGRAMS,
}, async (lab) => {
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  await lab.router.start([
    "sh",
    "-c",
    "while :; do ip rule del iif r0 2>/dev/null; ip -6 rule del iif r0 2>/dev/null; sleep 0.3; done",
  ]);
  await assertGivesUp(proxy, /removes the rules.*removed-by=/);
});

labTest("run gives up loudly where another program wants to be first as well", {
  programs: PROGRAMS,
}, async (lab) => {
  const proxy = await startProxy(lab, { config: CONFIG });
  await delay(700);
  // Whatever rule is first after `local`, its own comes before it.
  await lab.router.start([
    "sh",
    "-c",
    `own=
    while :; do
      first=$(ip rule | sed -n 's/^\\([1-9][0-9]*\\):.*/\\1/p' | head -n 1)
      if [ "$first" != "$own" ] && [ "$first" -gt 1 ]; then
        [ -z "$own" ] || ip rule del pref "$own" lookup 220
        own=$((first - 1))
        ip rule add pref "$own" lookup 220
      fi
      sleep 0.3
    done`,
  ]);
  await assertGivesUp(proxy, /puts routing rules before ours/);
});

/** Asserts that it says so within the time of some rounds, and is silent then. */
async function assertGivesUp(proxy: Proxy, who: RegExp): Promise<void> {
  const { program } = proxy;
  await program.waitForOutput("again and again", { timeoutMs: 30_000 });
  const [line] = proxy.log.match(/.*again and again.*/) ?? [""];
  assert.match(line, who);
  assert.match(line, /remedy=/);
  const before = proxy.log.length;
  await delay(1_500);
  assert.doesNotMatch(proxy.log.slice(before), /there again|follow/);
}
