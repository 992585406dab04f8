/**
 * Servers in the LAN that hosts behind the WAN talk to, through a port forward and without NAT: what they
 * answer is theirs, not the proxy's.
 */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { iptablesProgram } from "../../laboratory/programs/iptables.ts";
import { type Proxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { keepFromMending } from "../../laboratory/proxy/mending.ts";
import { labTest } from "../../laboratory/register.ts";
import { exchange, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** Ports 5000 and 5001 of the router's WAN address are the client's port 7000. */
const FORWARDS = `table inet forwards {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname r1 udp dport 5000 ip daddr ${ADDRESSES[4].wan} dnat ip to ${ADDRESSES[4].client}:7000
    iifname r1 udp dport 5000 ip6 daddr ${ADDRESSES[6].wan} dnat ip6 to [${ADDRESSES[6].client}]:7000
    iifname r1 tcp dport 5000 ip daddr ${ADDRESSES[4].wan} dnat ip to ${ADDRESSES[4].client}:7000
  }
}`;

/**
 * iptables remembers addresses, not ports: to tell what is no answer, somebody who has asked nothing is
 * needed.
 */
const STRANGERS = { 4: "203.0.113.3", 6: "2001:db8:77::3" } as const;

/** Checks that the proxy has all that the LAN sends by itself: the server sees the router. */
async function assertProxied(lab: Lab, family: 4 | 6): Promise<void> {
  const address = usesIptables() ? STRANGERS[family] : ADDRESSES[family].server;
  if (usesIptables()) {
    await lab.server.ip(`addr add ${address}/${family === 4 ? "24 dev s0" : "64 dev s0 nodad"}`);
  }
  const server = lab.server.udp({ family, bind: at(address, 9000) });
  const seen = await exchange(lab.client.udp({ family, connect: at(address, 9000) }), server);
  assert.equal(
    seen.replace(/:\d+$/, ""),
    at(ADDRESSES[family].wan, 1).replace(/:1$/, ""),
    "the proxy is in the path",
  );
  server.close();
}

async function sessions(proxy: Proxy): Promise<number> {
  proxy.program.signal("SIGTERM");
  await proxy.program.waitForExit({ timeoutMs: 60_000 });
  return Number(/ stopped .* udp-sessions=(\d+)/.exec(proxy.log)![1]);
}

for (const masquerade of [false, true]) {
  const where = masquerade ? ", behind masquerade" : "";
  labTest(`run leaves answers alone that go through a port forward for UDP${where}`, {
    forwarding: true,
    masquerade,
  }, async (lab) => {
    await lab.router.nft(FORWARDS);
    const proxy = await startUdpProxy(lab, { source: "router" });
    for (const family of [4, 6] as const) {
      const { client, wan } = ADDRESSES[family];
      const server = lab.client.udp({ family, bind: at(client, 7000) });
      // A connected socket: the answer comes from where the question has gone to.
      const asker = lab.server.udp({ family, connect: at(wan, 5000) });
      for (let round = 0; round < 3; round++) assert.equal(await exchange(asker, server), asker.local);
      // The server may say more than it was asked.
      for (let i = 0; i < 3; i++) {
        server.send(`more ${i}`, asker.local);
        assert.equal((await asker.receive()).text, `more ${i}`);
      }
      await assertProxied(lab, family);
    }
    assert.equal(await sessions(proxy), 2, "only what the clients have begun");
  });
}

labTest("run leaves answers of servers in the LAN alone that others reach without NAT, UDP and TCP", {
  forwarding: true,
  programs: ["socat"],
}, async (lab) => {
  const proxy = await startUdpProxy(lab, { source: "router" });
  await lab.client.start(["socat", "TCP6-LISTEN:7000,ipv6only=0,fork,reuseaddr", "SYSTEM:echo served"], {
    listens: 7000,
  });
  for (const family of [4, 6] as const) {
    const { client } = ADDRESSES[family];
    const server = lab.client.udp({ family, bind: at(client, 7000) });
    const asker = lab.server.udp({ family, connect: at(client, 7000) });
    assert.equal(await exchange(asker, server), asker.local);
    const { stdout } = await lab.server.run(["socat", "-u", `TCP${family}:${at(client, 7000)}`, "-"]);
    assert.equal(stdout, "served\n");
    await assertProxied(lab, family);
  }
  assert.equal(await sessions(proxy), 2);
});

labTest("no rule blocks the answers to who has begun from elsewhere, and all else is blocked", {
  forwarding: true,
}, async (lab) => {
  for (
    const rule of [{ action: "block" }, { action: "block", silent: true }, {
      action: "deliver",
      "deliver-port": 9,
    }]
  ) {
    const proxy = await startUdpProxy(lab, { rules: [rule], intercept: { "on-failure": "drop" } });
    for (const family of [4, 6] as const) {
      const server = lab.client.udp({ family, bind: at(ADDRESSES[family].client, 7000) });
      const asker = lab.server.udp({ family, connect: at(ADDRESSES[family].client, 7000) });
      await exchange(asker, server);
      const stranger = lab.server.udp({ family, bind: at(ADDRESSES[family].server, 7777) });
      server.send("not an answer", stranger.local);
      assert.equal(await stranger.receiveWithin(300), undefined, JSON.stringify(rule));
      for (const socket of [server, asker, stranger]) socket.close();
    }
    await proxy.program.stop();
  }
});

labTest(
  "the rule set for answers is needed: without it the port forward fails",
  { forwarding: true },
  async (lab) => {
    await lab.router.nft(FORWARDS);
    await startUdpProxy(lab, { source: "router", intercept: { admission: "early" } });
    await keepFromMending(lab);
    await lab.router.run(
      usesIptables()
        ? [iptablesProgram(4), "-t", "mangle", "-F", "TPROXY_SERVED"]
        : ["nft", "flush", "chain", "inet", "transparent_proxy", "served"],
    );
    const server = lab.client.udp({ family: 4, bind: at(ADDRESSES[4].client, 7000) });
    const asker = lab.server.udp({ family: 4, connect: at(ADDRESSES[4].wan, 5000) });
    asker.send("question");
    const { from } = await server.receive();
    server.send("answer", from);
    assert.equal(await asker.receiveWithin(500), undefined);
    await tproxy(lab, ["uninstall"]);
    server.send("answer", from);
    assert.equal((await asker.receive()).text, "answer");
  },
);
