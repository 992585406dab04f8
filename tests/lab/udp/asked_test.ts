/** UDP that asks the router first: a datagram ends as it would have ended without a proxy. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { exchange, openServer } from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { KNOWN_MS, startAskedDataplane } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const FAMILIES = [4, 6] as const;

/** Masquerade that needs the interface by which a packet came (NixOS). */
const MASQUERADE = `table inet administrator {
  chain post { type nat hook postrouting priority srcnat; iifname "r0" oifname "r1" masquerade; }
}`;

/** Lets nothing in that is new, and nothing out but what is dialled: what goes to clients must be known. */
const CLOSED = `table inet closed {
  chain input { type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  }
  chain output { type filter hook output priority filter; policy drop;
    ct state established,related accept
    udp dport 7000 accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  }
}`;

/** Lists the datagrams that arrive, in their order. */
async function texts(socket: UdpSocket, quietMs: number): Promise<string[]> {
  return (await socket.receiveAll(quietMs)).map(({ text }) => text);
}

labTest("UDP that asks keeps its address and port; one that is known asks no more", {}, async (lab) => {
  const dataplane = await startAskedDataplane(lab);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const client = lab.client.udp({ family });
    for (let i = 0; i < 20; i++) {
      const from = await exchange(client, server, at(ADDRESSES[family].server, 7000));
      assert.equal(from, at(ADDRESSES[family].client, client.port));
    }
  }
  const { counters } = await dataplane.count();
  assert.equal(counters.questions, 2);
  assert.equal(counters.udpDropped, 0);
});

labTest(
  "UDP that asks sends a burst of first datagrams on in their order, past a closed firewall",
  {},
  async (lab) => {
    await lab.router.nft(CLOSED);
    const dataplane = await startAskedDataplane(lab);
    const burst = Array.from({ length: 200 }, (_, i) => `datagram ${i}`);
    for (const family of FAMILIES) {
      const server = openServer(lab, family);
      // So that the router need not ask for the server's hardware address.
      await exchange(lab.client.udp({ family }), server, at(ADDRESSES[family].server, 7000));
      const client = lab.client.udp({ family });
      for (const text of burst) client.send(text, at(ADDRESSES[family].server, 7000));
      assert.deepEqual(await texts(server, 300), burst);
      // The second datagram of a flow whose server is silent so far is "established" at input.
      client.send("later", at(ADDRESSES[family].server, 7000));
      assert.deepEqual(await texts(server, 300), ["later"]);
      await exchange(client, server, at(ADDRESSES[family].server, 7000));
    }
    assert.equal((await dataplane.count()).counters.udpDropped, 0);
  },
);

for (const masquerade of [false, true]) {
  const title = `UDP that asks comes whole, or not at all${masquerade ? ", behind masquerade" : ""}`;
  labTest(title, {}, async (lab) => {
    if (masquerade) await lab.router.nft(MASQUERADE);
    const dataplane = await startAskedDataplane(lab);
    for (const family of FAMILIES) {
      const server = openServer(lab, family);
      const place = at(ADDRESSES[family].server, 7000);
      // A copy has room for 65,531 bytes of a packet: one that fills it may be a part.
      const most = family === 4 ? 65_502 : 65_482;
      for (const size of [most, most + 1, most + 5]) {
        const client = lab.client.udp({ family });
        const data = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
        client.send(data, place);
        const received = await server.receiveAll(200);
        assert.equal(received.length, size > most ? 0 : 1, `${size} bytes`);
        for (const datagram of received) assert.deepEqual(datagram.data, data);
        client.send(data, place);
        const second = await server.receive();
        assert.deepEqual(second.data, data, "the flow is known by now");
        server.send("answer", second.from);
        assert.equal((await client.receive()).text, "answer");
      }
    }
    assert.equal((await dataplane.count()).counters.udpDropped, 4);
  });
}

labTest("UDP that asks has the address and port that masquerade by interface gives it", {}, async (lab) => {
  await lab.router.nft(MASQUERADE);
  const dataplane = await startAskedDataplane(lab);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const client = lab.client.udp({ family });
    const place = at(ADDRESSES[family].server, 7000);
    const from = await exchange(client, server, place);
    assert.equal(from, at(ADDRESSES[family].wan, client.port));
    // It asks again, and NAT finds another port for it, since our own socket's flow has the first.
    await delay(KNOWN_MS);
    assert.equal(await exchange(client, server, place), from);
    const stranger = lab.server.udp({ family, bind: at(ADDRESSES[family].server, 7001) });
    stranger.send("stranger", from);
    assert.deepEqual(await texts(client, 200), []);
  }
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.questions, counters.udpOpened], [4, 2]);
});

