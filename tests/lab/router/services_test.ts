/**
 * `intercept.router-traffic` breaks nothing that the router does for others, and nothing that must not pass a
 * proxy.
 */
import assert from "node:assert/strict";
import { SO_MARK, SOL_SOCKET } from "../../../ffi/consts.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../../src/net/error.ts";
import { dig, startDnsmasq } from "../../laboratory/programs/dnsmasq.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { type ConfigText, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { endProxy, openOwn, routerConfig, startRouterProxy } from "../../laboratory/proxy/router_proxy.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** A config that loses all that it takes: traffic that passes has not been taken. */
const LOSES_ALL: ConfigText = { default: "block", intercept: { "on-failure": "drop" } };

labTest("run relays the router's DNS: dig there, and a forwarder whom clients ask", {
  programs: ["dnsmasq", "dig"],
}, async (lab) => {
  await startDnsmasq(lab.server, { "name.test": { 4: "192.0.2.7", 6: "2001:db8::7" } });
  const alone = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file="];
  const argv = ["dnsmasq", "--keep-in-foreground", "--cache-size=0", ...alone];
  await lab.router.start([...argv, `--server=${ADDRESSES[4].server}`], { udpPort: 53 });
  const proxy = await startRouterProxy(lab);
  for (const family of [4, 6] as const) {
    const question = { name: "name.test", type: family === 4 ? "A" : "AAAA" };
    const answer = [family === 4 ? "192.0.2.7" : "2001:db8::7"];
    const { server, lan } = ADDRESSES[family];
    assert.deepEqual(await dig(lab.router, { server, ...question }), answer, "router to resolver");
    assert.deepEqual(await dig(lab.router, { server: "127.0.0.1", ...question }), answer, "router to itself");
    assert.deepEqual(await dig(lab.client, { server: lan, ...question }), answer, "client to router");
    assert.deepEqual(await dig(lab.client, { server, ...question }), answer, "client to resolver");
  }
  // Of each family: dig's, two of the forwarder's, one of the client.
  const sessions = (await endProxy(proxy))["udp-sessions"];
  assert.ok(sessions >= 4 && sessions <= 8, `${sessions} sessions`);
});

for (const [name, config] of Object.entries({ "that loses all": LOSES_ALL, "and a proxy": {} })) {
  labTest(`install leaves the router's services to whoever asks them, with a config ${name}`, {
    programs: ["socat"],
  }, async (lab) => {
    const { router } = lab;
    await router.start(["socat", "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr", "EXEC:cat"], { listens: 22 });
    const askers = [[lab.client, "lan"], [lab.server, "wan"]] as const;
    const proxy = name === "and a proxy" ? await startRouterProxy(lab, config) : undefined;
    if (proxy === undefined) await tproxy(lab, ["install", "-c", writeConfig(lab, routerConfig(config))]);
    for (const family of [4, 6] as const) {
      const service = router.udp({ family, bind: at(family === 4 ? "0.0.0.0" : "::", 5000 + family) });
      for (const [asker, side] of askers) {
        const address = ADDRESSES[family][side];
        const session = await asker.start(["socat", "-t30", "-", `TCP${family}:${at(address, 22)}`]);
        for (let round = 0; round < 3; round++) {
          await session.write(`line ${round}\n`);
          await session.waitForOutput(`line ${round}\n`);
        }
        const question = asker.udp({ family, connect: at(address, 5000 + family) });
        assert.equal(await exchange(question, service), question.local);
        for (let round = 0; round < 3; round++) {
          service.send(`more ${round}`, question.local);
          assert.equal((await question.receive()).text, `more ${round}`);
        }
      }
    }
    if (proxy === undefined) return;
    const counters = await endProxy(proxy);
    assert.equal(counters.accepted + counters["udp-sessions"], 0);
  });
}

labTest("install leaves answers of the router's services alone when conntrack has forgotten who asked", {
  programs: ["conntrack", "socat"],
}, async (lab) => {
  const proxy = await startRouterProxy(lab);
  for (const family of [4, 6] as const) {
    const service = lab.router.udp({ family, bind: at(ADDRESSES[family].wan, 5000) });
    const asker = lab.server.udp({ family, connect: at(ADDRESSES[family].wan, 5000) });
    await exchange(asker, service);
    await lab.router.run(["conntrack", "-F"]);
    service.send("late answer", asker.local);
    assert.equal((await asker.receive()).text, "late answer");
    await exchange(asker, service);
  }
  assert.equal((await endProxy(proxy))["udp-sessions"], 0);
});

