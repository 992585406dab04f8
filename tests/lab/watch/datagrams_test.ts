/**
 * Watched flows of UDP: their first datagrams are held until a name ends the flow or lets it go; then the
 * kernel alone forwards it. The program has no relay.
 */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { assertRefused, assertWaitsASecond, notInitials, receiveAll } from "../../laboratory/names/quic.ts";
import { openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { makeCertificate } from "../../laboratory/programs/certificate.ts";
import { quicCommand } from "../../laboratory/programs/script.ts";
import { labTest } from "../../laboratory/register.ts";
import { startWatcher } from "../../laboratory/watch/watcher.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const OPTIONS = { programs: ["nft", "conntrack"], forwarding: true };
const UDP = { intercept: { protocols: ["tcp", "udp"] } };
const SHUT = 7001;
const RULES = [
  { name: "shut", domains: ["recorded.example"], ports: [SHUT], action: "block" },
  { name: "other", domains: ["other.example"], action: "block" },
];

function startNamed(lab: Lab, rules: object[] = RULES, more: object = {}) {
  return startWatcher(lab, { ...UDP, rules, default: "bypass", ...more });
}

/** Compares without printing thousands of bytes. */
function isSame(received: readonly Uint8Array[], sent: readonly Uint8Array[]): boolean {
  return received.join() === sent.join();
}

for (const masquerade of [false, true]) {
  for (const recording of ["chromium", "chromium-v2", "firefox", "ngtcp2"]) {
    labTest(`QUIC of ${recording}${masquerade ? ", masqueraded" : ""}: held for its name, then forwarded`, {
      ...OPTIONS,
      masquerade,
    }, async (lab) => {
      const datagrams = recorded(`quic-${recording}`);
      const watcher = await startNamed(lab);
      for (const family of [4, 6] as const) {
        const server = openServer(lab, family);
        const open = openClient(lab, family);
        for (const datagram of datagrams) open.send(datagram);
        const received = await server.receiveAll(200);
        assert.ok(isSame(received.map(({ data }) => data), datagrams), `${received.length} came`);
        // Both directions; and nothing of it comes to the worker any more.
        const { watchReleased } = await watcher.count();
        for (let i = 0; i < 20; i++) {
          server.send("answer", received[0].from);
          assert.equal((await open.receive()).text, "answer");
          open.send("more");
          assert.equal((await server.receive()).text, "more");
        }
        assert.equal((await watcher.count()).watchReleased, watchReleased);

        const blocked = openServer(lab, family, SHUT);
        const shut = openClient(lab, family, SHUT);
        const before = performance.now();
        await assertRefused(shut, datagrams);
        assert.ok(performance.now() - before < 500, `after ${performance.now() - before} ms`);
        await assertRefused(shut, [new Uint8Array(100).fill(0x40)]);
        assert.deepEqual(await receiveAll(blocked, 100), []);
      }
      const { watched, watchDropped } = await watcher.count();
      assert.deepEqual([watched, watchDropped], [4, 0]);
    });
  }
}

labTest("QUIC of Deno is forwarded by the kernel: 4 MiB both ways", {
  ...OPTIONS,
  programs: [...OPTIONS.programs, "openssl"],
}, async (lab) => {
  const { key, certificate } = await makeCertificate(lab);
  const rules = [{ name: "shut", domains: ["server.test"], ports: [444], action: "block" }];
  const watcher = await startNamed(lab, [...rules, { name: "no", domains: ["no.test"], action: "block" }]);
  for (const family of [4, 6] as const) {
    const { server: address, client } = ADDRESSES[family];
    const server = await lab.server.start(quicCommand("serve", address, certificate, key), { udpPort: 443 });
    const { stderr } = await lab.client.run(quicCommand("fetch", address, certificate, `${4 << 20}`));
    const [sent, received] = /([0-9a-f]{64}) ([0-9a-f]{64})/.exec(stderr)!.slice(1);
    assert.equal(received, sent);
    assert.ok(`${server.stderr}${server.stdout}`.includes(client), "the server saw somebody else");
    await server.stop();
  }
  const { watched, watchReleased } = await watcher.count();
  assert.equal(watched, 2);
  assert.ok(watchReleased < 10, `${watchReleased} datagrams came to the worker`);
});

labTest("what is no Initial goes on at once", OPTIONS, async (lab) => {
  const watcher = await startNamed(lab);
  for (const family of [4, 6] as const) {
    for (const other of notInitials()) {
      const server = openServer(lab, family);
      const client = openClient(lab, family);
      const before = performance.now();
      client.send(other);
      assert.deepEqual((await server.receive()).data, other);
      assert.ok(performance.now() - before < 500, `after ${performance.now() - before} ms`);
      server.close();
    }
  }
  assert.equal((await watcher.count()).watchReleased, 8);
});

labTest(
  "a hello that never becomes whole, and one too large, go on as without a name",
  OPTIONS,
  async (lab) => {
    const [first] = recorded("quic-chromium");
    await startNamed(lab);
    await assertWaitsASecond(lab);
    const server = openServer(lab, 4);
    const large = openClient(lab, 4);
    for (let i = 0; i < 40; i++) large.send(first);
    assert.equal((await receiveAll(server, 300)).length, 40);
  },
);

labTest("a silent block tells nothing", OPTIONS, async (lab) => {
  await startNamed(lab, [
    { name: "open", domains: ["other.example"], action: "bypass" },
    { name: "shut", action: "block", silent: true },
  ]);
  const server = openServer(lab, 4);
  const client = openClient(lab, 4);
  for (const datagram of recorded("quic-firefox")) client.send(datagram);
  assert.deepEqual([await receiveAll(server, 200), await receiveAll(client, 100)], [[], []]);
});

labTest(
  "behind a port forward of addresses that nothing leads to, with a filter of what the router itself begins",
  {
    ...OPTIONS,
    masquerade: true,
  },
  async (lab) => {
    await lab.router.nft(`table inet strict {
    chain pre { type nat hook prerouting priority dstnat;
      iifname "r0" ip daddr 192.0.2.9 udp dport 80 dnat ip to 203.0.113.2:7000;
      iifname "r0" ip6 daddr 2001:db8:9::9 udp dport 80 dnat ip6 to [2001:db8:77::2]:7000; }
    chain out { type filter hook output priority 0; policy accept;
      meta l4proto udp ct state invalid,new counter drop comment "strays"
 }
  }`);
    await startNamed(lab);
    for (const [family, elsewhere] of [[4, "192.0.2.9:80"], [6, "[2001:db8:9::9]:80"]] as const) {
      const server = openServer(lab, family);
      const client = lab.client.udp({ family, connect: elsewhere });
      const datagrams = recorded("quic-chromium");
      for (const datagram of datagrams) client.send(datagram);
      const received = await server.receiveAll(200);
      assert.ok(isSame(received.map(({ data }) => data), datagrams), `${received.length} came`);
      server.send("answer", received[0].from);
      assert.equal((await client.receive()).text, "answer");
    }
    const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "strict", "out"]);
    assert.match(stdout, /packets 0 bytes 0 drop comment "strays"/);
  },
);

