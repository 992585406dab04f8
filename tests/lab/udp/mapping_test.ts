/** UDP's behaviour as a NAT, in the words of RFC 4787: mapping, filtering, and what they cost. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { labTest } from "../../laboratory/register.ts";
import {
  addManyServers,
  exchange,
  openClient,
  openServer,
  socketCount,
  startUdpProxy,
} from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { delay } from "../../laboratory/machine/wait.ts";

/** Addresses of the server that {@linkcode addSecondHosts} adds: other hosts, for a client. */
const OTHER_HOST = { 4: "198.18.0.1", 6: "2001:db8:77::3" } as const;
const STRANGER = { 4: "198.18.0.2", 6: "2001:db8:77::4" } as const;

async function addSecondHosts(lab: Lab): Promise<void> {
  await addManyServers(lab);
  await lab.server.ip(`
    addr add ${OTHER_HOST[6]}/64 dev s0 nodad
    addr add ${STRANGER[6]}/64 dev s0 nodad`);
}

for (const source of ["client", "router"] as const) {
  labTest(
    `run maps a client endpoint to one endpoint for all servers, source: ${source}`,
    {},
    async (lab) => {
      await addSecondHosts(lab);
      await startUdpProxy(lab, { source });
      for (const family of [4, 6] as const) {
        const places = [at(ADDRESSES[family].server, 7001), at(ADDRESSES[family].server, 7002)];
        places.push(at(OTHER_HOST[family], 7001), at(OTHER_HOST[family], 7002));
        const client = lab.client.udp({ family });
        const seen = new Set<string>();
        for (const place of places) {
          seen.add(await exchange(client, lab.server.udp({ family, bind: place }), place));
        }
        assert.equal(seen.size, 1, [...seen].join(" "));
      }
    },
  );

  for (const filtering of ["address-and-port-dependent", "endpoint-independent"] as const) {
    const title = `run with udp.filtering: ${filtering}, source: ${source}`;
    const open = filtering === "endpoint-independent";
    labTest(`${title} ${open ? "lets strangers in" : "keeps strangers out"}`, {}, async (lab) => {
      await addSecondHosts(lab);
      await startUdpProxy(lab, { source, udp: { filtering } });
      for (const family of [4, 6] as const) {
        const { server: address } = ADDRESSES[family];
        const server = openServer(lab, family);
        const client = lab.client.udp({ family });
        const seen = await exchange(client, server, at(address, 7000));
        const strangers = [at(STRANGER[family], 7000), at(STRANGER[family], 9), at(address, 7001)];
        for (const place of strangers) {
          lab.server.udp({ family, bind: place }).send(`from ${place}`, seen);
        }
        const heard = (await client.receiveAll(300)).map(({ text, from }) => `${text} by ${from}`);
        assert.deepEqual(
          heard.sort(),
          open ? strangers.map((place) => `from ${place} by ${place}`).sort() : [],
        );
        // Once the client has spoken to it, it is no stranger.
        const asked = lab.server.udp({ family, bind: at(STRANGER[family], 7003) });
        assert.equal(await exchange(client, asked, at(STRANGER[family], 7003)), seen);
        await exchange(client, server, at(address, 7000));
      }
    });
  }
}

labTest("run talks to 1,000 servers for one client endpoint through one socket", {}, async (lab) => {
  await addManyServers(lab);
  const proxy = await startUdpProxy(lab);
  const places = Array.from({ length: 1_000 }, (_, i) => at(`198.18.${1 + (i >> 8)}.${i & 255}`, 7000));
  const servers = places.map((place) => lab.server.udp({ family: 4, bind: place }));
  const before = socketCount(proxy);
  const client = lab.client.udp({ family: 4 });
  // Each asks, and the kernel holds all questions until the workers read them.
  Deno.kill(proxy.pid, "SIGSTOP");
  for (const place of places) client.send(place, place);
  Deno.kill(proxy.pid, "SIGCONT");
  for (const [i, server] of servers.entries()) {
    const { text, from } = await server.receive();
    assert.equal(text, places[i]);
    assert.equal(from, clientEndpoint(client));
  }
  assert.equal(socketCount(proxy), before + 1, "sockets while 1,000 questions are open");
  await inPortions([...servers.entries()], ([i, server]) => server.send(places[i], clientEndpoint(client)));
  const replies = await client.receiveAll(500);
  assert.equal(replies.length, 1_000);
  for (const { text, from } of replies) assert.equal(from, text);
  assert.equal(socketCount(proxy), before + 1, "sockets after 1,000 replies");
});

labTest("run serves 1,000 client endpoints with one socket each, and none for replies", {}, async (lab) => {
  const proxy = await startUdpProxy(lab);
  const server = openServer(lab, 4);
  const clients = Array.from({ length: 1_000 }, () => openClient(lab, 4));
  const before = socketCount(proxy);
  const speak = async () => {
    await inPortions(clients, (client) => client.send(client.local));
    const questions = await server.receiveAll(500);
    assert.equal(questions.length, clients.length);
    for (const { text, from } of questions) assert.equal(from, text);
  };
  await speak();
  assert.equal(socketCount(proxy), before + 1_000, "sockets before the replies");
  await inPortions(clients, (client) => server.send(client.local, client.local));
  for (const client of clients) assert.equal((await client.receive()).text, client.local);
  await speak();
  assert.equal(socketCount(proxy), before + 1_000, "sockets after the replies");
});

/** Returns the endpoint at which a server reaches an unconnected client, source: client. */
function clientEndpoint(client: UdpSocket): string {
  return at(ADDRESSES[4].client, client.port);
}

/** Does it for each, with pauses: a burst of 1,000 may overrun a queue of the kernel's on the way. */
async function inPortions<T>(items: readonly T[], action: (item: T) => void): Promise<void> {
  for (const [i, item] of items.entries()) {
    action(item);
    if (i % 50 === 49) await delay(5);
  }
}