labTest(
  "install leaves flows of the router alone that are there already",
  { programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    // Conntrack must know them.
    await lab.router.nft(
      "table inet watch { chain c { type filter hook output priority 0; ct state new accept; }; }",
    );
    const flows = await Promise.all(
      ([4, 6] as const).map((family) => lab.router.start(["socat", "-t30", "-", socatServer(family, 7000)])),
    );
    const udp = ([4, 6] as const).map((family) => [openOwn(lab, family), openServer(lab, family)] as const);
    for (const flow of flows) {
      await flow.write("before\n");
      await flow.waitForOutput("before\n");
    }
    for (const [own, server] of udp) assert.equal(await exchange(own, server), own.local);
    await tproxy(lab, ["install", "-c", writeConfig(lab, routerConfig(LOSES_ALL))]);
    for (const flow of flows) {
      await flow.write("after\n");
      await flow.waitForOutput("after\n");
    }
    for (const [own, server] of udp) assert.equal(await exchange(own, server), own.local);
  },
);

labTest("install spares DHCP, neighbours, multicast, pings, marked sockets, and what goes to clients", {
  programs: ["ping", "socat"],
}, async (lab) => {
  const { router, server } = lab;
  await tproxy(lab, ["install", "-c", writeConfig(lab, routerConfig(LOSES_ALL))]);
  for (const [family, from, to] of [[4, 68, 67], [6, 546, 547]] as const) {
    const { wan, server: address, client } = ADDRESSES[family];
    const own = router.udp({ family, bind: at(wan, from), connect: at(address, to) });
    await exchange(own, openServer(lab, family, to));
    await router.run(["ping", "-c1", "-W2", address]);
    const marked = openOwn(lab, family);
    check(setInt(marked.fd, SOL_SOCKET, SO_MARK, 0x100), "set SO_MARK");
    assert.equal(await exchange(marked, openServer(lab, family)), marked.local);
    // As other transparent proxies send, with an address that is their client's.
    const foreign = `bind=${at(client, 7005)},ip-transparent`;
    const ask = `echo question | socat -u - UDP${family}-SENDTO:${at(address, 7005)},${foreign}`;
    const heard = openServer(lab, family, 7005);
    await router.run(["sh", "-c", ask]);
    assert.equal((await heard.receive()).from, at(client, 7005));
    const toClient = router.udp({ family, connect: at(client, 7000) });
    const listening = lab.client.udp({ family, bind: at(client, 7000) });
    assert.equal(await exchange(toClient, listening), toClient.local);
  }
  const link = await server.run([
    "sh",
    "-c",
    "ip -6 -o addr show dev s0 scope link | sed 's/.*inet6 //;s,/.*,,'",
  ]);
  await server.start(["socat", "UDP6-RECVFROM:7002,fork", "SYSTEM:echo neighbour"], { udpPort: 7002 });
  const ask = `echo | socat -t3 - UDP6-DATAGRAM:[${link.stdout.trim()}%r1]:7002`;
  assert.equal((await router.run(["sh", "-c", ask])).stdout, "neighbour\n");
  await router.ip("route add 224.0.0.0/4 dev r1");
  await server.start(["socat", "-u", "UDP4-RECV:7003,ip-add-membership=224.1.2.3:s0", "-"], {
    udpPort: 7003,
  });
  const heard = server.programs.at(-1)!;
  await router.run(["sh", "-c", "echo multicast | socat -u - UDP4-DATAGRAM:224.1.2.3:7003"]);
  await heard.waitForOutput("multicast");
  // The same socket without a mark, a port or a place that is spared is lost.
  for (const family of [4, 6] as const) {
    assert.throws(() => openOwn(lab, family, 9999).send("lost"), { code: "EPERM" });
  }
});

labTest("run leaves tunnels of the kernel alone, and what kernel sockets send", {
  programs: ["ping"],
  forwarding: true,
}, async (lab) => {
  const { client, router, server } = lab;
  // A program's packet goes into the first tunnel, with that program's socket; one that is forwarded, which
  // has none, into the second.
  const tunnels = [[4789, "10.99.1", router], [9999, "10.99.2", client]] as const;
  for (const [port, network] of tunnels) {
    for (
      const [namespace, own, remote, host] of [
        [router, ADDRESSES[4].wan, ADDRESSES[4].server, 1],
        [server, ADDRESSES[4].server, ADDRESSES[4].wan, 2],
      ] as const
    ) {
      await namespace.ip(`
        link add vx${port} type vxlan id ${port} local ${own} remote ${remote} dstport ${port}
        addr add ${network}.${host}/24 dev vx${port}
        link set vx${port} up`);
    }
  }
  const rules = [{ ports: [9999], action: "block" }];
  const proxy = await startRouterProxy(lab, { rules, intercept: { "on-failure": "drop" } });
  for (const [, network, namespace] of tunnels) {
    await namespace.run(["ping", "-c2", "-i0.2", "-W2", `${network}.2`]);
  }
  assert.throws(() => openOwn(lab, 4, 9999).send("of a program"), { code: "EPERM" });
  await exchange(openOwn(lab, 4), openServer(lab, 4));
  assert.equal((await endProxy(proxy))["udp-sessions"], 1);
});
