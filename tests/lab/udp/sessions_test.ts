/**
 * UDP sessions: how many there may be, whose ends first, how long a silent one lives, and a flood of them.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { labTest } from "../../laboratory/register.ts";
import { sendFlood } from "../../laboratory/network/udp_flood.ts";
import {
  boundEndpoints,
  exchange,
  openClient,
  openServer,
  socketCount,
  startUdpProxy,
  waitForBound,
} from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const MIB = 1 << 20;
const NEEDED = { programs: ["ss"] };

/** Sockets of clients, each with a session; in the order in which they have spoken. */
async function openSessions(
  lab: Lab,
  server: UdpSocket,
  count: number,
  address?: string,
): Promise<UdpSocket[]> {
  const clients: UdpSocket[] = [];
  for (let i = 0; i < count; i++) {
    const connect = server.local;
    clients.push(
      lab.client.udp({ family: 4, connect, ...address === undefined ? {} : { bind: at(address, 0) } }),
    );
    await exchange(clients[i], server);
    // Recency is told in ticks of a clock.
    await delay(20);
  }
  return clients;
}

labTest("run keeps to limits.udp-sessions: the one silent for longest goes", NEEDED, async (lab) => {
  const proxy = await startUdpProxy(lab, {
    limits: { "udp-sessions": 10 },
    listener: { workers: 1 },
    intercept: { admission: "early" }, // else the flow of a session that went asks again only after a while
  });
  const server = openServer(lab, 4);
  const before = socketCount(proxy);
  const clients = await openSessions(lab, server, 10);
  assert.equal(socketCount(proxy), before + 10);
  await exchange(clients[0], server);
  await openSessions(lab, server, 1);
  await waitForBound(lab, clients[1].local, false);
  assert.equal(socketCount(proxy), before + 10);
  const bound = await boundEndpoints(lab);
  for (const [i, client] of clients.entries()) {
    assert.equal(bound.includes(client.local), i !== 1, `client ${i}`);
  }
  // It is served again when it speaks again, at the expense of the next.
  await exchange(clients[1], server);
  await waitForBound(lab, clients[2].local, false);
  assert.equal(socketCount(proxy), before + 10);
});

labTest(
  "run keeps to limits.per-client: a client's new endpoint replaces its own oldest",
  NEEDED,
  async (lab) => {
    await lab.client.ip("addr add 10.77.1.3/24 dev c0");
    const proxy = await startUdpProxy(lab, { limits: { "per-client": 5 }, listener: { workers: 1 } });
    const server = openServer(lab, 4);
    const before = socketCount(proxy);
    const others = await openSessions(lab, server, 3, "10.77.1.3");
    const clients = await openSessions(lab, server, 7);
    for (const gone of clients.slice(0, 2)) await waitForBound(lab, gone.local, false);
    assert.equal(socketCount(proxy), before + 8);
    const bound = await boundEndpoints(lab);
    for (const alive of [...others, ...clients.slice(2)]) assert.ok(bound.includes(alive.local), alive.local);
  },
);

labTest("run ends sessions that are silent for timeouts.udp-idle, and only those", NEEDED, async (lab) => {
  const proxy = await startUdpProxy(lab, {
    timeouts: { "udp-idle": "1s" },
    listener: { workers: 1 },
    intercept: { admission: "early" }, // else no session ends within six seconds
  });
  const before = socketCount(proxy);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    const [silent, asking, listening] = [0, 1, 2].map(() => openClient(lab, family));
    for (const client of [silent, asking, listening]) await exchange(client, server);
    // A client's question keeps its session, and so does a server's answer.
    for (let i = 0; i < 8; i++) {
      asking.send("still here");
      server.send("still here", listening.local);
      await delay(300);
    }
    const bound = await boundEndpoints(lab);
    assert.ok(!bound.includes(silent.local), "the silent one lives");
    assert.ok(bound.includes(asking.local), "the asking one has gone");
    assert.ok(bound.includes(listening.local), "the listening one has gone");
    assert.equal((await listening.receiveAll(100)).length, 8);
    await server.receiveAll(100);
    await exchange(silent, server);
  }
  await until(() => socketCount(proxy) === before, { what: "every session to end" });
});

