/** UDP of one client port that the router sends different ways, by destination. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { addSecondWan, SECOND_TABLE, SECOND_WAN } from "../../laboratory/network/second_wan.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { KNOWN_MS, startAskedDataplane } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const FAMILIES = [4, 6] as const;
/** Name servers that clients have in their settings; the router knows better. */
const RESOLVERS = { 4: ["192.0.2.53", "192.0.2.54"], 6: ["2001:db8:53::1", "2001:db8:53::2"] } as const;

for (const masquerade of [false, true]) {
  labTest(
    `UDP that asks reaches the host to which its DNS is translated${masquerade ? ", behind masquerade" : ""}`,
    {},
    async (lab) => {
      const post = masquerade
        ? `chain post { type nat hook postrouting priority srcnat; iifname "r0" oifname "r1" masquerade; }`
        : "";
      await lab.router.nft(`table inet redirects {
        chain pre { type nat hook prerouting priority dstnat;
          iifname "r0" ip daddr != ${ADDRESSES[4].server} udp dport 53 dnat ip to ${ADDRESSES[4].server}
          iifname "r0" ip6 daddr != ${ADDRESSES[6].server} udp dport 53 dnat ip6 to ${ADDRESSES[6].server}
        }
        ${post}
      }`);
      for (const family of FAMILIES) {
        for (const resolver of RESOLVERS[family]) {
          await lab.router.ip(`route add ${resolver} via ${ADDRESSES[family].server}`);
        }
      }
      const dataplane = await startAskedDataplane(lab);
      for (const family of FAMILIES) {
        const pihole = openServer(lab, family, 53);
        const other = openServer(lab, family, 7000);
        const client = lab.client.udp({ family });
        const [one, two] = RESOLVERS[family].map((address) => at(address, 53));
        const itself = at(ADDRESSES[family].server, 53);
        const places = [one, two, itself, one, two, itself];
        const seen: string[] = [];
        // exchange() sees that the client's answer is from where it has sent to.
        for (const place of places) seen.push(await exchange(client, pihole, place));
        const wan = masquerade ? ADDRESSES[family].wan : ADDRESSES[family].client;
        assert.equal(seen[0], at(wan, client.port));
        assert.deepEqual(seen.slice(3), seen.slice(0, 3));
        assert.equal(new Set(seen).size, 3, "three flows to one address: NAT gives two of them other ports");
        assert.equal(await exchange(client, other, at(ADDRESSES[family].server, 7000)), at(wan, client.port));
      }
      assert.equal((await dataplane.count()).counters.udpDropped, 0);
    },
  );
}

labTest(
  "UDP that asks goes by the provider whose mark it has got, each destination its own",
  {},
  async (lab) => {
    const second = await addSecondWan(lab);
    await lab.router.nft(`table inet pbr {
    chain pre { type filter hook prerouting priority mangle;
      iifname "r0" udp dport 7001 meta mark set meta mark & 0xff00ffff | 0x00020000
    }
    chain post { type nat hook postrouting priority srcnat;
      iifname "r0" oifname "r1" masquerade
      iifname "r0" oifname "r2" masquerade
    }
  }`);
    for (const family of FAMILIES) {
      const rule = [
        "rule",
        "add",
        "pref",
        "30000",
        "fwmark",
        "0x20000/0xff0000",
        "lookup",
        `${SECOND_TABLE}`,
      ];
      await lab.router.run(["ip", `-${family}`, ...rule]);
    }
    const dataplane = await startAskedDataplane(lab);
    for (const family of FAMILIES) {
      const first = openServer(lab, family, 7000);
      const other = second.udp({ family, bind: at(ADDRESSES[family].server, 7001) });
      const client = lab.client.udp({ family });
      for (let i = 0; i < 3; i++) {
        assert.equal(
          await exchange(client, first, at(ADDRESSES[family].server, 7000)),
          at(ADDRESSES[family].wan, client.port),
        );
        assert.equal(
          await exchange(client, other, at(ADDRESSES[family].server, 7001)),
          at(SECOND_WAN[family].router, client.port),
        );
      }
    }
    const sessions = await dataplane.sessions();
    assert.equal(sessions.length, 4);
    assert.equal((await dataplane.count()).counters.udpDropped, 0);
  },
);

labTest("UDP that asks follows when its way changes", {}, async (lab) => {
  const second = await addSecondWan(lab);
  await lab.router.nft(`table inet administrator {
    chain post { type nat hook postrouting priority srcnat; iifname "r0" masquerade; }
  }`);
  await startAskedDataplane(lab);
  const first = openServer(lab, 4);
  const other = second.udp({ family: 4, bind: at(ADDRESSES[4].server, 7000) });
  const client = lab.client.udp({ family: 4 });
  const place = at(ADDRESSES[4].server, 7000);
  await exchange(client, first, place);
  await lab.router.ip(`route add ${ADDRESSES[4].server}/32 via ${SECOND_WAN[4].host}`);
  await delay(KNOWN_MS);
  assert.equal(await exchange(client, other, place), at(SECOND_WAN[4].router, client.port));
  await exchange(client, other, place);
});

labTest("UDP that asks keeps one port where only the mark of its destinations differs", {}, async (lab) => {
  await lab.router.nft(`table inet administrator {
    chain forward { type filter hook forward priority mangle; udp dport 7001 meta mark set 5; }
    chain post { type nat hook postrouting priority srcnat; iifname "r0" oifname "r1" masquerade; }
    chain out { type filter hook output priority mangle;
      meta mark & 3 == 3 accept
      udp dport . meta mark != { 7000 . 0, 7001 . 5 } udp dport 7000-7001 drop
    }
  }`);
  const dataplane = await startAskedDataplane(lab);
  for (const family of FAMILIES) {
    const servers = [7000, 7001].map((port) => openServer(lab, family, port));
    const client = lab.client.udp({ family });
    for (let i = 0; i < 4; i++) {
      const place = at(ADDRESSES[family].server, 7000 + i % 2);
      assert.equal(await exchange(client, servers[i % 2], place), at(ADDRESSES[family].wan, client.port));
    }
  }
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.portChanged, counters.udpDropped, counters.udpFiltered], [0, 0, 0]);
});

labTest(
  "UDP that asks goes to no address that is translated, also when its session has had to make room",
  {},
  async (lab) => {
    const { server } = ADDRESSES[4];
    const forbidden = "203.0.113.53";
    await lab.server.ip(`addr add ${forbidden}/24 dev s0`);
    await lab.router.nft(`table ip forced {
    chain pre { type nat hook prerouting priority dstnat;
      iifname "r0" ip daddr ${forbidden} udp dport 53 dnat to ${server}:5353
    }
  }`);
    const dataplane = await startAskedDataplane(lab, { limits: { "per-client": 1 } });
    const wanted = openServer(lab, 4, 5353);
    const other = openServer(lab, 4, 7000);
    const evil = lab.server.udp({ family: 4, bind: at(forbidden, 53) });
    const client = lab.client.udp({ family: 4 });
    await exchange(client, wanted, at(forbidden, 53));
    await exchange(client, wanted, at(forbidden, 53));
    // Another port of the client evicts the session; then it begins a new one, elsewhere.
    const evicted = async () => (await dataplane.count()).counters.udpEvicted;
    while (await evicted() === 0) {
      lab.client.udp({ family: 4 }).send("room", at(server, 7000));
      await delay(50);
    }
    while (await other.receiveWithin(50) !== undefined);
    await exchange(client, other, at(server, 7000));
    client.send("past the rules", at(forbidden, 53));
    assert.equal(await evil.receiveWithin(500), undefined);
  },
);
