/**
 * `tproxy run` while the network changes: interfaces and default routes that come later, go, move, or flap.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { processorMs } from "../../laboratory/machine/procfs.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import {
  backendPrograms,
  type ConfigText,
  Proxy,
  PROXY_PORT,
  startProxy,
  tproxy,
  tproxyCommand,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { curl, endProxy, startRouterProxy } from "../../laboratory/proxy/router_proxy.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "ss"];
const AUTO = { intercept: { interfaces: "auto" } };

/** `tproxy run --install` with nothing installed. */
async function startInstalling(lab: Lab, config: ConfigText): Promise<Proxy> {
  const configPath = writeConfig(lab, config);
  const program = await lab.router.start([...tproxyCommand(), "run", "--install", "-c", configPath], {
    listens: PROXY_PORT,
    ...backendPrograms(lab),
  });
  await program.waitForOutput("relays");
  return new Proxy(program, { configPath });
}

/** Makes the default route, in both families, lead through an interface. */
async function leadThrough(lab: Lab, link: string, via: { 4: string; 6: string }): Promise<void> {
  await lab.router.ip(`
    route replace default via ${via[4]} dev ${link}
    route replace default via ${via[6]} dev ${link}`);
}

/** A second network of clients behind the router: a namespace of its own, on the interface `link`. */
async function addClients(lab: Lab, link: string, number: number) {
  const clients = await lab.addNamespace(`clients${number}`);
  await clients.writeSysctl({ "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0 });
  await lab.router.ip(`
    link add ${link} type veth peer name c${number} netns ${clients.name}
    addr add 10.77.${number}.1/24 dev ${link}
    addr add fd77:${number}::1/64 dev ${link} nodad
    link set ${link} up`);
  await clients.ip(`
    addr add 10.77.${number}.2/24 dev c${number}
    addr add fd77:${number}::2/64 dev c${number} nodad
    link set c${number} up
    route add default via 10.77.${number}.1
    route add default via fd77:${number}::1`);
  return clients;
}

/** Gives a link its addresses, and sets it up. */
function addAddresses(host: Namespace, link: string, addresses: { 4: string; 6: string }): Promise<void> {
  return host.ip(`
    addr add ${addresses[4]}/24 dev ${link}
    addr add ${addresses[6]}/64 dev ${link} nodad
    link set ${link} up`);
}

/**
 * Fetches a page with each client. The router forwards nothing new, so that all that arrives has passed the
 * proxy.
 */
async function fetchFrom(clients: { run: Lab["client"]["run"] }, url: string): Promise<string> {
  const { code, stdout } = await clients.run(["curl", "-sS", "-g", "-m3", url], { mayFail: true });
  return code === 0 ? stdout : `exit ${code}`;
}

/** Every page that both families of some clients ask for arrives. */
async function assertServed(clients: { run: Lab["client"]["run"] }, urls: readonly string[]): Promise<void> {
  for (const url of urls) assert.equal(await fetchFrom(clients, url), "hello\n", url);
}

const SERVER = { 4: ADDRESSES[4].server, 6: ADDRESSES[6].server };
const FOLLOWS = "the rules follow the network";

labTest("run takes the clients of an interface that comes later, by itself (auto)", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const urls = [nginx.url(4), nginx.url(6)];
  await serve(lab, 7000, "cat");
  await leadThrough(lab, "r1", SERVER);
  const proxy = await startProxy(lab, { config: AUTO });
  await assertServed(lab.client, urls);
  const live = await connectClient(lab, 7000);
  await live.write("before\n");
  await live.waitForOutput("before\n");
  await delay(3_000);
  const clients = await addClients(lab, "r2", 2);
  await proxy.program.waitForOutput(/the rules follow the network interfaces=\S* clients-added=r2/);
  await assertServed(clients, urls);
  await assertServed(lab.client, urls);
  assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);
  // Old connections go on, with the rules made anew under them.
  await live.write("after\n");
  await live.waitForOutput("after\n");
  await lab.router.ip("link delete r2");
  await proxy.program.waitForOutput(/clients-removed=r2/);
  assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);
});