labTest("run ends DNS sessions after timeouts.udp-dns", NEEDED, async (lab) => {
  await startUdpProxy(lab, {
    timeouts: { "udp-dns": "1s", "udp-idle": "60s" },
    intercept: { admission: "early" },
  });
  for (const family of [4, 6] as const) {
    const dns = openServer(lab, family, 53);
    const other = openServer(lab, family, 7000);
    const { server, client } = ADDRESSES[family];
    const [onlyDns, onlyOther, both] = [0, 1, 2].map(() => lab.client.udp({ family, bind: at(client, 0) }));
    for (const asking of [onlyDns, both]) await exchange(asking, dns, at(server, 53));
    for (const asking of [onlyOther, both]) await exchange(asking, other, at(server, 7000));
    await waitForBound(lab, onlyDns.local, false);
    await delay(1_500);
    const bound = await boundEndpoints(lab);
    assert.ok(bound.includes(onlyOther.local), "the session to port 7000 has gone");
    assert.ok(bound.includes(both.local), "the session to both ports has gone");
  }
});

for (const perClient of [0, 256]) {
  labTest(`run survives 200,000 forged source ports, per-client: ${perClient}`, {}, async (lab) => {
    const proxy = await startUdpProxy(lab, { limits: { "per-client": perClient } });
    const server = openServer(lab, 4);
    const steady = openClient(lab, 4);
    await exchange(steady, server);
    const before = proxy.residentBytes();
    // It reads nothing before the end.
    const victim = openServer(lab, 4, 7777);
    let over = false;
    const flood = sendFlood(lab.client.udp({ family: 4, raw: true }), {
      count: 200_000,
      firstSource: "10.77.1.100",
      portsEach: 50_000,
      destination: ADDRESSES[4].server,
      port: 7777,
    }).then(() => over = true);
    const answered = { steady: 0, new: 0 };
    const asked = { steady: 0, new: 0 };
    while (!over) {
      asked.steady++;
      if (await tryExchange(steady, server)) answered.steady++;
      const newcomer = openClient(lab, 4);
      asked.new++;
      for (let attempt = 0; attempt < 3; attempt++) {
        if (!await tryExchange(newcomer, server)) continue;
        answered.new++;
        break;
      }
      newcomer.close();
    }
    await flood;
    const score = `asked ${JSON.stringify(asked)}, answered ${JSON.stringify(answered)}`;
    assert.ok(answered.steady > asked.steady / 2, score);
    assert.ok(answered.new > asked.new / 2, score);
    assert.ok((await victim.receiveAll(50)).length > 1_000, "the flood did not pass the proxy");
    const growth = proxy.residentBytes() - before;
    assert.ok(growth < 64 * MIB, `grew by ${(growth / MIB).toFixed(1)} MiB`);
    const lines = proxy.log.split("\n").length;
    assert.ok(lines < 50, `${lines} lines of log:\n${proxy.log.slice(0, 2_000)}`);
    await until(() => tryExchange(openClient(lab, 4), server), { what: "a new client to be served" });
  });
}

/** Asks once, with 300 ms for each way; whether the answer came. */
async function tryExchange(client: UdpSocket, server: UdpSocket): Promise<boolean> {
  const question = crypto.randomUUID();
  client.send(question);
  const end = performance.now() + 300;
  while (performance.now() < end) {
    const asked = await server.receiveWithin(end - performance.now());
    if (asked?.text !== question) continue; // another one's, too late
    server.send(question, asked.from);
    const answer = await client.receiveWithin(300);
    return answer?.text === question;
  }
  return false;
}
