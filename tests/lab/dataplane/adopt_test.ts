/** Workers take settings and rules between two turns: live sessions go on, by what is in force now. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { connectClient, listSockets, serve, socatServer } from "../../laboratory/network/sockets.ts";
import { exchange, fateOf, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "ss", "tcpdump"];
const BOTH = { intercept: { protocols: ["tcp", "udp"] } };
const SERVER = ADDRESSES[4].server;

labTest("adopt() ends silent UDP sessions by the new timeout", {}, async (lab) => {
  const dataplane = await startDataplaneProgram(lab, BOTH);
  await exchange(openClient(lab, 4), openServer(lab, 4));
  await exchange(openClient(lab, 4, 53), openServer(lab, 4, 53));
  assert.equal((await dataplane.sessions()).length, 2);
  await dataplane.adopt({ timeouts: { "udp-idle": "1s", "udp-dns": "1s" } });
  // Some seconds in any case: the kernel must have forgotten the flow before its session ends.
  await until(async () => (await dataplane.count()).counters.udpExpired === 2, {
    what: "both to end",
    timeoutMs: 9000,
  });
});

labTest("adopt() raises and lowers limits.connections: live ones go on, a new one finds room", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const dataplane = await startDataplaneProgram(lab, { limits: { connections: 1 } });
  let source = 40000;
  const open = async () => {
    // Ports that one worker has: it makes room among its own.
    const client = await connectClient(lab, 7000, { source: source += 32 });
    await client.write("served\n");
    await client.waitForOutput("served\n");
    return client;
  };
  const isLive = async (count: number) =>
    await until(async () => (await dataplane.count()).live === count, { what: `${count} live` });
  const first = await open();
  await dataplane.adopt({ limits: { connections: 2 } });
  const second = await open();
  await first.write("still there\n");
  await first.waitForOutput("still there\n");
  await isLive(2);
  await dataplane.adopt({ limits: { connections: 1 } });
  await delay(300);
  await isLive(2); // nobody needs the room yet
  await open();
  await isLive(1);
  for (const client of [first, second]) await client.waitForOutput(/reset by peer/i);
});

labTest("adopt() lowers limits.udp-sessions: there are fewer with each new one", {}, async (lab) => {
  const dataplane = await startDataplaneProgram(lab, BOTH);
  const server = openServer(lab, 4);
  for (let i = 0; i < 20; i++) await exchange(openClient(lab, 4), server);
  assert.equal((await dataplane.count()).udpLive, 20);
  await dataplane.adopt({ limits: { "udp-sessions": 4 } });
  for (let i = 0; i < 60; i++) await exchange(openClient(lab, 4), server);
  const { udpLive } = await dataplane.count();
  assert.ok(udpLive <= 4, `${udpLive} live`);
});

labTest("adopt() changes source for new sessions, of TCP and UDP", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  const dataplane = await startDataplaneProgram(lab, BOTH);
  const { client, wan } = ADDRESSES[4];
  const seen = async () => {
    const lines = await listSockets(lab.server, "state established sport = 7000");
    return lines.map((line) => /(\S+):\d+\s*$/.exec(line)![1].replace(/^\[::ffff:|\]$/g, "")).sort();
  };
  const open = async () => {
    const opened = await connectClient(lab, 7000);
    await opened.write("hello\n");
    await opened.waitForOutput("hello\n");
    return opened;
  };
  const old = await open();
  const server = openServer(lab, 4, 7001);
  const [oldUdp, newUdp] = [openClient(lab, 4, 7001), openClient(lab, 4, 7001)];
  assert.equal(await exchange(oldUdp, server), oldUdp.local);
  await dataplane.adopt({ source: "router" });
  await open();
  assert.deepEqual(await seen(), [client, wan].sort());
  assert.match(await exchange(newUdp, server), new RegExp(`^${wan}:`));
  await old.write("still there\n");
  await old.waitForOutput("still there\n");
  assert.equal(await exchange(oldUdp, server), oldUdp.local, "it keeps its socket");
});

labTest("adopt() changes udp.filtering for sessions that live", {}, async (lab) => {
  const dataplane = await startDataplaneProgram(lab, { ...BOTH, source: "router" });
  const server = openServer(lab, 4);
  const stranger = lab.server.udp({ family: 4, bind: at(SERVER, 7009) });
  const client = lab.client.udp({ family: 4 });
  const seen = await exchange(client, server, at(SERVER, 7000));
  const hears = async () => {
    stranger.send("psst", seen);
    return (await client.receiveAll(300)).length === 1;
  };
  assert.equal(await hears(), false);
  await dataplane.adopt({ source: "router", udp: { filtering: "endpoint-independent" } });
  assert.equal(await hears(), true);
  await dataplane.adopt({ source: "router" });
  const other = lab.client.udp({ family: 4 });
  const seenOther = await exchange(other, server, at(SERVER, 7000));
  stranger.send("psst", seenOther);
  assert.deepEqual(await other.receiveAll(300), [], "a new session is filtered");
});

labTest("adopt() changes udp.tos for sessions that live", { programs: PROGRAMS }, async (lab) => {
  const dataplane = await startDataplaneProgram(lab, BOTH);
  const there = await startCapture(lab.server, {
    link: "s0",
    filter: `udp and port 7000 and src host ${ADDRESSES[4].client}`,
    verbose: true,
  });
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  client.setTos(0xb8);
  await exchange(client, server);
  await dataplane.adopt({ udp: { tos: "clear" } });
  await exchange(client, server);
  await dataplane.adopt({});
  await exchange(client, server);
  const tosOf = (line: string) => Number(/\(tos (0x[0-9a-f]+)/.exec(line)?.[1] ?? 0);
  assert.deepEqual((await there.stop()).map(tosOf), [0xb8, 0, 0xb8]);
});

labTest("adopt() changes what workers log", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat");
  const dataplane = await startDataplaneProgram(lab);
  const lines = () => dataplane.program.stderr.split(" debug connection opened ").length - 1;
  const connect = () => lab.client.run(["socat", "-t2", "-", socatServer(4, 7000)], { input: "hello\n" });
  await connect();
  assert.equal(lines(), 0);
  await dataplane.adopt({ log: { level: "debug" } });
  await connect();
  await until(() => lines() === 1, { what: "a line" });
  await dataplane.adopt({});
  await connect();
  assert.equal(lines(), 1);
});

/** Connects to a port and returns the outcome. */
async function connectionTo(lab: Lab, port: number): Promise<string> {
  const argv = ["socat", "-dd", "-t1", "-T1", "-", `${socatServer(4, port)},connect-timeout=0.8`];
  const { stdout, stderr } = await lab.client.run(argv, { input: "hello\n", mayFail: true });
  return stdout === "hello\n" ? "served" : /refused/.test(stderr) ? "refused" : "silence";
}

