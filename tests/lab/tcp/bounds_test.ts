/** Bounds on what is taken from one side and not yet taken by the other. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import { listSockets, serve } from "../../laboratory/network/sockets.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { scriptCommand } from "../../laboratory/programs/script.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const KIB = 1024;

/** Sums up the kernel's memory for TCP sockets of the router that match a filter of ss, by their number. */
async function socketMemory(lab: Lab, filter: string): Promise<{ sockets: number; bytes: number }> {
  const lines = await listSockets(lab.router, filter, ["-m", "-O"]);
  // skmem:(r RECEIVE,rb…,t SEND,tb…,f FORWARD,w QUEUED,o OPTIONS,bl BACKLOG,d DROPS): w holds t's.
  const bytes = lines.map((line) => {
    const [, received, forward, queued] = /skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+)/.exec(line)!;
    return Number(received) + Number(forward) + Number(queued);
  });
  return { sockets: lines.length, bytes: bytes.reduce((sum, each) => sum + each, 0) };
}

labTest("run acknowledges about what a slow line takes", { programs: ["socat", "ss", "tc"] }, async (lab) => {
  await serve(lab, 7000, "cat >/dev/null");
  await startProxy(lab);
  const line = "qdisc add dev r1 root tbf rate 2mbit burst 16kb latency 400ms".split(" ");
  await lab.router.run(["tc", ...line]);
  const upload = await lab.client.start(scriptCommand("tcp_upload.ts", ["203.0.113.2", "7000", "10", "6"]));
  await upload.waitForOutput(/acknowledged \d+/, { timeoutMs: 15_000 });
  const acknowledged = Number(/acknowledged (\d+)/.exec(upload.output)![1]);
  const { sockets, bytes } = await socketMemory(lab, "state established ( sport = 7000 or dport = 7000 )");
  assert.equal(sockets, 20);
  // 1.5 MB go over the line; the rest waits in the router.
  const told = `acknowledged ${acknowledged / 1e6} MB, ${bytes / KIB / 10} KiB for each of 10 uploads`;
  assert.ok(acknowledged > 1e6 && acknowledged <= 4e6, told);
  assert.ok(bytes <= 10 * 512 * KIB, told);
});

labTest("run keeps little of a download that is never read", { programs: ["nginx", "ss"] }, async (lab) => {
  await startNginx(lab);
  await lab.server.run(["truncate", "-s", "100M", `${lab.directory}/large`]);
  await startProxy(lab);
  const saying = "GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n";
  await lab.client.start(scriptCommand("tcp_crowd.ts", ["10.77.1.2", "80", "10", saying, "203.0.113.2"]));
  await delay(2_000);
  const { sockets, bytes } = await socketMemory(lab, "state established ( sport = 80 or dport = 80 )");
  assert.equal(sockets, 20);
  assert.ok(bytes <= 10 * 512 * KIB, `${bytes / KIB / 10} KiB for each of 10 downloads`);
});
