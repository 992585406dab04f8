/** Bounds on what is taken from one side and not yet taken by the other. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { listSockets, serve } from "../../laboratory/network/sockets.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { scriptCommand } from "../../laboratory/programs/script.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const KIB = 1024;
const FAMILIES = [4, 6] as const;
/** Flows of each family. */
const FLOWS = 5;
/** Kept by the router for a flow, in the kernel's memory for its two sockets. */
const KEPT = 256 * KIB;
/** Taken from one end and not with the other: what the sockets hold, and a pipe. */
const BETWEEN = KEPT + 64 * KIB;
/** Waiting unsent: 32 KiB, and one more write of what a pipe holds. */
const UNSENT = 96 * KIB;

/** Reads a number of each socket that matches, as `ss` says it; 0 where it says none. */
async function read(namespace: Namespace, filter: string, pattern: RegExp): Promise<number[]> {
  const lines = await listSockets(namespace, filter, ["-i", "-m", "-O"]);
  return lines.map((line) =>
    (pattern.exec(line) ?? []).slice(1).reduce((sum, each) => sum + Number(each), 0)
  );
}

/** skmem:(r RECEIVE,rb…,t SEND,tb…,f FORWARD,w QUEUED,o OPTIONS,bl BACKLOG,d DROPS): w holds t's. */
const MEMORY = /skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+)/;

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

/** Ends of the flows: bytes come from one and go to the other. */
interface Way {
  readonly sender: Namespace;
  readonly receiver: Namespace;
  /** The server's port by family: a socket of IPv6 may have IPv4's addresses. */
  readonly ports: Readonly<Record<4 | 6, number>>;
  readonly through: boolean;
}

/** Asserts what is between the ends, and in the router. */
async function assertLittle(lab: Lab, family: 4 | 6, way: Way): Promise<void> {
  const { sender, receiver, ports, through } = way;
  const filter = `state established ( sport = ${ports[family]} or dport = ${ports[family]} )`;
  // First what was acknowledged: until the second look more may arrive, and no less.
  const acknowledged = await read(sender, filter, /bytes_acked:(\d+)/);
  const arrived = await read(receiver, filter, /bytes_received:(\d+)/);
  const kept = await read(lab.router, filter, MEMORY);
  const unsent = await read(lab.router, filter, /notsent:(\d+)/);
  const between = sum(acknowledged) - sum(arrived);
  const told = `IPv${family}: ${sum(acknowledged)} bytes acknowledged, ${
    sum(arrived)
  } arrived; the router keeps ${sum(kept) / KIB / FLOWS} KiB a flow; ${unsent} unsent`;
  assert.equal(acknowledged.length, FLOWS);
  assert.equal(kept.length, through ? 2 * FLOWS : 0);
  assert.ok(sum(arrived) > 0, told);
  // An end-to-end connection acknowledges what has arrived, and the SYN.
  assert.ok(between <= (through ? FLOWS * BETWEEN : FLOWS), told);
  assert.ok(sum(kept) <= FLOWS * KEPT && unsent.every((bytes) => bytes <= UNSENT), told);
}

for (const through of [false, true]) {
  const subject = through ? "run" : "without tproxy the other end";
  const start = (lab: Lab) => through ? startProxy(lab) : undefined;

  labTest(`${subject} acknowledges about what a slow line takes`, {
    programs: ["socat", "ss", "tc"],
    forwarding: !through,
  }, async (lab) => {
    const { client, router, server } = lab;
    const ports = { 4: 7004, 6: 7006 };
    for (const port of Object.values(ports)) await serve(lab, port, "cat >/dev/null");
    await start(lab);
    await router.run("tc qdisc add dev r1 root tbf rate 4mbit burst 16kb latency 200ms".split(" "));
    // One family after the other: a line that drops gives neither its share.
    for (const family of FAMILIES) {
      const upload = [ADDRESSES[family].server, `${ports[family]}`, `${FLOWS}`, "60"];
      const program = await client.start(scriptCommand("tcp_upload.ts", upload));
      await delay(4_000);
      await assertLittle(lab, family, { sender: client, receiver: server, ports, through });
      await program.stop("SIGKILL");
    }
  });

  labTest(`${subject} keeps little of a download that is never read`, {
    programs: ["nginx", "ss"],
    forwarding: !through,
  }, async (lab) => {
    const { client, server } = lab;
    const ports = { 4: 80, 6: 81 };
    await startNginx(lab, { ports: Object.values(ports) });
    await server.run(["truncate", "-s", "100M", `${lab.directory}/large`]);
    await start(lab);
    const saying = "GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const family of FAMILIES) {
      const { client: source, server: target } = ADDRESSES[family];
      await client.start(
        scriptCommand("tcp_crowd.ts", [source, `${ports[family]}`, `${FLOWS}`, saying, target]),
      );
    }
    await delay(3_000);
    const way = { sender: server, receiver: client, ports, through };
    for (const family of FAMILIES) await assertLittle(lab, family, way);
  });
}
