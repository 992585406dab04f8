/** UDP through real SOCKS5 proxies: both families, every size, and what becomes of it when a proxy fails. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { listDescriptors } from "../../laboratory/machine/procfs.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { macOf } from "../../laboratory/network/raw_link.ts";
import { exchange, fateOf, openClient, openServer, startEcho } from "../../laboratory/network/udp_peers.ts";
import { at, type UdpSocket } from "../../laboratory/network/udp_socket.ts";
import type { DataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";
import { startDante, startMicrosocks, startV2ray } from "../../laboratory/upstreams/proxies.ts";
import { startThrough, through } from "../../laboratory/upstreams/through.ts";

const PORT = 1080;
const SOCKS = { type: "socks5", port: PORT } as const;
/** The largest datagrams of Linux, less the header of SOCKS5. */
const LARGEST = { 4: 65_507 - 10, 6: 65_507 - 22 } as const;
const KINDS = [
  { name: "Dante", program: "danted", start: startDante },
  { name: "V2Ray", program: "v2ray", start: startV2ray },
] as const;

for (const { name, program, start } of KINDS) {
  labTest(
    `Datagrams go through ${name}, over both families and to both`,
    { programs: [program] },
    async (lab) => {
      await start(lab, { port: PORT, asks: false });
      const dataplane = await startThrough(lab, SOCKS);
      for (const proxy of [4, 6] as const) {
        await dataplane.adopt(through(lab, { ...SOCKS, family: proxy }));
        for (const family of [4, 6] as const) {
          const server = openServer(lab, family);
          const client = openClient(lab, family);
          const where = `IPv${family} through a proxy at IPv${proxy}`;
          for (let i = 0; i < 3; i++) {
            const seen = await exchange(client, server);
            assert.ok(!seen.includes(ADDRESSES[family].client), `the server saw the client: ${where}`);
          }
          server.close();
        }
      }
    },
  );
}

labTest("Datagrams of every size go through a proxy", { programs: ["danted"] }, async (lab) => {
  await startDante(lab, { port: PORT });
  await startThrough(lab, SOCKS);
  for (const family of [4, 6] as const) {
    startEcho(openServer(lab, family));
    const client = openClient(lab, family);
    // To Dante an empty one is none.
    for (const size of [1, 1_400, 1_472, 1_473, 9_000, 32_768, LARGEST[family]]) {
      const data = crypto.getRandomValues(new Uint8Array(size));
      client.send(data);
      const reply = await client.receive();
      assert.deepEqual(reply.data, data, `${size} bytes came back changed`);
    }
    client.send(new Uint8Array(LARGEST[family] + 1));
    assert.equal(await client.receiveWithin(300), undefined, "larger than UDP with a header before it");
    client.send("still here");
    assert.equal((await client.receive()).text, "still here");
  }
});

labTest("One association carries all servers of a client's socket", { programs: ["v2ray"] }, async (lab) => {
  await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  const client = lab.client.udp({ family: 4 });
  for (const port of [53, 443, 7000, 50_080]) {
    const server = openServer(lab, 4, port);
    await exchange(client, server, at(ADDRESSES[4].server, port));
  }
  const sessions = await dataplane.sessions();
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].ruleName, "through");
  assert.ok(sessions[0].clientFd >= 0 && sessions[0].upstreamFd >= 0, "a connection, and a socket");
  assert.ok(sessions[0].bytesUp > 100 && sessions[0].bytesDown > 100);
});

labTest("Datagrams that wait for their association go on in order", { programs: ["v2ray"] }, async (lab) => {
  await startV2ray(lab, { port: PORT, asks: false });
  await startThrough(lab, SOCKS);
  const server = openServer(lab, 4);
  for (let round = 0; round < 20; round++) {
    const client = openClient(lab, 4);
    const sent = Array.from({ length: 12 }, (_, i) => `${round}: ${i}`);
    for (const text of sent) client.send(text);
    assert.deepEqual((await server.receiveAll(100)).map(({ text }) => text), sent);
    client.close();
  }
});

labTest("Each server of a client's socket goes its own way", { programs: ["v2ray"] }, async (lab) => {
  await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  const { upstreams } = through(lab, SOCKS);
  await dataplane.adopt({
    upstreams,
    rules: [
      { name: "office", ports: [7001, 7003], action: "proxy", upstream: "office" },
      { name: "shut", ports: [7002], action: "block" },
    ],
  });
  for (const family of [4, 6] as const) {
    const { server, client: address } = ADDRESSES[family];
    for (const order of [[7000, 7001, 7003], [7001, 7000, 7003]]) {
      const client = lab.client.udp({ family });
      for (const round of [1, 2]) {
        for (const port of order) {
          const socket = openServer(lab, family, port);
          const seen = await exchange(client, socket, at(server, port));
          const isLed = seen.startsWith(at(address, 0).slice(0, -1)) === (port === 7000);
          assert.ok(isLed, `${port} saw ${seen} in round ${round} of ${order}`);
          socket.close();
        }
      }
    }
    const blocked = openClient(lab, family, 7002);
    assert.equal(await fateOf(blocked, openServer(lab, family, 7002)), "ECONNREFUSED");
  }
});