labTest(
  "run --install takes the clients of a named interface that comes 3 s after it, and after it has gone",
  {
    programs: PROGRAMS,
  },
  async (lab) => {
    const nginx = await startNginx(lab);
    const urls = [nginx.url(4), nginx.url(6)];
    const proxy = await startInstalling(lab, { intercept: { interfaces: ["r0", "lan2"] } });
    assert.match(proxy.log, /lan2 is not there yet/);
    await assertServed(lab.client, urls);
    await delay(3_000);
    for (let round = 0; round < 2; round++) {
      const clients = await addClients(lab, "lan2", 2 + round);
      await delay(700);
      await assertServed(clients, urls);
      await lab.router.ip("link delete lan2");
    }
    await assertServed(lab.client, urls);
  },
);

/** Makes a macvlan of the router over a cable of its own to another host. */
async function addMacvlan(
  lab: Lab,
  { link, host, far, mode }: { link: string; host: Namespace; far: string; mode: string },
): Promise<void> {
  await lab.router.ip(`
    link add ${link}-p type veth peer name ${far} netns ${host.name}
    link set ${link}-p up
    link add link ${link}-p name ${link} type macvlan mode ${mode}`);
}

labTest("run follows macvlans that are made later: clients come by one, and one becomes the WAN", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const urls = [nginx.url(4), nginx.url(6)];
  await leadThrough(lab, "r1", SERVER);
  const proxy = await startProxy(lab, { config: AUTO });
  const clients = await lab.addNamespace("clients5");
  await addMacvlan(lab, { link: "mvlan", host: clients, far: "c5", mode: "bridge" });
  await addAddresses(lab.router, "mvlan", { 4: "10.77.5.1", 6: "fd77:5::1" });
  await addAddresses(clients, "c5", { 4: "10.77.5.2", 6: "fd77:5::2" });
  await clients.ip("route add default via 10.77.5.1\nroute add default via fd77:5::1");
  await proxy.program.waitForOutput(/clients-added=\S*mvlan/);
  await assertServed(clients, urls);
  // The same server by another line; the first is taken away.
  const far = { 4: "198.51.100.2", 6: "2001:db8:99::2" };
  await addMacvlan(lab, { link: "mvwan", host: lab.server, far: "s5", mode: "private" });
  await addAddresses(lab.server, "s5", far);
  await addAddresses(lab.router, "mvwan", { 4: "198.51.100.1", 6: "2001:db8:99::1" });
  await leadThrough(lab, "mvwan", far);
  await proxy.program.waitForOutput(/clients-removed=\S*mvwan|others-added=\S*mvwan/);
  await lab.server.ip(`
    route replace default via 198.51.100.1
    route replace default via 2001:db8:99::1`);
  await lab.router.ip("link delete r1");
  await proxy.program.waitForOutput(/-removed=\S*r1/);
  for (const each of [clients, lab.client]) {
    await assertServed(each, ["http://198.51.100.2/", "http://[2001:db8:99::2]/"]);
  }
  // r1 may have been a side of clients for a moment, between its route and its end.
  const isWhole = async () =>
    (await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true })).code === 0;
  await until(isWhole, { what: "what the network is now in the kernel", pollMs: 200 });
  await lab.router.ip("link delete mvlan");
  await proxy.program.waitForOutput(/clients-removed=\S*mvlan/);
});

labTest("run follows an interface that gets its name later, as PPP's do: named, and by itself", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const urls = [nginx.url(4), nginx.url(6)];
  await leadThrough(lab, "r1", SERVER);
  for (const [number, interfaces] of [[2, ["r0", "lan2"]], [3, "auto"]] as const) {
    const proxy = await startInstalling(lab, { intercept: { interfaces } });
    const clients = await addClients(lab, "ppp9", number);
    await delay(500);
    await lab.router.ip("link set ppp9 name lan2");
    if (interfaces === "auto") await proxy.program.waitForOutput(/clients-added=\S*lan2/);
    else await delay(700);
    await assertServed(clients, urls);
    await lab.router.ip("link delete lan2");
    await proxy.program.stop();
    await tproxy(lab, ["uninstall"]);
  }
});

