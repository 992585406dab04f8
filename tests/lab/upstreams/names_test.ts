/** Upstreams that are given by name: a real resolver, which changes its mind, dies, and comes back. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { countSyns } from "../../laboratory/upstreams/syns.ts";
import type { Program } from "../../laboratory/program.ts";
import { startDnsmasq } from "../../laboratory/programs/dnsmasq.ts";
import { withFile } from "../../laboratory/machine/with_file.ts";
import { firstPacketsAsk, type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "python3", "microsocks", "dnsmasq", "nc"];
const PROXY = "proxy.corp.example";
const FIRST = { 4: ADDRESSES[4].server, 6: ADDRESSES[6].server };
const SECOND = { 4: "203.0.113.3", 6: "2001:db8:77::3" };

/** The server has a second address of each family. */
async function addSecond(lab: Lab): Promise<void> {
  await lab.server.run(["ip", "address", "add", `${SECOND[4]}/24`, "dev", "s0"]);
  await lab.server.run(["ip", "address", "add", `${SECOND[6]}/64`, "dev", "s0", "nodad"]);
}

/** The resolver in the server namespace, which knows the proxy at one address of each family. */
function startResolver(lab: Lab, address: { 4: string; 6: string }): Promise<Program> {
  return startDnsmasq(lab.server, { [PROXY]: address });
}

/** The proxy, whose /etc/resolv.conf names the server; without a name by the proxy's address. */
async function startNamed(
  lab: Lab,
  { host = PROXY, routerTraffic = false }: { host?: string; routerTraffic?: boolean } = {},
): Promise<Proxy> {
  const conf = lab.writeFile("resolv.conf", `nameserver ${ADDRESSES[4].server}\n`);
  return await startProxy(lab, {
    wrapper: withFile(conf, "/etc/resolv.conf"),
    config: {
      intercept: { "router-traffic": routerTraffic },
      rules: [{ name: "through", action: "proxy", upstream: "office" }],
      upstreams: { office: { type: "socks5", address: `${host}:1080` } },
      checks: { interval: "500ms", timeout: "400ms" },
    },
  });
}

const resolved = (proxy: Proxy): string[] => proxy.log.match(/is resolved name=\S+ addresses=\S+/g) ?? [];

labTest("A name leads flows to its proxy, and a resolver that is dead or comes late harms nobody", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "echo here");
  await startMicrosocks(lab, { port: 1080, asks: false });
  const proxy = await startNamed(lab);
  // Nobody knows the name yet: the upstream is down, and nothing goes direct.
  assert.notEqual((await attempt(lab, { port: 7000 })).heard, "here\n");
  await until(() => /name of an upstream is not resolved/.test(proxy.log), {
    what: "the warning",
    timeoutMs: 15_000,
  });
  const resolver = await startResolver(lab, FIRST);
  await until(() => resolved(proxy).length === 1, { what: "the name", timeoutMs: 40_000 });
  assert.match(String(resolved(proxy)[0]), /addresses=203.0.113.2,2001:db8:77::2/);
  assert.equal((await attempt(lab, { port: 7000 })).heard, "here\n");
  await resolver.stop();
  for (let i = 0; i < 3; i++) assert.equal((await attempt(lab, { port: 7000 })).heard, "here\n");
  const { stdout } = await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true });
  assert.match(stdout, /upstream office/);
});

labTest("A name that moves takes new flows along when its TTL is over, and the last answer is kept", {
  programs: PROGRAMS,
}, async (lab) => {
  await addSecond(lab);
  await serve(lab, 7000, "echo here");
  await startMicrosocks(lab, { port: 1080, asks: false });
  const syns = await countSyns(lab, [`ip daddr ${SECOND[4]} tcp dport 1080`]);
  const resolver = await startResolver(lab, FIRST);
  const proxy = await startNamed(lab);
  await until(() => resolved(proxy).length === 1, { what: "the name", timeoutMs: 10_000 });
  assert.equal((await attempt(lab, { port: 7000 })).heard, "here\n");
  await resolver.stop();
  await startResolver(lab, SECOND);
  // dnsmasq's own names have a TTL of 0: they are asked for every 30 s.
  await until(() => resolved(proxy).length === 2, { what: "the other address", timeoutMs: 40_000 });
  assert.equal((await attempt(lab, { port: 7000 })).heard, "here\n");
  assert.ok((await syns())[0] > 0, "nobody came to the other address");
});

for (const host of [PROXY, FIRST[4]]) {
  if (host === PROXY && !firstPacketsAsk()) continue; // early knows addresses alone
  const how = host === PROXY ? "name" : "address";
  labTest(`Who dials an upstream himself that is known by ${how} reaches it as without tproxy`, {
    programs: PROGRAMS,
    netlinkOnly: "the router's own traffic",
  }, async (lab) => {
    await serve(lab, 7000, "echo here");
    await startMicrosocks(lab, { port: 1080, asks: false });
    await startResolver(lab, FIRST);
    await lab.openGuard();
    const syns = await countSyns(lab, [
      `ip saddr ${ADDRESSES[4].client} tcp dport 1080`,
      "tcp dport 1080",
      'iifname "s0" tcp dport 7000',
    ]);
    const proxy = await startNamed(lab, { host, routerTraffic: true });
    if (host === PROXY) {
      await until(() => resolved(proxy).length === 1, { what: "the name", timeoutMs: 10_000 });
    }
    await attempt(lab, { port: 1080, seconds: 1 });
    assert.deepEqual(await syns(), [1, 1, 0], "by itself, and nobody else came");
    // The router's own programs, and the proxy itself, do not run in a circle.
    await lab.router.run(["nc", "-zw2", FIRST[4], "1080"]);
    assert.deepEqual(await syns(), [1, 2, 0]);
    assert.equal((await attempt(lab, { port: 7000 })).heard, "here\n");
    const { stdout } = await lab.router.run(["nc", "-w2", FIRST[4], "7000"], { mayFail: true });
    assert.equal(stdout, "here\n");
    const [own, all, past] = await syns();
    assert.deepEqual([own, past], [1, 0], "a flow went past the upstream");
    assert.ok(all >= 4 && all <= 12, `${all} SYNs`);
  });
}
