/** The books are read while workers write them; nobody is woken for it. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { exchange, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const BOTH = { intercept: { protocols: ["tcp", "udp"] } };
const { client, server } = ADDRESSES[4];

labTest(
  "Dataplane.sessions() tells whole rows while connections come and go, and the books agree in the end",
  { programs: ["nginx", "wrk"] },
  async (lab) => {
    const nginx = await startNginx(lab, { accessLog: false });
    const dataplane = await startDataplaneProgram(lab);
    const wrk = await lab.client.start([
      "wrk",
      "-t1",
      "-c40",
      "-d4s",
      "-H",
      "Connection: close",
      nginx.url(4),
    ]);
    let rows = 0;
    const keys = new Set<string>();
    while (wrk.running) {
      for (const row of await dataplane.sessions()) {
        rows++;
        keys.add(`${row.worker} ${row.slot} ${row.tag}`);
        const [address, port] = row.client.split(":");
        assert.ok(address === client && Number(port) > 1024, JSON.stringify(row));
        // accept(2) has told the client, the next call tells the destination.
        assert.ok([null, at(server, 80)].includes(row.destination), JSON.stringify(row));
        // A client whose server has not answered yet has no connection.
        const isAccepted = row.clientFd > 2 && row.clientFd !== row.upstreamFd;
        assert.ok(isAccepted || (row.clientFd === -1 && row.stage < 4), JSON.stringify(row));
        assert.ok(row.bytesUp >= 0 && row.bytesUp < 1000 && row.bytesDown < 10_000, JSON.stringify(row));
      }
    }
    assert.ok(rows > 300 && keys.size > 100, `${rows} rows of ${keys.size} sessions`);
    await until(async () => (await dataplane.sessions()).length === 0, {
      what: "all sessions to end",
      timeoutMs: 10_000, // clients that have gone in the midst of it are waited for
    });
    const { counters, live } = await dataplane.count();
    assert.equal(live, 0);
    const [total, ...others] = await dataplane.totals();
    assert.deepEqual(others, []);
    assert.deepEqual([total.rule, total.protocol, total.family], [null, "tcp", "ipv4"]);
    // A dial has an ending too when its client has gone in the midst of it; one that came back too late has
    // none of its own.
    const { accepted, unclaimed, unasked } = counters;
    const endings = Object.values(total.endings).reduce((sum, count) => sum + count);
    assert.equal(endings, accepted + unclaimed - unasked, JSON.stringify(counters));
    assert.deepEqual([total.bytesUp, total.bytesDown], [counters.bytesUp, counters.bytesDown]);
  },
);

labTest("Dataplane.sessions() wakes no worker", { programs: ["socat"] }, async (lab) => {
  await serve(lab, 7000, "cat");
  const dataplane = await startDataplaneProgram(lab, BOTH);
  const connection = await connectClient(lab, 7000);
  await connection.write("hello\n");
  await connection.waitForOutput("hello\n");
  await exchange(openClient(lab, 4, 7001), openServer(lab, 4, 7001));
  await delay(2500); // until the connection has its keepalive
  const turns = async () => (await dataplane.count()).counters.turns;
  const before = await turns();
  for (let i = 0; i < 20; i++) assert.equal((await dataplane.sessions()).length, 2);
  const after = await turns();
  assert.ok(after - before <= 2, `${after - before} turns for 20 readings`);
});

labTest(
  "Dataplane.close() ends the sessions that are named, of TCP and UDP",
  { programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const dataplane = await startDataplaneProgram(lab, BOTH);
    const clients = [await connectClient(lab, 7000), await connectClient(lab, 7000)];
    for (const client of clients) {
      await client.write("hello\n");
      await client.waitForOutput("hello\n");
    }
    const peer = openServer(lab, 4, 7001);
    for (let i = 0; i < 2; i++) await exchange(openClient(lab, 4, 7001), peer);
    const sessions = await dataplane.sessions();
    const named = ["tcp", "udp"].map((protocol) =>
      sessions.find((session) => session.protocol === protocol)!
    );
    await dataplane.tell({ do: "close", sessions: named });
    await until(async () => (await dataplane.sessions()).length === 2, { what: "two to end" });
    const left = await dataplane.sessions();
    assert.ok(left.every(({ client }) => !named.some((session) => session.client === client)));
    await dataplane.tell({ do: "close", sessions: named }); // their slots may be others' by now
    await delay(200);
    assert.equal((await dataplane.sessions()).length, 2);
    const isReset = ({ stderr }: { stderr: string }) => stderr.includes("Connection reset by peer");
    assert.equal(clients.filter(isReset).length, 1);
  },
);
