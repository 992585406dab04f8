/** A worker that fails is replaced: its listeners and its books belong to the process. */
import assert from "node:assert/strict";
import { countDescriptorKinds } from "../../laboratory/machine/procfs.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { connectClient, serve, socatServer } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import { type DataplaneProgram, startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "ss", "ip", "nft"];
const BOTH = { intercept: { interfaces: ["r0"], protocols: ["tcp", "udp"] }, limits: { "per-client": 40 } };

/** Connections that echo, until both workers have some. */
async function connectToBoth(lab: Lab, dataplane: DataplaneProgram): Promise<Program[]> {
  const clients: Program[] = [];
  for (;;) {
    const client = await connectClient(lab, 7000);
    clients.push(client);
    await client.write("first\n");
    await client.waitForOutput("first\n");
    const sessions = await dataplane.sessions();
    if ([0, 1].every((worker) => sessions.filter((session) => session.worker === worker).length > 1)) {
      return clients;
    }
  }
}

/** Sockets of the router that a process holds: those of the data plane. */
async function listHeldSockets(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.router.run(["ss", "-Htuwanp"]);
  return stdout.split("\n").filter((line) => line.includes("pid=")).map((line) => line.replace(/ +/g, " "))
    .sort();
}

async function echoes(lab: Lab): Promise<boolean> {
  const { stdout } = await lab.client.run(["socat", "-t2", "-", socatServer(4, 7000)], {
    input: "hello\n",
    mayFail: true,
  });
  return stdout === "hello\n";
}

labTest(
  "a worker that fails is replaced: others' connections go on, new ones are served, nothing is lost",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const dataplane = await startDataplaneProgram(lab, BOTH);
    const { pid } = dataplane.program;
    const eventFiles = () => countDescriptorKinds(pid).get("anon_inode");
    await dataplane.count(); // the first command makes the runtime open descriptors of its own
    const before = { sockets: await listHeldSockets(lab), eventFiles: eventFiles() };
    const clients = await connectToBoth(lab, dataplane);
    const [peer] = [lab.server.udp({ family: 4, bind: at(ADDRESSES[4].server, 7001) })];
    const senders = Array.from({ length: 6 }, () => lab.client.udp({ family: 4 }));
    for (const sender of senders) {
      sender.send("question", at(ADDRESSES[4].server, 7001));
      peer.send("answer", (await peer.receive()).from);
      assert.equal((await sender.receive()).text, "answer");
    }
    const sessions = await dataplane.sessions();
    assert.equal(sessions.length, clients.length + senders.length);
    const ofWorker = (worker: number, protocol: string) =>
      sessions.filter((session) => session.worker === worker && session.protocol === protocol).length;

    // The worker that was asked about a flow makes it known, which need not be the one that fails.
    await delay(300);
    await dataplane.tell({ do: "wreck", worker: 1 });
    await dataplane.program.waitForOutput("a worker has failed; another takes its place");
    const line = dataplane.program.stderr.split("\n").find((text) => text.includes("takes its place"))!;
    assert.match(line, / error .* worker=1 /);
    assert.match(
      line,
      new RegExp(`connections-lost=${ofWorker(1, "tcp")} udp-sessions-lost=${ofWorker(1, "udp")}`),
    );
    assert.match(line, /TypeError: no protocol: \\"sctp\\"\\n +at .*obey\.ts/, "with its trace");

    const left = await dataplane.sessions();
    assert.ok(left.every(({ worker }) => worker === 0));
    assert.equal(left.length, ofWorker(0, "tcp") + ofWorker(0, "udp"));
    const { live, udpLive, counters } = await dataplane.count();
    assert.deepEqual([live, udpLive, counters.lost], [
      ofWorker(0, "tcp"),
      ofWorker(0, "udp"),
      ofWorker(1, "tcp") + ofWorker(1, "udp"),
    ]);
    // The clients of the failed worker are told, the others go on.
    const goesOn = ({ stderr }: Program) => !stderr.includes("Connection reset by peer");
    await until(() => clients.filter(goesOn).length === ofWorker(0, "tcp"), { what: "the lost ones to end" });
    for (const client of clients.filter(goesOn)) {
      await client.write("second\n");
      await client.waitForOutput("second\n");
    }
    // SO_REUSEPORT gives about every second one to the new worker.
    for (let i = 0; i < 12; i++) assert.ok(await echoes(lab), `connection ${i}`);
    const accepted = (await dataplane.count()).counters.accepted;
    assert.equal(accepted, clients.length + 12);
    for (const sender of senders) {
      sender.send("again", at(ADDRESSES[4].server, 7001));
      peer.send("answer", (await peer.receive()).from);
      assert.equal((await sender.receive()).text, "answer");
    }

    for (const client of clients) await client.stop();
    await until(async () => (await dataplane.count()).live === 0, { what: "all connections to end" });
    await dataplane.tell({ do: "close", sessions: await dataplane.sessions() });
    await until(async () => (await dataplane.count()).udpLive === 0, { what: "all UDP sessions to end" });
    await delay(200); // threads are being cleared away
    assert.deepEqual({ sockets: await listHeldSockets(lab), eventFiles: eventFiles() }, before);
  },
);

