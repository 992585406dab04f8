/**
 * `intercept.router-traffic` and the router's addresses: which are its own, what NAT makes of them, how many
 * interfaces it has.
 */
import assert from "node:assert/strict";
import { SO_REUSEADDR, SOL_SOCKET } from "../../../ffi/consts.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../../src/net/error.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { labTest } from "../../laboratory/register.ts";
import { endProxy, startRouterProxy } from "../../laboratory/proxy/router_proxy.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

labTest(
  "run knows its own clients where programs may bind any address",
  { programs: ["curl", "nginx"] },
  async (lab) => {
    await lab.router.writeSysctl({ "net.ipv4.ip_nonlocal_bind": 1, "net.ipv6.ip_nonlocal_bind": 1 });
    const nginx = await startNginx(lab);
    await startRouterProxy(lab);
    for (const family of [4, 6] as const) {
      for (
        const [namespace, address, port] of [[lab.client, "client", 40010 + family], [
          lab.router,
          "wan",
          40020 + family,
        ]] as const
      ) {
        await namespace.run(["curl", "-sSfm10", "--local-port", `${port}`, nginx.url(family)]);
        const { client, clientPort } = await nginx.waitForAccess(family);
        assert.equal(client, ADDRESSES[family][address]);
        assert.equal(clientPort === port, address === "client", "only a client keeps its port");
      }
    }
  },
);

labTest(
  "run takes the router's flows to where its own NAT sends them",
  { programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "echo $SOCAT_SOCKPORT");
    await lab.router.start(["socat", "TCP6-LISTEN:7000,ipv6only=0,fork,reuseaddr", "SYSTEM:echo router"], {
      listens: 7000,
    });
    await lab.router.nft(`table inet nat { chain output {
    type nat hook output priority -100;
    tcp dport 1 dnat ip to ${ADDRESSES[4].server}:7000
    tcp dport 2 redirect to :7000
  }; }`);
    const proxy = await startRouterProxy(lab);
    const ask = async (port: number) =>
      (await lab.router.run(["socat", "-T5", "-u", socatServer(4, port), "-"])).stdout;
    assert.equal(await ask(2), "router\n");
    assert.equal(await ask(1), "7000\n");
    assert.equal((await endProxy(proxy)).accepted, 1);
  },
);

labTest("run keeps the address that a program has chosen, and its port's packets reach that program", {
  programs: ["curl", "nginx"],
}, async (lab) => {
  const second = { 4: "203.0.113.99", 6: "2001:db8:77::99" } as const;
  await lab.router.ip(`addr add ${second[4]}/24 dev r1
    addr add ${second[6]}/64 dev r1 nodad`);
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab);
  for (const family of [4, 6] as const) {
    await lab.router.run(["curl", "-sSfm10", "--interface", second[family], nginx.url(family)]);
    assert.equal((await nginx.waitForAccess(family)).client, second[family]);
    // With SO_REUSEADDR another socket could have the same address and port, and take its packets.
    const server = openServer(lab, family);
    const own = lab.router.udp({ family, bind: at(second[family], 7777) });
    check(setInt(own.fd, SOL_SOCKET, SO_REUSEADDR, 1), "set SO_REUSEADDR");
    const seen = await exchange(own, server, at(ADDRESSES[family].server, 7000));
    assert.equal(seen.replace(/:\d+$/, ""), at(second[family], 0).replace(/:0$/, ""));
    assert.notEqual(seen, own.local);
    const asker = lab.server.udp({ family, connect: own.local });
    assert.equal(await exchange(asker, own), asker.local, "its port is still its own");
  }
  const counters = await endProxy(proxy);
  assert.deepEqual([counters.accepted, counters["udp-sessions"]], [2, 2]);
});

labTest("run takes the router's own where one interface leads to clients and to the world", {
  programs: ["curl", "nginx"],
}, async (lab) => {
  const { router } = lab;
  await router.ip(`route add default via ${ADDRESSES[4].server}`);
  const nginx = await startNginx(lab);
  const proxy = await startRouterProxy(lab, { intercept: { interfaces: ["r1"], families: ["ipv4"] } });
  await router.run(["curl", "-sSfm10", nginx.url(4)]);
  assert.equal((await nginx.waitForAccess(4)).client, ADDRESSES[4].wan);
  await router.run(["curl", "-sSfm10", nginx.url(6)]);
  assert.equal((await endProxy(proxy)).accepted, 1, "IPv6 is not intercepted");
});
