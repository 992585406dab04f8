/** Clients whose SYN has asked, until they are accepted: who is still there, who is not, and what is left. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { attempt, startDial } from "../../laboratory/network/dial.ts";
import { buildFrame } from "../../laboratory/network/packets.ts";
import { macOf, RawLink } from "../../laboratory/network/raw_link.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { type DataplaneProgram, startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { etherKey } from "../../../src/netlink/nft/sets/set_type.ts";

const PROGRAMS = ["socat", "ss", "ip", "nft", "python3"];
const PATIENT = { timeouts: { connect: "60s" } };

/** A server that answers no SYN to these ports. */
function silence(lab: Lab, ports: string): Promise<void> {
  return lab.server.nft(
    `table inet silent { chain in { type filter hook input priority 0; tcp dport ${ports} drop; }; }`,
  );
}

/** Keeps answers from reaching the client, which so never completes a connection. */
function deafen(lab: Lab): Promise<void> {
  return lab.client.nft(
    `table inet deaf { chain in { type filter hook input priority 0; iif "c0" meta l4proto tcp drop; }; }`,
  );
}

const hear = (lab: Lab) => lab.client.run(["nft", "delete", "table", "inet", "deaf"]);
const live = async (dataplane: DataplaneProgram) => (await dataplane.count()).live;

/** The number of sockets of the router that a process holds: those of the data plane. */
async function sockets(lab: Lab): Promise<number> {
  const { stdout } = await lab.router.run(["ss", "-Htuwanp"]);
  return stdout.split("\n").filter((line) => line.includes("pid=")).length;
}

labTest(
  "a SYN that is repeated asks once, and a dial ends when its client has gone",
  { programs: PROGRAMS },
  async (lab) => {
    await silence(lab, "7200");
    const dataplane = await startDataplaneProgram(lab, PATIENT);
    const before = await sockets(lab);
    const impatient = await startDial(lab, { port: 7200, seconds: 1.5 });
    const patient = await startDial(lab, { port: 7200, seconds: 30 });
    await impatient.waitForExit();
    const gone = performance.now();
    assert.equal(await live(dataplane), 2);
    await until(async () => await live(dataplane) === 1, { what: "one dial to end", timeoutMs: 8000 });
    assert.ok(performance.now() - gone < 7000);
    await delay(4000); // the other goes on sending SYNs
    const { live: left, counters } = await dataplane.count();
    assert.equal(left, 1);
    assert.equal(counters.expired, 1);
    const dials = (await lab.server.run(["nft", "list", "ruleset"])).stdout;
    assert.ok(dials.includes("7200"));
    assert.ok(counters.questions - counters.questionsRepeated === 2, "two dials");
    assert.ok(counters.questionsRepeated >= 3, `${counters.questionsRepeated} SYNs were repeated`);
    await patient.stop();
    await until(async () => await live(dataplane) === 0, { what: "the other to end", timeoutMs: 20_000 });
    assert.equal(await sockets(lab), before);
  },
);

labTest("what the client of a new connection sends is not reset where its socket is not found", {
  programs: ["socat", "tcpdump"],
}, async (lab) => {
  await serve(lab, 7000, "cat >/dev/null");
  const dataplane = await startDataplaneProgram(lab);
  using link = new RawLink(lab.client, "c0");
  await lab.client.run(["socat", "-u", "/dev/null", "TCP:203.0.113.2:7000,sourceport=33333"]);
  await until(async () => await live(dataplane) === 0, { what: "the connection to end" });
  assert.equal((await dataplane.count()).counters.accepted, 1);
  const resets = await startCapture(lab.client, { link: "c0", filter: "tcp[tcpflags] & tcp-rst != 0" });
  // Its last segment once more, for which there is no socket any more.
  const last = link.frames().map((frame) => new DataView(frame.buffer, frame.byteOffset, frame.byteLength))
    .findLast((frame) => frame.byteLength >= 54 && frame.getUint16(34) === 33333)!;
  link.send(buildFrame({
    source: parseIp(ADDRESSES[4].client)!,
    destination: parseIp(ADDRESSES[4].server)!,
    sourcePort: 33333,
    destinationPort: 7000,
    kind: "ack",
    sequence: last.getUint32(38),
    acknowledges: last.getUint32(42),
    sourceMac: etherKey(macOf(lab.client, "c0")),
    destinationMac: etherKey(macOf(lab.router, "r0")),
  }));
  assert.deepEqual(await resets.stop(), []);
  const { stdout } = await lab.router.run(["nstat", "-asz", "TcpOutRsts"]);
  assert.match(stdout, /TcpOutRsts +1 /, "the listener has refused it");
});