labTest("UDP that asks tells two clients with one port apart, behind masquerade", {}, async (lab) => {
  await lab.router.nft(MASQUERADE);
  await lab.client.ip(`
    addr add 10.77.1.3/24 dev c0
    addr add fd77:1::3/64 dev c0 nodad`);
  await startAskedDataplane(lab);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const second = family === 4 ? "10.77.1.3" : "fd77:1::3";
    const clients = [ADDRESSES[family].client, second]
      .map((address) => lab.client.udp({ family, bind: at(address, 5000) }));
    const seen: string[] = [];
    for (const client of [...clients, ...clients]) {
      seen.push(await exchange(client, server, at(ADDRESSES[family].server, 7000)));
    }
    assert.equal(seen[0], at(ADDRESSES[family].wan, 5000));
    assert.notEqual(seen[1], seen[0]);
    assert.deepEqual(seen.slice(2), seen.slice(0, 2));
  }
});

labTest(
  "UDP that asks is refused as the forward chain refuses it, and dropped as it drops",
  {},
  async (lab) => {
    await lab.router.nft(
      `table inet guests {
    chain forward { type filter hook forward priority filter;
      iifname "r0" udp dport 7000 reject
      iifname "r0" udp dport 7001 drop
    }
  }`,
    );
    const dataplane = await startAskedDataplane(lab);
    for (const family of FAMILIES) {
      const server = lab.server.udp({ family, bind: at(ADDRESSES[family].server, 7000) });
      const refused = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7000) });
      refused.send("refused");
      await assert.rejects(refused.receive(), /ECONNREFUSED/);
      const silent = lab.client.udp({ family, connect: at(ADDRESSES[family].server, 7001) });
      silent.send("dropped");
      assert.deepEqual(await texts(silent, 200), []);
      assert.deepEqual(await texts(server, 1), []);
    }
    assert.equal((await dataplane.count()).counters.questions, 0);
  },
);

labTest(
  "UDP that asks goes on one way for as long as its client sends: the router is asked again",
  {},
  async (lab) => {
    const dataplane = await startAskedDataplane(lab);
    const server = openServer(lab, 4);
    const client = lab.client.udp({ family: 4 });
    const sent: string[] = [];
    for (let i = 0; i < 130; i++) {
      client.send(sent[i] = `datagram ${i}`, at(ADDRESSES[4].server, 7000));
      await delay(50);
    }
    assert.deepEqual(await texts(server, 200), sent);
    const { counters } = await dataplane.count();
    // It asks for a moment at first, and again after five seconds.
    assert.ok(counters.questions >= 4 && counters.questions < 20, `${counters.questions} questions`);
    assert.equal(counters.udpOpened, 1);
  },
);

labTest("UDP that asks carries TOS both ways, past a closed firewall", {}, async (lab) => {
  // Behind masquerade an answer is part of no other flow that conntrack knows.
  await lab.router.nft(`${CLOSED}\n${MASQUERADE}`);
  await startAskedDataplane(lab);
  for (const family of FAMILIES) {
    const server = openServer(lab, family);
    const client = lab.client.udp({ family });
    for (const tos of [0xb8, 0, 0x48]) {
      client.setTos(tos);
      server.setTos(tos);
      for (let i = 0; i < 3; i++) await exchange(client, server, at(ADDRESSES[family].server, 7000));
    }
  }
});

labTest("UDP that asks is not dialled by guess: a datagram without an answer is dropped", {}, async (lab) => {
  const dataplane = await startAskedDataplane(lab);
  const server = openServer(lab, 4);
  const client = lab.client.udp({ family: 4, bind: at(ADDRESSES[4].client, 5000) });
  const place = at(ADDRESSES[4].server, 7000);
  await exchange(client, server, place);
  await dataplane.tell({ do: "close", sessions: await dataplane.sessions() });
  await until(async () => (await dataplane.count()).udpLive === 0, { what: "the session to end" });
  client.send("known, but to nobody", place);
  assert.deepEqual(await texts(server, 200), []);
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.udpDropped, counters.udpOpened], [1, 1]);
  // It is not known for long.
  await delay(KNOWN_MS);
  await exchange(client, server, place);
});