labTest("run --install waits for a default route (auto), and follows it to another interface", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const urls = [nginx.url(4), nginx.url(6)];
  // No default route: which side the clients are on is anybody's guess, and `install` does not guess.
  const refused = await tproxy(lab, ["install", "-c", writeConfig(lab, AUTO)], { mayFail: true });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /there is no default route/);
  const proxy = await startInstalling(lab, AUTO);
  assert.match(proxy.log, /no rules can be made yet.*there is no default route/);
  assert.equal(await fetchFrom(lab.client, urls[0]), "exit 28", "it is not installed yet");
  await leadThrough(lab, "r1", SERVER);
  await proxy.program.waitForOutput(/the rules are installed interfaces=r0 /);
  await assertServed(lab.client, urls);
  // A second way to the server; the first one is still there, and is no side of clients while it has a
  // default route.
  await lab.router.ip(`
    link add r3 type veth peer name s3 netns ${lab.server.name}
    addr add 198.51.100.1/24 dev r3
    addr add 2001:db8:99::1/64 dev r3 nodad
    link set r3 up`);
  await lab.server.ip(`
    addr add 198.51.100.2/24 dev s3
    addr add 2001:db8:99::2/64 dev s3 nodad
    link set s3 up`);
  await proxy.program.waitForOutput(/clients-added=r3/);
  await leadThrough(lab, "r3", { 4: "198.51.100.2", 6: "2001:db8:99::2" });
  await proxy.program.waitForOutput(/interfaces=\S*r1\S* clients-added=r1 clients-removed=r3/);
  await lab.server.ip(`
    route replace default via 198.51.100.1
    route replace default via 2001:db8:99::1`);
  await lab.router.ip("link delete r1");
  await proxy.program.waitForOutput(/clients-removed=r1/);
  await assertServed(lab.client, ["http://198.51.100.2/", "http://[2001:db8:99::2]/"]);
  assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);
  // Without any, the rules stay as they are: a line that is down for a while makes no WAN a side of clients.
  await lab.router.ip("route del default");
  await lab.router.ip("route del default", { family: 6 });
  await proxy.program.waitForOutput("the rules stay as they are while the network is incomplete");
  await assertServed(lab.client, ["http://198.51.100.2/", "http://[2001:db8:99::2]/"]);
});

labTest("run goes on when addresses change, those of clients, of the WAN and of the router's own programs", {
  programs: PROGRAMS,
  netlinkOnly: "the router's own traffic is intercepted with the backend netlink alone",
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab, { listener: { workers: 1 } });
  await assertServed(lab.client, [nginx.url(4)]);
  await nginx.waitForAccess(4);
  assert.equal(await curl(lab.router, nginx.url(4)), 0);
  assert.equal((await nginx.waitForAccess(4)).client, ADDRESSES[4].wan);
  await lab.router.ip(`
    addr del ${ADDRESSES[4].wan}/24 dev r1
    addr add 203.0.113.9/24 dev r1`);
  await lab.server.ip("route replace default via 203.0.113.9");
  await lab.router.ip("addr add 10.78.1.1/24 dev r0");
  await lab.client.ip(`
    addr add 10.78.1.2/24 dev c0
    addr del ${ADDRESSES[4].client}/24 dev c0
    route replace default via 10.78.1.1`);
  // The proxy remembers addresses for a second.
  await delay(1_200);
  await assertServed(lab.client, [nginx.url(4)]);
  assert.equal((await nginx.waitForAccess(4)).client, "10.78.1.2");
  assert.equal(await curl(lab.router, nginx.url(4)), 0);
  assert.equal((await nginx.waitForAccess(4)).client, "203.0.113.9");
  assert.equal((await endProxy(proxy)).accepted, 4, "something has gone past the proxy");
});

labTest("run is not carried away by an interface that flaps", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  await leadThrough(lab, "r1", SERVER);
  const proxy = await startProxy(lab, { config: AUTO });
  const before = processorMs(proxy.pid);
  for (let i = 0; i < 15; i++) {
    await lab.router.ip("link add flap0 type bridge");
    await delay(400);
    await lab.router.ip("link delete flap0");
    await delay(400);
  }
  const used = processorMs(proxy.pid) - before;
  // At once, and then after 0.5, 1, 2, 4 and 8 s.
  const told = proxy.log.split("\n").filter((line) => line.includes(FOLLOWS)).length;
  assert.ok(told <= 6, `${told} changes of the rules`);
  assert.ok(used < 2_000, `${used} ms of processor time`);
  await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
  // When it is quiet again, the rules are right.
  await delay(9_000);
  assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);
});

