/** Flows whose name decides wait not at all where the server speaks first, and never for ever. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startWeb } from "../../laboratory/names/web.ts";
import { makeSshKey, startSshd } from "../../laboratory/upstreams/sshd.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";

const PORT = 1080;
const BLOCK = { name: "ads", domains: [".ads.example"], action: "block" };
/** Nothing is dialled before a name is known. */
const SENDS = {
  rules: [BLOCK, { name: "work", domains: [".office.example"], action: "proxy", upstream: "office" }],
  upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:${PORT}` } },
};

/** Dials so often, and prints the microseconds to the first byte that a quarter of the dials were within. */
const FIRST_BYTE = `import socket, sys, time
times = []
for i in range(int(sys.argv[3])):
    start = time.perf_counter()
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    assert s.recv(1)
    times.append(time.perf_counter() - start)
    s.close()
times.sort()
print(round(times[len(times) // 4] * 1e6))`;

async function firstByteMs(lab: Lab, family: 4 | 6, port: number, times = 15): Promise<number> {
  const address = ADDRESSES[family].server;
  const { stdout } = await lab.client.run([
    "python3",
    "-c",
    FIRST_BYTE,
    address,
    String(port),
    String(times),
  ]);
  return Number(stdout) / 1000;
}

/** Starts servers that speak first, and tells their ports: SSH's, SMTP's, MySQL's words. */
async function startTalkers(lab: Lab): Promise<readonly number[]> {
  // One process for all connections: socat's shells take milliseconds of their own.
  const talker = `import socket, threading
def serve(port, words):
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
    while True:
        connection = listener.accept()[0]; connection.sendall(words); kept.append(connection)
kept = []
words = {22: b"SSH-2.0-OpenSSH_9.2p1\\r\\n", 25: b"220 mail ESMTP\\r\\n", 3306: b"J\\0\\0\\0\\n5.5.5-10.11"}
for port, said in words.items(): threading.Thread(target=serve, args=(port, said)).start()`;
  await lab.server.start(["python3", "-c", talker], { listens: 3306 });
  return [22, 25, 3306];
}

labTest("A server that speaks first is heard as soon as without names, where it may be dialled at once", {
  programs: ["python3"],
}, async (lab) => {
  const ports = await startTalkers(lab);
  const dataplane = await startDataplaneProgram(lab);
  for (const family of [4, 6] as const) {
    for (const port of ports) {
      await dataplane.adopt({ rules: [] });
      const plain = await firstByteMs(lab, family, port);
      await dataplane.adopt({ rules: [BLOCK] });
      const named = await firstByteMs(lab, family, port);
      assert.ok(named - plain < 2, `IPv${family} port ${port}: ${plain} ms, with names ${named} ms`);
    }
  }
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.sniffServerFirst, counters.sniffTimeouts], [90, 0]);
});

labTest("Where nobody may be dialled, the first flow waits for timeouts.sniff, and the next ones do not", {
  programs: ["python3"],
}, async (lab) => {
  const ports = await startTalkers(lab);
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({ ...SENDS, timeouts: { sniff: "500ms" } });
  for (const family of [4, 6] as const) {
    for (const port of ports) {
      // The two workers learn it each for itself.
      const first = await firstByteMs(lab, family, port, 1);
      assert.ok(first > 350 && first < 700, `${first} ms`);
      for (let i = 0; i < 6; i++) await firstByteMs(lab, family, port, 1);
      const next = await firstByteMs(lab, family, port);
      assert.ok(next < 50, `port ${port}: ${next} ms`);
    }
  }
});

labTest("SSH is at work at once behind rules with names", {
  programs: ["sshd", "ssh", "ssh-keygen"],
}, async (lab) => {
  await startSshd(lab, await makeSshKey(lab, "host.key"));
  const dataplane = await startDataplaneProgram(lab);
  for (const rules of [{ rules: [BLOCK] }, SENDS]) {
    await dataplane.adopt(rules);
    const { stdout } = await lab.client.run(["ssh-keyscan", "-T5", "-t", "ed25519", ADDRESSES[4].server]);
    assert.match(stdout, /ssh-ed25519 /);
  }
  assert.equal((await dataplane.count()).counters.connected, 2, "it went past the proxy");
});

labTest("A client that says nothing is passed on when timeouts.sniff is over", {
  programs: ["socat", "python3"],
}, async (lab) => {
  // This server waits for its client.
  await serve(lab, 7000, "read word; echo you said $word");
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt(SENDS);
  const client = await connectClient(lab, 7000);
  await until(async () => (await dataplane.count()).counters.sniffTimeouts === 1, {
    what: "the end of the wait",
  });
  await until(async () => (await dataplane.sessions()).some(({ upstreamFd }) => upstreamFd >= 0), {
    what: "a dial",
  });
  await client.write("hello\n");
  await client.waitForOutput("you said hello");
});

labTest("A server that refuses is told to a client that was accepted already as a reset", {
  programs: ["python3"],
}, async (lab) => {
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({ ...SENDS, timeouts: { sniff: "300ms" } });
  const { told, heard, ms } = await attempt(lab, { port: 7001 });
  assert.deepEqual([told, heard], ["connected", "Connection reset by peer\n"]);
  assert.ok(ms < 250);
  await dataplane.adopt({ rules: [BLOCK] });
  const ahead = await attempt(lab, { port: 7001 });
  assert.match(`${ahead.told} ${ahead.heard}`, /Connection refused|reset by peer/);
});

labTest("A head that takes its time is waited for, whoever sends it byte by byte", {
  programs: ["python3", "microsocks", "nginx", "openssl"],
}, async (lab) => {
  const web = await startWeb(lab);
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt(SENDS);
  const slow = `import socket, sys, time
s = socket.create_connection((sys.argv[1], 80))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
head = b"GET / HTTP/1.1\\r\\nHost: a.office.example\\r\\n\\r\\n"
for i in range(len(head)): s.sendall(head[i:i+1]); time.sleep(0.04)
print(s.recv(100).decode())`;
  for (const family of [4, 6] as const) {
    const { stdout } = await lab.client.run(["python3", "-c", slow, ADDRESSES[family].server]);
    assert.match(stdout, /200 OK/);
    assert.deepEqual(await web.visit(), {
      client: ADDRESSES[family].server,
      server: ADDRESSES[family].server,
      host: "a.office.example",
    });
  }
});

labTest("The first request of a connection decides, and two hosts are none", {
  programs: ["python3", "microsocks", "nginx", "openssl"],
}, async (lab) => {
  const web = await startWeb(lab);
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({ rules: [BLOCK] });
  const requests = `import socket, sys
s = socket.create_connection((sys.argv[1], 80))
for head in sys.argv[2:]:
    try:
        s.sendall(head.replace("|", "\\r\\n").encode() + b"\\r\\n\\r\\n")
        print(s.recv(1000).decode().split("\\r")[0])
    except OSError as error: print(error.strerror)`;
  const ask = async (...heads: string[]) =>
    (await lab.client.run(["python3", "-c", requests, ADDRESSES[4].server, ...heads])).stdout.trim().split(
      "\n",
    );
  const to = (host: string) => `GET / HTTP/1.1|Host: ${host}`;
  assert.deepEqual(await ask(to("a.example"), to("ads.example")), ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
  assert.equal((await web.visit()).host, "a.example");
  assert.equal((await web.visit()).host, "ads.example");
  assert.deepEqual(await ask(to("ads.example")), ["Connection reset by peer"]);
  assert.deepEqual(await ask(to("ADS.example.:80")), ["Connection reset by peer"]);
  assert.deepEqual(await ask("GET http://ads.example/ HTTP/1.1|Host: a.example"), [
    "Connection reset by peer",
  ]);
  // nginx refuses that, and so it is its answer that the client gets.
  assert.deepEqual(await ask(`${to("ads.example")}|Host: a.example`), ["HTTP/1.1 400 Bad Request"]);
});

labTest("Half-closes, and a reset, are passed on after a name was read", {
  programs: ["socat", "nc"],
}, async (lab) => {
  await serve(lab, 7000, "sha256sum");
  const dataplane = await startDataplaneProgram(lab);
  const text = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\nbody";
  const { stdout: expected } = await lab.client.run(["sha256sum"], { input: text });
  for (const rules of [{ rules: [BLOCK] }, SENDS]) {
    await dataplane.adopt(rules);
    for (const family of [4, 6] as const) {
      const { stdout } = await lab.client.run(["nc", "-N", "-w10", ADDRESSES[family].server, "7000"], {
        input: text,
      });
      assert.equal(stdout, expected);
    }
  }
  assert.equal((await dataplane.count()).counters.sniffHttp, 4);
});