labTest(
  "adopt() blocks what the kernel has sent before it knew the rule",
  { programs: PROGRAMS },
  async (lab) => {
    for (const port of [7000, 7001, 7002]) await serve(lab, port, "cat");
    const dataplane = await startDataplaneProgram(lab, BOTH);
    const old = await connectClient(lab, 7001);
    await old.write("first\n");
    await old.waitForOutput("first\n");
    const rules = [
      { name: "refused", ports: [7001], action: "block" },
      { name: "dropped", ports: [7002], action: "block", silent: true },
      { name: "games", from: [`${ADDRESSES[4].client}/32`], ports: [7000], action: "direct" },
    ];
    const servers = [7000, 7001, 7002].map((port) => openServer(lab, 4, port));
    await dataplane.adopt({ rules });
    assert.deepEqual(
      await Promise.all([7000, 7001, 7002].map((port) => connectionTo(lab, port))),
      ["served", "refused", "silence"],
    );
    const fates: string[] = [];
    for (const server of servers) fates.push(await fateOf(openClient(lab, 4, Number(server.port)), server));
    assert.deepEqual(fates, ["forwarded", "ECONNREFUSED", "lost"]);
    await old.write("second\n");
    await old.waitForOutput("second\n"); // it goes by the rules of its beginning
    const [game] = (await dataplane.sessions()).filter(({ protocol }) => protocol === "udp");
    assert.deepEqual([game.ruleName, game.destination, game.generation], ["games", at(SERVER, 7000), 2]);
    const totals = (await dataplane.totals()).map(({ rule, protocol, endings }) =>
      [rule, protocol, endings.closed, endings.blocked] as const
    );
    assert.deepEqual(totals.filter(([, protocol]) => protocol === "tcp"), [
      ["refused", "tcp", 0, 1],
      ["dropped", "tcp", 0, 1],
      ["games", "tcp", 1, 0],
    ]);
  },
);
