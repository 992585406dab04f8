/** UDP through `install` and `run` beside what administrators have: it ends as it would have without. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { addSecondWan, SECOND_TABLE, SECOND_WAN } from "../../laboratory/network/second_wan.ts";
import { exchange, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { labTest } from "../../laboratory/register.ts";

const FAMILIES = [4, 6] as const;
const RESOLVER = { 4: "192.0.2.53", 6: "2001:db8:53::1" } as const;
const MASQUERADE = `table inet administrator {
  chain post { type nat hook postrouting priority srcnat;
    iifname "r0" oifname "r1" masquerade
    iifname "r0" oifname "r2" masquerade
  }
}`;

labTest(
  "run sends forced DNS to where the router translates it, behind masquerade by interface",
  {},
  async (lab) => {
    await lab.router.nft(`${MASQUERADE}
table inet redirects {
  chain pre { type nat hook prerouting priority dstnat;
    iifname "r0" udp dport 53 dnat ip to ${ADDRESSES[4].server}
    iifname "r0" udp dport 53 dnat ip6 to ${ADDRESSES[6].server}
  }
}`);
    for (const family of FAMILIES) {
      await lab.router.ip(`route add ${RESOLVER[family]} via ${ADDRESSES[family].server}`);
    }
    await startUdpProxy(lab);
    for (const family of FAMILIES) {
      const pihole = openServer(lab, family, 53);
      const other = openServer(lab, family, 7000);
      const client = lab.client.udp({ family });
      for (let i = 0; i < 3; i++) {
        const from = await exchange(client, pihole, at(RESOLVER[family], 53));
        assert.equal(from, at(ADDRESSES[family].wan, client.port));
        assert.equal(await exchange(client, other, at(ADDRESSES[family].server, 7000)), from);
      }
    }
  },
);

for (const by of ["mark", "interface"] as const) {
  labTest(`run sends UDP by the provider that the router has chosen by ${by}`, {}, async (lab) => {
    const second = await addSecondWan(lab);
    await lab.router.nft(`${MASQUERADE}
table inet pbr {
  chain pre { type filter hook prerouting priority mangle;
    iifname "r0" udp dport 7001 meta mark set meta mark & 0xff00ffff | 0x00020000
  }
}`);
    const match = by === "mark" ? ["fwmark", "0x20000/0xff0000"] : ["iif", "r0"];
    for (const family of ["-4", "-6"]) {
      await lab.router.run([
        "ip",
        family,
        "rule",
        "add",
        "pref",
        "30000",
        ...match,
        "lookup",
        `${SECOND_TABLE}`,
      ]);
    }
    await startUdpProxy(lab);
    for (const family of FAMILIES) {
      const place = at(ADDRESSES[family].server, 7001);
      const there = second.udp({ family, bind: place });
      const client = lab.client.udp({ family });
      for (let i = 0; i < 3; i++) {
        assert.equal(await exchange(client, there, place), at(SECOND_WAN[family].router, client.port));
      }
      if (by === "interface") continue;
      const usual = at(ADDRESSES[family].server, 7000);
      const from = await exchange(client, openServer(lab, family), usual);
      assert.equal(from, at(ADDRESSES[family].wan, client.port));
    }
  });
}

labTest("run refuses UDP to whom the forward chain refuses it", {}, async (lab) => {
  await lab.router.nft(`table inet guests {
    chain forward { type filter hook forward priority filter; iifname "r0" udp dport 7000 reject; }
  }`);
  await startUdpProxy(lab);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const client = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000) });
    client.send("may I?");
    await assert.rejects(client.receive(), /ECONNREFUSED/);
    assert.equal(await server.receiveWithin(1), undefined);
  }
});

labTest("run relays UDP in its order past a firewall that lets nothing new in, or out", {}, async (lab) => {
  await lab.router.nft(`${MASQUERADE}
table inet closed {
  chain input { type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  }
  chain output { type filter hook output priority filter; policy drop;
    oifname "lo" accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  }
}`);
  await startUdpProxy(lab);
  const burst = Array.from({ length: 100 }, (_, i) => `datagram ${i}`);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const place = at(ADDRESSES[family].server, 7000);
    await exchange(lab.client.udp({ family }), server, place);
    const client = lab.client.udp({ family });
    for (const text of burst) client.send(text, place);
    assert.deepEqual((await server.receiveAll(500)).map(({ text }) => text), burst);
    client.send("later", place);
    assert.equal((await server.receive()).text, "later");
  }
});

labTest("run that is killed leaves UDP to the router at once", {}, async (lab) => {
  await lab.router.nft(MASQUERADE);
  const proxy = await startUdpProxy(lab);
  for (const family of FAMILIES) {
    const place = at(ADDRESSES[family].server, 7000);
    const server = openServer(lab, family);
    const client = lab.client.udp({ family });
    await exchange(client, server, place);
    if (family === 4) {
      await lab.openGuard();
      await proxy.program.stop("SIGKILL");
    }
    await delay(20);
    for (let i = 0; i < 3; i++) await exchange(client, server, place);
  }
});

labTest("run keeps no daemon of the router from starting on its port, which a client uses too", {
  programs: ["socat"],
}, async (lab) => {
  await lab.router.nft(MASQUERADE);
  await startUdpProxy(lab);
  for (const family of FAMILIES) {
    const { client, wan, server } = ADDRESSES[family];
    const place = at(server, 7000);
    const daemon = at(wan, 53);
    const first = lab.client.udp({ family, bind: at(client, 53) });
    assert.equal(await exchange(first, openServer(lab, family), place), daemon);
    const listener = `UDP${family}-LISTEN:53,reuseaddr${family === 6 ? ",ipv6only=1" : ""}`;
    const { stderr } = await lab.router.run(["timeout", "0.3", "socat", "-dd", listener, "-"], {
      mayFail: true,
    });
    assert.doesNotMatch(stderr, /in use/);
  }
});