labTest("silence stays silence: after the dial's timeout a SYN that is repeated asks anew", {
  programs: PROGRAMS,
}, async (lab) => {
  await silence(lab, "7200");
  const dataplane = await startDataplaneProgram(lab, { timeouts: { connect: "2s" } });
  const { told, ms } = await attempt(lab, { port: 7200, seconds: 6 });
  assert.equal(told, "TimeoutError", `after ${ms} ms`);
  const { counters } = await dataplane.count();
  assert.ok(counters.timedOut >= 1);
  assert.equal(counters.questionsRefused, 0);
  assert.ok(counters.questions - counters.questionsRepeated >= 2, "it has asked anew");
});

labTest("a client that hears the answer late is connected, and what the server has said is not lost", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  const dataplane = await startDataplaneProgram(lab);
  const before = await sockets(lab);
  await deafen(lab);
  const client = await startDial(lab, { port: 7000, seconds: 10 });
  await until(async () => (await dataplane.count()).counters.connected === 1, {
    what: "the server to answer",
  });
  await delay(1500);
  const [session] = await dataplane.sessions();
  assert.deepEqual([session.clientFd, session.stage], [-1, 3]);
  await hear(lab);
  await client.waitForOutput("hello\n");
  await client.waitForExit();
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.connected, counters.accepted, counters.unasked], [1, 1, 0]);
  await until(async () => await live(dataplane) === 0, { what: "the end" });
  assert.equal(await sockets(lab), before);
});

labTest("a server that resets while the client is not there yet resets the client, after what it has said", {
  programs: [...PROGRAMS, "tcpdump"],
}, async (lab) => {
  const script = `import socket, struct
s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("", 7300)); s.listen()
while True:
    c, _ = s.accept(); c.sendall(b"said"); import time; time.sleep(0.3)
    c.setsockopt(1, 13, struct.pack("ii", 1, 0)); c.close()`;
  await lab.server.start(["python3", "-c", script], { listens: 7300 });
  const dataplane = await startDataplaneProgram(lab);
  await deafen(lab);
  const heard = await startCapture(lab.client, { link: "c0", filter: "tcp src port 7300" });
  const client = await startDial(lab, { port: 7300, seconds: 10 });
  await until(async () => (await dataplane.count()).counters.connected === 1, {
    what: "the server to answer",
  });
  await delay(800);
  await hear(lab);
  // A client that is slow to wake up learns of the reset before connect(2) returns.
  await client.waitForOutput("Connection reset by peer");
  const segments = await heard.stop();
  const said = segments.findIndex((segment) => segment.endsWith("length 4"));
  const reset = segments.findIndex((segment) => /Flags \[R\.?\]/.test(segment));
  assert.ok(said >= 0 && said < reset, segments.join("\n"));
  await until(async () => await live(dataplane) === 0, { what: "the end" });
  assert.equal((await dataplane.count()).counters.reset, 1);
});