labTest(
  "run makes no first install, and none after an uninstall; it says so once",
  { programs: PROGRAMS },
  async (lab) => {
    const nginx = await startNginx(lab);
    await leadThrough(lab, "r1", SERVER);
    const proxy = await startProxy(lab, { config: AUTO, install: false });
    await proxy.program.waitForOutput(
      'no rules are installed: nothing is intercepted remedy="run \\"tproxy install\\""',
    );
    for (let i = 0; i < 2; i++) {
      await lab.router.ip(`link add more${i} type bridge`);
      await delay(1_500);
    }
    assert.equal(await fetchFrom(lab.client, nginx.url(4)), "exit 28", "it has installed by itself");
    assert.equal(proxy.log.split("no rules are installed").length, 2, proxy.log);
    // Installed while it runs: from then on the rules follow the network.
    await tproxy(lab, ["install", "-c", proxy.configPath]);
    const clients = await addClients(lab, "r2", 2);
    await proxy.program.waitForOutput(/clients-added=r2/);
    await assertServed(clients, [nginx.url(4), nginx.url(6)]);
    await proxy.program.stop();

    await tproxy(lab, ["uninstall"]);
    const other = await startInstalling(lab, AUTO);
    await assertServed(clients, [nginx.url(4)]);
    await tproxy(lab, ["uninstall"]);
    await lab.router.ip("link add more9 type bridge");
    await other.program.waitForOutput("no rules are installed");
    assert.equal(await fetchFrom(clients, nginx.url(4)), "exit 28", "it has installed again");
  },
);

labTest("run leaves the rules of another config alone, and says so", { programs: PROGRAMS }, async (lab) => {
  await leadThrough(lab, "r1", SERVER);
  const other = lab.writeFile(
    "other.yaml",
    JSON.stringify({ version: 1, intercept: { interfaces: ["r0"], ports: [81] } }),
  );
  await tproxy(lab, ["install", "-c", other]);
  const proxy = await startProxy(lab, { config: AUTO, install: false });
  await proxy.program.waitForOutput("not those of this config and network: they are left alone");
  await lab.router.ip("link add more0 type bridge");
  await delay(1_000);
  await lab.router.ip("link delete more0");
  await delay(1_000);
  assert.equal((await tproxy(lab, ["status", "-c", other])).code, 0);
});

labTest("run --install puts rules back that a firewall has flushed", {
  programs: PROGRAMS,
  netlinkOnly: "it flushes nf_tables",
}, async (lab) => {
  const nginx = await startNginx(lab);
  await leadThrough(lab, "r1", SERVER);
  const proxy = await startInstalling(lab, AUTO);
  await lab.router.run(["nft", "delete", "table", "inet", "transparent_proxy"]);
  await proxy.program.waitForOutput(/rules were missing and are there again/);
  await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
});

labTest("run without CAP_NET_ADMIN says what it lacks where first packets ask", {
  programs: ["setpriv"],
  netlinkOnly: "rules of iptables take flows early",
}, async (lab) => {
  const run = ["setpriv", "--bounding-set=-net_admin", ...tproxyCommand(), "run", "-c", writeConfig(lab)];
  const { code, stderr } = await lab.router.run(run, { mayFail: true, timeoutMs: 10_000 });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /EPERM.*CAP_NET_ADMIN/s);
});

labTest("run with CAP_NET_ADMIN and CAP_NET_RAW alone, as the service has it, needs no root", {
  programs: [...PROGRAMS, "setpriv"],
  netlinkOnly: "rules of iptables take flows early",
}, async (lab) => {
  const nginx = await startNginx(lab);
  const capabilities = "+net_admin,+net_raw";
  const wrapper = [
    ...asNobody(lab),
    `--inh-caps=-all,${capabilities}`,
    `--ambient-caps=-all,${capabilities}`,
    `--bounding-set=-all,${capabilities}`,
  ];
  const env = { HOME: "/nonexistent", DENO_NO_UPDATE_CHECK: "1" };
  await startProxy(lab, { wrapper, env });
  await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
});