for (const onFailure of ["open", "drop"] as const) {
  labTest(`kill -9 under load loses no flow, on-failure: ${onFailure}`, OPTIONS, async (lab) => {
    const more = { intercept: { ...UDP.intercept, "on-failure": onFailure } };
    let watcher = await startNamed(lab, RULES, more);
    const server = openServer(lab, 4);
    const client = openClient(lab, 4);
    const datagrams = recorded("quic-firefox");
    for (const datagram of datagrams) client.send(datagram);
    assert.equal((await receiveAll(server, 200)).length, datagrams.length);
    for (let i = 0; i < 2; i++) {
      const sending = (async () => {
        for (let j = 0; j < 100; j++) {
          client.send(`${j}`);
          await delay(5);
        }
      })();
      await delay(100);
      await watcher.program.stop("SIGKILL");
      await delay(200);
      watcher = await startNamed(lab, RULES, more);
      await sending;
      assert.equal((await receiveAll(server, 200)).length, 100);
    }
    // To the next proxy the flow is known by its label.
    await until(async () => (await watcher.count()).watchReleased === 0, { what: "nothing to hold" });
  });
}

labTest("the program itself relays none of it; what it blocks is in the access log, also QUIC of Deno", {
  ...OPTIONS,
  programs: [...OPTIONS.programs, "openssl"],
}, async (lab) => {
  const { key, certificate } = await makeCertificate(lab);
  const rules = [{ name: "shut", domains: ["server.test"], ports: [444], action: "block" }, RULES[1]];
  const proxy = await startUdpProxy(lab, {
    rules,
    default: "bypass",
    log: { access: "on", format: "json" },
  });
  const [open, shut] = await Promise.all(
    [443, 444].map((port) =>
      lab.server.start(quicCommand("serve", ADDRESSES[4].server, certificate, key, port), { udpPort: port })
    ),
  );
  const fetch = (port: number) => quicCommand("fetch", ADDRESSES[4].server, certificate, "100000", port);
  await lab.client.run(fetch(443));
  await open.waitForOutput("connection from ");
  const blocked = await lab.client.start(fetch(444));
  const flows = () =>
    proxy.log.split("\n").filter((line) => line.includes('"flow"')).map((line) => JSON.parse(line));
  await until(() => flows().length > 0, { what: "a line" });
  await blocked.stop("SIGKILL");
  const [flow] = flows();
  assert.deepEqual(
    ["network.transport", "tproxy.name", "tproxy.rule", "tproxy.end"].map((key) => flow[key]),
    ["udp", "server.test", "shut", "blocked"],
  );
  assert.ok(!`${shut.stdout}${shut.stderr}`.includes("connection"), "the server has heard of it");
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit(), 0);
  assert.match(proxy.log, /"tproxy.udp_sessions":0/);
});