labTest("a worker that fails leaves no pipe, and no client counted", { programs: PROGRAMS }, async (lab) => {
  await serve(lab, 7000, "cat /dev/zero");
  const dataplane = await startDataplaneProgram(lab, { limits: { "per-client": 8 } });
  const { pid } = dataplane.program;
  const pipes = () => countDescriptorKinds(pid).get("pipe") ?? 0;
  await dataplane.count(); // the first command makes the runtime open descriptors of its own
  const before = pipes();
  for (let round = 0; round < 2; round++) {
    const clients: Program[] = [];
    for (let i = 0; i < 8; i++) {
      clients.push(
        await lab.client.start(["socat", "-u", socatServer(4, 7000), "OPEN:/dev/null,wronly"]),
      );
    }
    // As many as the limit allows: those that were lost are counted no more.
    await until(async () => (await dataplane.sessions()).length === 8 && pipes() > before + 4, {
      what: `8 sessions that splice, round ${round}`,
    });
    // One that is not answered yet asks again, and the next thread serves it.
    await until(async () => await countEstablished(lab) === 8, { what: "8 clients that are connected" });
    for (const worker of [0, 1]) await dataplane.tell({ do: "wreck", worker });
    await until(async () => (await dataplane.count()).counters.lost === 8 * (round + 1), {
      what: "all to be lost",
    });
    for (const client of clients) await client.waitForExit();
    // Threads are being cleared away. A pipe of ours has two ends: a single one is the runtime's.
    await until(() => pipes() <= before + 1, { what: `no more descriptors of pipes than ${before}` });
  }
});

async function countEstablished(lab: Lab): Promise<number> {
  const { stdout } = await lab.client.run(["ss", "-Htn", "state", "established", "dport", "7000"]);
  return stdout.split("\n").filter((line) => line !== "").length;
}

labTest("a worker that fails again and again ends the process", { programs: PROGRAMS }, async (lab) => {
  const dataplane = await startDataplaneProgram(lab);
  const failures = () => dataplane.program.stderr.split("another takes its place").length - 1;
  for (let i = 1; i <= 5; i++) {
    await dataplane.tell({ do: "wreck", worker: i % 2 });
    await until(() => failures() === i, { what: `failure ${i}` });
  }
  assert.ok(dataplane.program.running);
  await dataplane.program.write(`${JSON.stringify({ do: "wreck", worker: 0 })}\n`);
  assert.equal(await dataplane.program.waitForExit(), 1);
  assert.match(dataplane.program.stdout, /FAILED Cannot run worker "0": TypeError: no protocol/);
});

labTest("a worker that fails while it drains costs no other its connections", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const dataplane = await startDataplaneProgram(lab);
  const clients = await connectToBoth(lab, dataplane);
  await dataplane.tell({ do: "drain" });
  await dataplane.tell({ do: "wreck", worker: 1 });
  await until(async () => (await dataplane.sessions()).every(({ worker }) => worker === 0), {
    what: "the sessions of the failed worker to be lost",
  });
  const kept = new Set((await dataplane.sessions()).map(({ client }) => client));
  assert.ok(kept.size > 1);
  await delay(200); // a reset would have come
  assert.equal((await dataplane.sessions()).length, kept.size);
  for (const client of clients) await client.stop();
  assert.equal(await dataplane.program.waitForExit(), 1);
  assert.match(dataplane.program.stdout, /FAILED Cannot run worker "1": TypeError: no protocol/);
});

for (const [order, end] of [["part", "is at EOF"], ["unpark", "Connection reset by peer"]] as const) {
  labTest(
    `connections that are parked when their worker fails are closed by the order to ${order}`,
    { programs: PROGRAMS },
    async (lab) => {
      await serve(lab, 7000, "cat");
      const dataplane = await startDataplaneProgram(lab, BOTH);
      await dataplane.count();
      const before = await listHeldSockets(lab);
      const clients = await connectToBoth(lab, dataplane);
      const parked = (await dataplane.sessions()).filter(({ worker }) => worker === 1).length;
      assert.equal(await dataplane.tell({ do: "park", worker: 1 }), parked * 2);
      await dataplane.tell({ do: "wreck", worker: 1 });
      await dataplane.program.waitForOutput("a worker has failed; another takes its place");
      await delay(300);
      const ended = () => clients.filter(({ output }) => output.includes(end)).length;
      assert.equal(ended(), 0, "another process may have them");
      await dataplane.tell({ do: order, worker: 1 });
      await until(() => ended() === parked, { what: "their end" });
      await delay(300);
      assert.equal(ended(), parked);
      for (const client of clients) await client.closeInput();
      for (const client of clients) await client.waitForExit();
      await until(async () => (await listHeldSockets(lab)).length <= before.length, { what: "no socket" });
      assert.deepEqual(await listHeldSockets(lab), before);
    },
  );
}