labTest(
  "what waits for its client leaves nothing: worker's end, drain",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await silence(lab, "7200");
    const dataplane = await startDataplaneProgram(lab, PATIENT);
    await dataplane.count();
    const before = await sockets(lab);
    await deafen(lab);
    for (let source = 40000; source < 40064; source += 8) {
      await startDial(lab, { port: source % 16 === 0 ? 7000 : 7200, seconds: 30, source });
    }
    await until(async () => (await dataplane.count()).counters.connected >= 4, { what: "answers" });
    const waiting = (await dataplane.sessions()).filter(({ worker }) => worker === 1).length;
    assert.ok(waiting >= 2);
    await dataplane.tell({ do: "wreck", worker: 1 });
    await dataplane.program.waitForOutput("a worker has failed; another takes its place");
    const { counters } = await dataplane.count();
    assert.ok(counters.lost >= waiting);
    await until(async () => await sockets(lab) === before + (await dataplane.sessions()).length, {
      what: "what has failed to hold nothing",
    });
    // Its clients ask again, and the new thread dials for them.
    await until(async () => (await dataplane.count()).live === 8, {
      what: "all to be dialled again",
      timeoutMs: 10_000,
    });
    const ended = performance.now();
    await dataplane.tell({ do: "drain" });
    assert.equal(await lab.router.readSysctl("net.ipv4.tcp_early_demux"), "0");
    await dataplane.program.waitForExit({ timeoutMs: 6000 });
    assert.equal(await lab.router.readSysctl("net.ipv4.tcp_early_demux"), "1", "as it was before");
    assert.ok(performance.now() - ended < 5000);
    assert.equal(dataplane.program.stdout.includes("FAILED"), false);
  },
);

labTest(
  "a connection that nobody has asked about is reset, and counted",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const dataplane = await startDataplaneProgram(lab);
    // As after the end of a worker that has dialled: the listener takes what nobody knows.
    await lab.router.nft(`table inet early { chain pre { type filter hook prerouting priority -320;
    iifname "r0" tcp dport 7001 ct zone set 50080; };
    chain take { type filter hook prerouting priority -315; iifname "r0" tcp dport 7001 tcp flags & (syn|ack) == syn tproxy ip to 127.0.0.1:50080 meta mark set 1 accept; }; }`);
    const { told, heard } = await attempt(lab, { port: 7001 });
    assert.ok(told === "connected" && /reset/.test(heard) || /reset/i.test(told), `${told} ${heard}`);
    assert.equal((await dataplane.count()).counters.unasked, 1);
  },
);

labTest(
  "a flood of SYNs to a silent server does not keep others from connecting",
  { programs: PROGRAMS },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await silence(lab, "7200");
    const dataplane = await startDataplaneProgram(lab, { limits: { connections: 400 } });
    const flood = `import socket
from concurrent.futures import ThreadPoolExecutor
socks = []
for i in range(1500):
    s = socket.socket(); s.setblocking(False)
    s.connect_ex(("${ADDRESSES[4].server}", 7200)); socks.append(s)
print("flooded", flush=True)
import time; time.sleep(20)`;
    await lab.client.ip("addr add 10.77.1.77/24 dev c0");
    const flooder = await lab.client.start(["prlimit", "--nofile=4096", "python3", "-c", flood]);
    await flooder.waitForOutput("flooded");
    const attempts = await Promise.all(Array.from({ length: 5 }, async () => {
      const { stdout } = await lab.client.run([
        "socat",
        "-t1",
        "-",
        `TCP4:${ADDRESSES[4].server}:7000,bind=10.77.1.77`,
      ], { input: "hello" });
      return stdout;
    }));
    assert.deepEqual(attempts, Array(5).fill("hello"));
    const { counters, live: left } = await dataplane.count();
    assert.ok(left <= 400, `${left} live`);
    assert.ok(counters.questionsDropped > 500, `${counters.questionsDropped} gave way`);
  },
);

labTest("SYN cookies: a connection whose SYN the listener has not kept is the asking one's", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await lab.router.writeSysctl({ "net.ipv4.tcp_syncookies": 2 });
  const dataplane = await startDataplaneProgram(lab);
  for (let i = 0; i < 4; i++) {
    const { stdout } = await lab.client.run([
      "socat",
      "-t1",
      "-",
      `TCP4:${ADDRESSES[4].server}:7000,sourceport=${40000 + 100 * i}`,
    ], { input: "hello" });
    assert.equal(stdout, "hello");
  }
  const { stdout } = await lab.router.run(["nstat", "-az", "TcpExtSyncookiesRecv"]);
  assert.match(stdout, /SyncookiesRecv +4 /);
  assert.equal((await dataplane.count()).counters.accepted, 4);
});

