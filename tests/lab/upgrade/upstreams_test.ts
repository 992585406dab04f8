/** Sessions of UDP that go through an upstream go on through it in the successor, under load. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { print } from "../../laboratory/machine/print.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { openClient, openServer, startEcho, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import type { UdpSocket } from "../../laboratory/network/udp_socket.ts";
import type { ConfigText, Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { Crowd, CROWD_PORT } from "../../laboratory/upgrade/crowd.ts";
import { beginSuccessor, failAfter, succeed } from "../../laboratory/upgrade/successor.ts";
import { startDante } from "../../laboratory/upstreams/proxies.ts";
import { through, type UpstreamText } from "../../laboratory/upstreams/through.ts";

const SOCKS: UpstreamText = { type: "socks5", port: 1080 };
const FORWARD: UpstreamText = { type: "forward", port: CROWD_PORT, proxyProtocol: "v2" };
const UPGRADES = 2;

// Not V2Ray: of many sessions at once it gives some the answers of others.
const UPSTREAMS = [
  { name: "Dante", programs: ["danted"], upstream: SOCKS, start: (lab: Lab) => startDante(lab, SOCKS) },
  { name: "forward with PROXY headers", programs: [], upstream: FORWARD, start: () => Promise.resolve() },
] as const;

for (const { name, programs, upstream, start } of UPSTREAMS) {
  for (const admission of ["forward-path", "early"] as const) {
    labTest(
      `sessions through ${name} go on, admission: ${admission}`,
      { programs: ["cc", ...programs] },
      async (lab) => {
        // What goes to the upstream's own port is none of the proxy's business.
        const crowd = await Crowd.open(lab, upstream === FORWARD ? CROWD_PORT + 1 : CROWD_PORT);
        await start(lab);
        let proxy = await startUdpProxy(lab, ledUdp(lab, upstream, admission));
        const udp = await crowd.udp(60, 100);
        const fresh = await crowd.fresh(20);
        for (let round = 0; round < UPGRADES; round++) proxy = await upgrade(lab, proxy);
        const counts = { udp: await udp.end(), fresh: await fresh.end() };
        print(`${name}, ${admission}: ${JSON.stringify(counts)}`);
        const { lost, moved, doubled, told, answered } = counts.udp;
        assert.deepEqual({ lost, moved, doubled }, { lost: 0, moved: 0, doubled: 0 });
        assert.equal(told, upstream === FORWARD ? answered : 0);
        assert.equal(counts.fresh.failed, 0, "new sessions amid an upgrade");
      },
    );
  }
}

/** A config by which UDP goes through an upstream. */
function ledUdp(lab: Lab, upstream: UpstreamText, admission: "forward-path" | "early"): ConfigText {
  return { ...through(lab, upstream), intercept: { admission } };
}

/** Has a successor take over, and waits for the end of the one before. */
async function upgrade(lab: Lab, proxy: Proxy): Promise<Proxy> {
  await delay(300);
  const next = await succeed(lab, proxy);
  assert.equal(await proxy.program.waitForExit({ timeoutMs: 30_000 }), 0, proxy.log);
  print(/handed over.*/.exec(proxy.log)![0]);
  await delay(300);
  return next;
}

labTest(
  "datagrams that wait for their association are not lost",
  { programs: ["danted", "nft"] },
  async (lab) => {
    await startDante(lab, SOCKS);
    await slowDials(lab, SOCKS.port);
    const proxy = await startUdpProxy(lab, through(lab, SOCKS));
    const seen = startEcho(openServer(lab, 4));
    const clients: UdpSocket[] = [];
    const ask = () => {
      const client = openClient(lab, 4);
      for (const text of ["one", "two"]) client.send(text);
      clients.push(client);
    };
    for (let i = 0; i < 5; i++) ask();
    await failAfter(lab, proxy.configPath, "yours");
    const successor = await beginSuccessor(lab, proxy.configPath);
    let after = 0;
    await until(() => {
      ask();
      return /taken over/.test(successor.output) && ++after > 5;
    }, { what: "the handover", pollMs: 50, timeoutMs: 20_000 });
    for (const [i, client] of clients.entries()) {
      const answers = await client.receiveAll(i === 0 ? 3000 : 50);
      assert.deepEqual(answers.map(({ text }) => text), ["one", "two"], `client ${i} of ${clients.length}`);
    }
    assert.equal(
      new Set(seen.map(({ from }) => from)).size,
      clients.length,
      "each has one port at the server",
    );
  },
);

/** Drops the first SYN of each connection to a port of the server: a dial takes a second. */
async function slowDials(lab: Lab, port: number): Promise<void> {
  await lab.server.nft(`table inet slow {
    set dialled { type inet_service; flags dynamic; size 4096; }
    chain input { type filter hook input priority 0;
      tcp dport ${port} tcp flags & (syn | ack) == syn tcp sport != @dialled add @dialled { tcp sport } drop
    }
  }`);
}
