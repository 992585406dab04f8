/** Bytes through a tunnel: half-closed both ways, bulk, resets, and who waits for what. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startMicrosocks, startTinyproxy } from "../../laboratory/upstreams/proxies.ts";
import { firstPacketsAsk } from "../../laboratory/proxy/proxy.ts";
import { startThrough } from "../../laboratory/upstreams/through.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "python3", "microsocks", "tinyproxy", "nc"];
const PORT = 1080;
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1

const KINDS = [
  { type: "socks5", start: startMicrosocks },
  { type: "http-connect", start: startTinyproxy },
] as const;

/** A SOCKS5 proxy of a few lines that passes half-closes on, which microsocks does not. */
const RELAY = `import socket, sys, threading
listener = socket.create_server(("", int(sys.argv[1])), backlog=50)
def exactly(s, n):
    data = b""
    while len(data) < n: data += s.recv(n - len(data))
    return data
def pump(a, b):
    while data := a.recv(65536): b.sendall(data)
    b.shutdown(socket.SHUT_WR)
def handle(client):
    exactly(client, exactly(client, 2)[1]); client.sendall(b"\\5\\0")
    exactly(client, 4); address = socket.inet_ntoa(exactly(client, 4))
    port = int.from_bytes(exactly(client, 2), "big")
    server = socket.create_connection((address, port))
    first = server.recv(100) if port == 7002 else b""
    client.sendall(b"\\5\\0\\0\\1" + bytes(6) + first)
    threading.Thread(target=pump, args=(client, server)).start(); pump(server, client)
while True: threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()`;

async function startRelay(lab: Lab): Promise<void> {
  await lab.server.start(["python3", "-c", RELAY, String(PORT)], { listens: PORT });
}

labTest("A client's half-close goes through a tunnel, and the answer comes back", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7000, "sha256sum");
  await startRelay(lab);
  const dataplane = await startThrough(lab, { type: "socks5", port: PORT });
  const { stdout } = await lab.client.run(["nc", "-N", "-w10", ADDRESSES[4].server, "7000"], {
    input: "abc",
  });
  assert.equal(stdout.split(" ")[0], ABC);
  assert.equal((await dataplane.count()).counters.connected, 1, "it went past the proxy");
});

labTest("A server's half-close goes through a tunnel, and more from the client", {
  programs: PROGRAMS,
}, async (lab) => {
  const server = await lab.server.start(["socat", "-t30", "TCP-LISTEN:7000", "-"], { listens: 7000 });
  await startRelay(lab);
  const dataplane = await startThrough(lab, { type: "socks5", port: PORT });
  const client = await connectClient(lab, 7000);
  await server.write("first\n");
  await server.closeInput();
  await client.waitForOutput("first\n");
  await client.waitForOutput("is at EOF");
  await client.write("after the server's end\n");
  await client.closeInput();
  assert.equal(await client.waitForExit(), 0);
  assert.equal(await server.waitForExit(), 0);
  assert.equal(server.stdout, "after the server's end\n");
  assert.equal((await dataplane.count()).counters.connected, 1, "it went past the proxy");
});

labTest("A server's bytes that come in one segment with the proxy's reply reach the client", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 7002, "echo 220 mail; exec cat");
  await startRelay(lab);
  const dataplane = await startThrough(lab, { type: "socks5", port: PORT });
  const client = await connectClient(lab, 7002);
  await client.waitForOutput("220 mail\n");
  await client.write("hello\n");
  await client.waitForOutput("hello\n");
  assert.equal((await dataplane.count()).counters.connected, 1, "it went past the proxy");
});

for (const { type, start } of KINDS) {
  labTest(`Bulk through ${type} is intact both ways, and is spliced`, { programs: PROGRAMS }, async (lab) => {
    const sent = `${lab.directory}/sent`;
    await lab.client.run(["sh", "-c", `head -c 20M /dev/urandom >${sent}`]);
    const script = lab.writeFile("answer", `head -c 20971520 | sha256sum\ncat ${sent}\n`);
    await serve(lab, 7000, `sh ${script}`);
    await start(lab, { port: PORT, asks: false });
    const dataplane = await startThrough(lab, { type, port: PORT });
    const before = countPipes(dataplane.program.pid);
    // The proxies end both ways when one has ended: the client keeps its own open.
    const received = `${lab.directory}/received`;
    await lab.client.run(["sh", "-c", `nc -w20 ${ADDRESSES[4].server} 7000 <${sent} >${received}`]);
    const { stdout } = await lab.client.run(["sha256sum", sent]);
    const [hash] = stdout.split(" ");
    const compare = `head -n1 ${received}; tail -n+2 ${received} | cmp - ${sent}`;
    assert.equal((await lab.client.run(["sh", "-c", compare])).stdout, `${hash}  -\n`);
    assert.ok(countPipes(dataplane.program.pid) > before, "no pipe was opened to splice through");
  });
}

/** Pipes that a process has open: some are kept for the next bulk. */
function countPipes(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)]
    .filter(({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`).startsWith("pipe:")).length;
}

labTest(
  "A client hears nothing of the listener before the tunnel stands",
  { programs: PROGRAMS },
  async (lab) => {
    // It accepts, and says nothing.
    await lab.server.start(["socat", `TCP-LISTEN:${PORT},fork`, "SYSTEM:sleep 100"], { listens: PORT });
    const dataplane = await startThrough(lab, { type: "socks5", port: PORT });
    const { told } = await attempt(lab, { port: 7000, seconds: 2 });
    assert.equal(told, firstPacketsAsk() ? "TimeoutError" : "connected");
    await until(async () => (await dataplane.sessions()).length === 0, {
      what: "the end",
      timeoutMs: 15_000,
    });
  },
);