labTest("An interface or a hardware address leads flows to a proxy", { programs: ["v2ray"] }, async (lab) => {
  await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  const { upstreams } = through(lab, SOCKS);
  const mac = macOf(lab.client, "c0");
  const led = { name: "led", action: "proxy", upstream: "office" };
  const server = openServer(lab, 4);
  for (
    const [isLed, rule] of [
      [true, { ...led, in: ["r0"] }],
      [false, { ...led, in: ["r1"] }],
      [true, { ...led, mac: [mac] }],
      [false, { ...led, mac: ["02:00:00:00:00:01"] }],
    ] as const
  ) {
    await dataplane.adopt({ upstreams, rules: [rule] });
    const seen = await exchange(openClient(lab, 4), server);
    assert.equal(seen.startsWith(ADDRESSES[4].client), !isLed, JSON.stringify(rule));
  }
});

labTest("A proxy that carries no UDP refuses it, and nothing goes direct", {
  programs: ["microsocks"],
}, async (lab) => {
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family);
    const client = openClient(lab, family);
    // At once, and as long as nobody asks the proxy once more.
    for (let i = 0; i < 3; i++) {
      client.send("whither");
      await assert.rejects(client.receive(), /ECONNREFUSED/);
    }
    assert.equal(server.poll(), undefined);
  }
  assert.match(dataplane.program.stderr, /upstream=office said="reply 7, command not supported"/);
});

labTest(
  "Another member of a group carries a flow that one has failed",
  { programs: ["v2ray"] },
  async (lab) => {
    await startV2ray(lab, { port: PORT, asks: false });
    const dataplane = await startThrough(lab, SOCKS);
    const { upstreams } = through(lab, SOCKS);
    const dead = { type: "socks5", address: `${ADDRESSES[4].server}:${PORT + 5}` };
    await dataplane.adopt({
      upstreams: { dead, ...upstreams as object },
      groups: { both: { members: ["dead", "office"] } },
      rules: [{ name: "both", action: "proxy", upstream: "both" }],
    });
    const server = openServer(lab, 4);
    const client = openClient(lab, 4);
    client.send("whither");
    await assert.rejects(client.receive(), /ECONNREFUSED/);
    assert.equal(await fateOf(client, server, 2000), "forwarded");
    const seen = await exchange(client, server);
    assert.ok(!seen.startsWith(ADDRESSES[4].client), `the server saw ${seen}`);
  },
);

labTest("A proxy that is dead refuses at once", {}, async (lab) => {
  await startThrough(lab, SOCKS);
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  const before = performance.now();
  client.send("whither");
  await assert.rejects(client.receive(), /ECONNREFUSED/);
  assert.ok(performance.now() - before < 800, `after ${performance.now() - before} ms`);
  assert.equal(server.poll(), undefined);
});

labTest("A session outlives a restart of its proxy, and never goes direct", {
  programs: ["v2ray"],
}, async (lab) => {
  const proxy = await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  await exchange(client, server);
  await proxy.stop("SIGKILL");
  await until(async () => (await dataplane.sessions())[0].upstreamFd < 0, { what: "the association's end" });
  assert.equal(await fateOf(client, server), "ECONNREFUSED");
  await startV2ray(lab, { port: PORT, asks: false });
  await until(async () => await fateOf(client, server, 100) === "forwarded", {
    what: "the next association",
    timeoutMs: 5000,
  });
  const [session, ...others] = await dataplane.sessions();
  assert.deepEqual([others, session.ruleName], [[], "through"]);
  await exchange(client, server);
});

labTest("A thousand sessions leave no descriptor behind", { programs: ["v2ray"] }, async (lab) => {
  await startV2ray(lab, { port: PORT, asks: false });
  const dataplane = await startThrough(lab, SOCKS);
  const echo = openServer(lab, 4);
  startEcho(echo);
  // Each worker keeps some descriptors from its first session on; which one it is, the port says.
  await exchangeAll(lab, 300);
  await closeAll(dataplane);
  const before = listDescriptors(dataplane.program.pid).length;
  await exchangeAll(lab, 1000);
  assert.equal((await dataplane.count()).udpLive, 1000);
  const live = listDescriptors(dataplane.program.pid).length;
  assert.ok(live >= before + 2000, `${live - before} descriptors of 1000 sessions`);
  await closeAll(dataplane);
  await delay(100);
  assert.equal(listDescriptors(dataplane.program.pid).length, before);
});

/** Has so many clients' sockets send a datagram each, and waits for the answers of an echo. */
async function exchangeAll(lab: Lab, count: number): Promise<void> {
  const clients: UdpSocket[] = [];
  for (let i = 0; i < count; i++) {
    const client = openClient(lab, 4);
    client.send(`${i}`);
    clients.push(client);
    if (i % 20 === 0) await delay(5);
  }
  // Of many at once V2Ray 4.34 gives some the answers of others, and some none.
  const answers = await Promise.all(clients.map((client) => client.receiveWithin(5000)));
  const answered = answers.filter((answer) => answer !== undefined).length;
  assert.ok(answered >= count * 0.98, `${answered} of ${count} were answered`);
  for (const client of clients) client.close();
}

async function closeAll(dataplane: DataplaneProgram): Promise<void> {
  await dataplane.tell({ do: "close", sessions: await dataplane.sessions() });
  await until(async () => (await dataplane.count()).udpLive === 0, { what: "the end of all sessions" });
}