labTest(
  "a group of the kernel's log that another program has is named",
  { programs: PROGRAMS },
  async (lab) => {
    await startCapture(lab.router, { link: "nflog:50081", filter: "" });
    await assert.rejects(
      startDataplaneProgram(lab),
      /NFLOG group 50081.*Another program may have the group/s,
    );
  },
);

labTest("limits.per-client counts clients that are there, and no SYN that anybody may have sent", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "cat");
  await silence(lab, "7200");
  const dataplane = await startDataplaneProgram(lab, { ...PATIENT, limits: { "per-client": 2 } });
  for (let i = 0; i < 20; i++) await startDial(lab, { port: 7200, seconds: 30 });
  // Each of the two workers lets 16 of them wait.
  await until(async () => await live(dataplane) >= 16, { what: "the dials" });
  for (let i = 0; i < 2; i++) {
    const held = await startDial(lab, { port: 7000, seconds: 30 });
    await held.waitForOutput("connected");
  }
  const { told } = await attempt(lab, { port: 7000 });
  assert.equal(told, "Connection refused");
  assert.equal((await dataplane.sessions()).filter(({ clientFd }) => clientFd >= 0).length, 2);
});

/** Tells the number of connections that it has accepted, when no more come. */
const COUNTING_SERVER = `
import select, socket
tcp = socket.create_server(("203.0.113.2", 7001), backlog=4096)
print("ready", flush=True)
held = []
while True:
    if select.select([tcp], [], [], 3)[0]: held.append(tcp.accept())
    else: print(f"{len(held)} accepted", flush=True)
`;

labTest("a SYN that has waited behind the one that was answered asks nothing", {
  programs: ["python3"],
}, async (lab) => {
  const server = await lab.server.start(["python3", "-c", COUNTING_SERVER]);
  await server.waitForOutput("ready");
  const dataplane = await startDataplaneProgram(lab);
  using link = new RawLink(lab.client, "c0");
  // As long as the worker has too much to do.
  Deno.kill(dataplane.program.pid, "SIGSTOP");
  const dial = await lab.client.start([
    "python3",
    "-c",
    `import socket, time; s = socket.create_connection(("203.0.113.2", 7001)); print("open", flush=True); time.sleep(60)`,
  ]);
  let syn: DataView | undefined;
  await until(() => (syn = link.frames().map(viewOf).find(isSyn)) !== undefined, { what: "the SYN" });
  const again = buildFrame({
    source: parseIp(ADDRESSES[4].client)!,
    destination: parseIp(ADDRESSES[4].server)!,
    sourcePort: syn!.getUint16(34),
    destinationPort: 7001,
    kind: "syn",
    sequence: syn!.getUint32(38),
    sourceMac: etherKey(macOf(lab.client, "c0")),
    destinationMac: etherKey(macOf(lab.router, "r0")),
  });
  for (let i = 0; i < 3000; i++) link.send(again);
  Deno.kill(dataplane.program.pid, "SIGCONT");
  await dial.waitForOutput("open");
  await server.waitForOutput("accepted");
  assert.match(server.output, /^1 accepted$/m);
  const { counters } = await dataplane.count();
  assert.equal(counters.questions - counters.questionsRepeated, 1);
  assert.ok(counters.questionsRepeated > 500, `${counters.questionsRepeated} were repeated`);
});

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Tells whether a frame is the SYN of a client to port 7001. */
function isSyn(frame: DataView): boolean {
  return frame.byteLength >= 54 && frame.getUint16(12) === 0x0800 && frame.getUint8(23) === 6 &&
    frame.getUint16(36) === 7001 && (frame.getUint8(47) & 0x12) === 0x02;
}
