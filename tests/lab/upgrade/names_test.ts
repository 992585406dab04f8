/** Flows by name amid an upgrade: what one process has heard of a name counts in the next. */
import assert from "node:assert/strict";
import { print } from "../../laboratory/machine/print.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import type { UdpSocket } from "../../laboratory/network/udp_socket.ts";
import type { ConfigText } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { beginSuccessor, succeed } from "../../laboratory/upgrade/successor.ts";
import { readReports, serveWatched, startClient } from "../../laboratory/watch/watcher.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const OPTIONS = {
  programs: ["python3"],
  forwarding: true,
  netlinkOnly: "with kernel.backend iptables nothing is handed over",
};
const SHUT = 7001;
/** Flows with these names are blocked; all others are watched for one, or relayed. */
const BLOCKS = [
  { name: "web", domains: [".blocked.test"], ports: [80, 443], action: "block" },
  { name: "quic", domains: ["recorded.example"], ports: [SHUT], action: "block" },
];
const WATCHED: ConfigText = { rules: BLOCKS, default: "bypass" };

/** Has clients of both names dial all the time; says at the end how many of each had what end. */
const CROWD = `
import collections, threading
ends = collections.Counter()
over = threading.Event()
def visit():
    while not over.is_set():
        for host in ("ok.test", "www.blocked.test"):
            for port, data in ((80, head(host)), (443, hello(host))):
                try: s = connect(port)
                except OSError as e: ends["%s no connection: %s" % (host, e.strerror)] += 1; continue
                s.sendall(data[:40]); time.sleep(0.01)
                try: s.sendall(data[40:]); answer = said(s)
                except OSError as e: answer = e.strerror
                ends["%s %s" % (host, "answered" if answer.isdigit() or answer == "ok" else answer)] += 1; s.close()
threads = [threading.Thread(target=visit) for _ in range(4)]
for thread in threads: thread.start()
print("ready", flush=True)
sys.stdin.read(); over.set()
for thread in threads: thread.join()
for end, count in sorted(ends.items()): print("%s=%d" % (end, count))
`;

/** Has each begin with one half, and go on when it is told. */
const HALVES = `
streams = [(host, port, connect(port), data) for host in ("ok.test", "www.blocked.test")
           for port, data in ((80, head(host)), (443, hello(host)))]
for host, port, s, data in streams: s.sendall(data[:20])
time.sleep(0.2); print("ready", flush=True); sys.stdin.readline()
for host, port, s, data in streams:
    t = time.time()
    try: s.sendall(data[20:]); answer = said(s)
    except OSError as e: answer = e.strerror
    report(host + " %d" % port, t, answer)
`;

for (const admission of ["forward-path", "early"] as const) {
  labTest(`names are heard under load, admission: ${admission}`, OPTIONS, async (lab) => {
    const server = await serveWatched(lab);
    let proxy = await startUdpProxy(lab, { ...WATCHED, intercept: { admission } });
    const crowd = await startClient(lab, 4, CROWD);
    await crowd.waitForOutput("ready");
    for (let round = 0; round < 2; round++) {
      await delay(300);
      const next = await succeed(lab, proxy);
      assert.equal(await proxy.program.waitForExit({ timeoutMs: 30_000 }), 0, proxy.log);
      proxy = next;
    }
    await delay(300);
    await crowd.closeInput();
    await crowd.waitForExit({ timeoutMs: 20_000 });
    const ends = crowd.stdout.split("\n").filter((line) => line.includes("="));
    print(`${admission}: ${ends.join(", ")}`);
    assert.deepEqual(ends.map((line) => line.replace(/=\d+$/, "")), [
      "ok.test answered",
      "www.blocked.test Connection reset by peer",
    ]);
    assert.ok(server.running);
  });

  labTest(`a head, of which one half comes before, admission: ${admission}`, OPTIONS, async (lab) => {
    await serveWatched(lab);
    const proxy = await startUdpProxy(lab, { ...WATCHED, intercept: { admission } });
    const clients = await Promise.all(([4, 6] as const).map((family) => startClient(lab, family, HALVES)));
    for (const client of clients) await client.waitForOutput("ready");
    await succeed(lab, proxy);
    for (const client of clients) {
      await client.write("go on\n");
      await client.waitForExit();
      const ends = readReports(client.stdout).map(({ name, said }) => `${name}: ${said}`);
      assert.deepEqual(ends.map((end) => end.replace(/: \d+$/, ": answered")), [
        "ok.test 80: ok",
        "ok.test 443: answered",
        "www.blocked.test 80: Connection reset by peer",
        "www.blocked.test 443: Connection reset by peer",
      ]);
    }
  });

  for (const otherwise of ["bypass", "direct"] as const) {
    labTest(
      `hellos of QUIC amid the upgrade, default: ${otherwise}, admission: ${admission}`,
      OPTIONS,
      async (lab) => {
        const proxy = await startUdpProxy(lab, {
          rules: BLOCKS,
          default: otherwise,
          intercept: { admission },
        });
        const blocked = openServer(lab, 4, SHUT);
        const open = openServer(lab, 4);
        const [first, second] = recorded("quic-chromium");
        const clients: { readonly shut: UdpSocket; readonly open: UdpSocket; readonly at: number }[] = [];
        const successor = await beginSuccessor(lab, proxy.configPath);
        await until(() => {
          const client = { shut: openClient(lab, 4, SHUT), open: openClient(lab, 4), at: performance.now() };
          client.shut.send(first);
          client.open.send(first);
          clients.push(client);
          return /taken over/.test(successor.output);
        }, { what: "the handover", pollMs: 20, timeoutMs: 20_000 });
        // The first ones had their time before, and the last ones are new to the successor.
        const now = performance.now();
        const waiting = clients.filter(({ at }) => now - at < 700 && now - at > 150);
        // A client that hears nothing sends all again. What was watched is forgotten; else it has a second.
        if (otherwise === "bypass" && admission === "forward-path") await delay(1200);
        for (const client of waiting) {
          for (const data of [second, first]) {
            for (const socket of [client.shut, client.open]) sendQuietly(socket, data);
          }
        }
        await delay(1500);
        const ports = new Set(waiting.map(({ shut }) => shut.port));
        const leaked = (await blocked.receiveAll(100)).filter(({ from }) => ports.has(portOf(from)));
        const came = new Set((await open.receiveAll(100)).map(({ from }) => portOf(from)));
        print(`${otherwise}, ${admission}: ${waiting.length} of ${clients.length} flows wait`);
        assert.ok(waiting.length > 5);
        assert.equal(leaked.length, 0, `${leaked.length} datagrams of a blocked name came to the server`);
        if (otherwise === "bypass") {
          assert.deepEqual(waiting.filter((client) => !came.has(client.open.port)), [], "some were lost");
        } else assert.ok(came.size >= 2 * waiting.length / 3, `${came.size} of ${waiting.length}`);
      },
    );
  }
}

/** The client may have been told already that it is refused. */
function sendQuietly(socket: UdpSocket, data: Uint8Array): void {
  try {
    socket.send(data);
  } catch (error) {
    assert.match(String(error), /ECONNREFUSED/);
  }
}

function portOf(endpoint: string): number {
  return Number(/\d+$/.exec(endpoint)![0]);
}