labTest(
  "run without CAP_NET_ADMIN is a proxy with admission: early, and says once that it cannot change the rules",
  {
    programs: [...PROGRAMS, "setpriv"],
    netlinkOnly: "the programs of iptables say it in their words",
  },
  async (lab) => {
    const nginx = await startNginx(lab);
    await leadThrough(lab, "r1", SERVER);
    const proxy = await startProxy(lab, {
      config: { intercept: { interfaces: "auto", admission: "early" } },
      wrapper: ["setpriv", "--bounding-set=-net_admin"],
    });
    await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
    for (let i = 0; i < 2; i++) {
      await lab.router.ip(`link add more${i} type bridge`);
      await delay(1_200);
    }
    assert.equal(proxy.log.split("without CAP_NET_ADMIN").length, 2, proxy.log);
    await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
  },
);

labTest("run, as it ends, shows itself to no rules that follow the network then", {
  programs: [...PROGRAMS, "socat"],
}, async (lab) => {
  const nginx = await startNginx(lab);
  await serve(lab, 7000, "cat");
  await leadThrough(lab, "r1", SERVER);
  const proxy = await startRouterProxy(lab, AUTO);
  const live = await connectClient(lab, 7000);
  await live.write("before\n");
  await live.waitForOutput("before\n");
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForOutput("draining");
  await addClients(lab, "r2", 2);
  await proxy.program.waitForOutput(/clients-added=r2/);
  // A sign of life would send the router's own connections to listeners that are gone.
  for (const family of [4, 6] as const) assert.equal(await curl(lab.router, nginx.url(family)), 0);
  await live.closeInput();
  await proxy.program.waitForExit({ timeoutMs: 30_000 });
});

labTest("run follows interfaces that a pattern matches, and a bridge that is made anew", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const urls = [nginx.url(4), nginx.url(6)];
  const proxy = await startInstalling(lab, { intercept: { interfaces: ["vpn*", "br-*"] } });
  assert.match(proxy.log, /no rules can be made yet.*no interface has such a name/);
  const clients = await addClients(lab, "vpn7", 2);
  await proxy.program.waitForOutput(/the rules are installed interfaces=vpn7 /);
  await assertServed(clients, urls);
  for (let round = 0; round < 2; round++) {
    // The bridge takes the place of the interface that was the LAN's.
    await lab.router.ip(`
      link add br-lan type bridge
      link set r0 master br-lan
      addr flush dev r0
      addr add ${ADDRESSES[4].lan}/24 dev br-lan
      addr add ${ADDRESSES[6].lan}/64 dev br-lan nodad
      link set br-lan up`);
    await proxy.program.waitForOutput(/clients-added=br-lan/);
    await delay(300);
    await assertServed(lab.client, urls);
    await lab.router.ip("link delete br-lan");
    await proxy.program.waitForOutput(/clients-removed=br-lan/);
  }
});

labTest("run --install mends what an install has left that was killed: routing rules without a table", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const configPath = writeConfig(lab, { intercept: { interfaces: ["r0"] } });
  await tproxy(lab, ["install", "-c", configPath]);
  await lab.router.nft("delete table inet transparent_proxy");
  await lab.router.ip("rule del priority 500 iif r1");
  const status = await tproxy(lab, ["status", "-c", configPath], { mayFail: true });
  assert.equal(status.code, 1, "status says what is missing");
  await startInstalling(lab, { intercept: { interfaces: ["r0"] } });
  await assertServed(lab.client, [nginx.url(4), nginx.url(6)]);
  assert.equal((await tproxy(lab, ["status", "-c", configPath])).code, 0);
});

labTest("run says within two seconds that the way out has lost its cable, and that it is back", {
  programs: PROGRAMS,
}, async (lab) => {
  await lab.router.ip(`route replace default via ${ADDRESSES[4].server}`);
  const { program } = await startProxy(lab);
  await delay(1500);
  // The cable goes at the far end: the router's interface stays up, and no route is told of.
  await lab.server.ip("link set s0 down");
  await program.waitForOutput("no way out any more", { timeoutMs: 2000 });
  await lab.server.ip("link set s0 up");
  await program.waitForOutput("the way out has changed", { timeoutMs: 2000 });
});
