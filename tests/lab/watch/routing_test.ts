/** A policy that relays nothing has no routing of ours; a reload changes that while connections go on. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { assertRefused } from "../../laboratory/names/quic.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { type Proxy, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { runClient, serveWatched } from "../../laboratory/watch/watcher.ts";
import { recorded } from "../../unit/sniff/recordings.ts";

const PROGRAMS = ["python3", "nft", "ip", "socat", "sha256sum", "ss"];
const QUIC = 7001;
const WATCHING = {
  intercept: { protocols: ["tcp", "udp"] },
  // Its TCP and its UDP send through the same sockets.
  listener: { workers: 1 },
  rules: [
    { name: "named", ports: [7003], domains: ["recorded.example"], action: "bypass" },
    { name: "unnamed", ports: [7003], action: "block" },
    { name: "names", domains: [".blocked.test", "recorded.example"], action: "block" },
    { name: "closed", ports: [7002], action: "block" },
  ],
  default: "bypass",
};
const RELAYING = { ...WATCHING, default: "direct" };

/** Our entries in policy routing, a line each. */
async function routing(lab: Lab): Promise<string[]> {
  const commands = ["-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all"];
  const outcomes = await Promise.all(
    commands.map((words) => lab.router.run(["ip", "-N", ...words.split(" ")])),
  );
  return outcomes.flatMap(({ stdout }) => stdout.split("\n")).filter((line) => /proto(col)? 50\b/.test(line));
}

async function assertWhole(lab: Lab, { configPath }: Proxy): Promise<void> {
  const { stdout, code } = await tproxy(lab, ["status", "-c", configPath], { mayFail: true });
  assert.equal(code, 0, stdout);
}

/** An allowed name is answered, a blocked one reset; by both families. */
async function assertDecides(lab: Lab): Promise<void> {
  for (const family of [4, 6] as const) {
    const reports = await runClient(
      lab,
      family,
      `
for host in ("ok.test", "www.blocked.test", "ok.test"):
    s = connect(443); t = time.time(); s.sendall(hello(host)); report(host, t, said(s)); s.close()`,
    );
    assert.match(reports[0].said, /^\d+$/);
    assert.equal(reports[1].said, "Connection reset by peer");
    assert.match(reports[2].said, /^\d+$/);
  }
}

labTest("where nothing is relayed nothing is routed, and flows end as the rules say", {
  programs: PROGRAMS,
  forwarding: true,
}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  await serveWatched(lab);
  const proxy = await startProxy(lab, { config: WATCHING });
  assert.deepEqual(await routing(lab), []);
  await assertWhole(lab, proxy);
  await assertDecides(lab);
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family, QUIC);
    await assertRefused(openClient(lab, family, QUIC), recorded("quic-firefox"));
    const other = openClient(lab, family, QUIC);
    other.send("no name");
    const { text, from } = await server.receive();
    assert.equal(text, "no name");
    server.send("answer", from);
    assert.equal((await other.receive()).text, "answer");
    await assertRefused(openClient(lab, family, 7002), [new Uint8Array(10)]);
  }
  // What the administrator keeps out of conntrack is watched as well: each datagram of it.
  await lab.router.nft(
    "table inet off { chain pre { type filter hook prerouting priority raw; udp dport 7003 notrack; }; }",
  );
  for (const family of [4, 6] as const) {
    const server = openServer(lab, family, 7003);
    const client = openClient(lab, family, 7003);
    for (const datagram of recorded("quic-firefox")) client.send(datagram);
    const [{ from }] = await server.receiveAll(200);
    await delay(1200);
    client.send("more");
    assert.equal((await server.receive()).text, "more");
    server.send("answer", from);
    assert.equal((await client.receive()).text, "answer");
    await assertRefused(openClient(lab, family, 7003), [new Uint8Array(10)]);
  }
  await lab.router.nft("delete table inet off");
  const words = `explain --from ${ADDRESSES[4].client} --to ${ADDRESSES[4].server}:443 --in r0 --domain`
    .split(" ");
  for (const [name, end] of [["ok.test", "forwarded"], ["www.blocked.test", "refused"]]) {
    const { stdout } = await tproxy(lab, [...words, name, "--json", "-c", proxy.configPath], {
      mayFail: true,
    });
    assert.equal(JSON.parse(stdout).end, end, stdout);
  }
  // It would lead away what is brought to sockets.
  await lab.router.ip("rule add priority 3 iif r0 lookup main");
  const doctor = await tproxy(lab, ["doctor", "--json", "-c", proxy.configPath], { mayFail: true });
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.match(doctor.stdout, /nothing is relayed/);
  await lab.router.ip("rule del priority 3");
  // A proxy mends this install as any other.
  await lab.router.nft("delete table inet transparent_proxy");
  await proxy.program.waitForOutput("are there again");
  await assertWhole(lab, proxy);
  await assertDecides(lab);
  await proxy.program.stop();
  // With the first rule the kernel goes the long way to routes, until it starts again.
  const monitor = await lab.router.start(["ip", "monitor", "rule"]);
  await tproxy(lab, ["uninstall"]);
  await lab.router.ip("rule add priority 9 lookup main");
  await lab.router.ip("rule del priority 9");
  await monitor.waitForOutput("Deleted 9:");
  assert.doesNotMatch(monitor.stdout, /nop/);
  assert.deepEqual(await snapshotKernel(lab.router), before);
});

/** Python: sends random bytes, and goes on until the file is there; then it prints their hash. */
const SEND = `import hashlib, os, socket, sys, time
s = socket.create_server(("0.0.0.0", 8000)); c = s.accept()[0]; h = hashlib.sha256()
print("from", c.getpeername()[0], flush=True)
while True:
    last = os.path.exists(sys.argv[1])
    d = os.urandom(65536); h.update(d); c.sendall(d)
    if last: break
    time.sleep(0.02)
c.close(); print("sent", h.hexdigest(), flush=True)`;

labTest("a reload that relays nothing any more ends no download, and one that relays again neither", {
  programs: PROGRAMS,
  forwarding: true,
}, async (lab) => {
  await serveWatched(lab);
  const proxy = await startProxy(lab, { config: WATCHING });
  const over = `${lab.directory}/over`;
  const server = await lab.server.start(["python3", "-c", SEND, over], { listens: 8000 });
  const reload = async (config: object) => {
    const generations = () => proxy.log.split("is in force").length;
    const known = generations();
    writeConfig(lab, { ...config });
    proxy.program.signal("SIGHUP");
    await until(() => generations() > known, { what: `a reload; it said:\n${proxy.log}` });
    await assertWhole(lab, proxy);
    await assertDecides(lab);
  };

  await reload(RELAYING);
  const routes = await routing(lab);
  assert.equal(routes.length, 8, routes.join("\n"));
  const download = await lab.client.start([
    "sh",
    "-c",
    `socat -u TCP4:${ADDRESSES[4].server}:8000 - | sha256sum`,
  ]);
  await server.waitForOutput("from");
  const assertRelayed = async () => {
    const { stdout } = await lab.router.run(["ss", "-tnH", "state", "established", "( dport = 8000 )"]);
    assert.notEqual(stdout, "", "the download has no socket of the proxy");
  };
  await assertRelayed();

  // What is relayed goes on: its routes are needed.
  await reload(WATCHING);
  assert.deepEqual(await routing(lab), routes);
  // Whoever installs meanwhile does not end it either.
  await tproxy(lab, ["install", "-c", proxy.configPath]);
  assert.deepEqual(await routing(lab), routes);
  await reload(RELAYING);
  await reload(WATCHING);
  await assertRelayed();
  lab.writeFile("over", "");
  await server.waitForOutput("sent");
  const [, sent] = /sent (\w+)/.exec(server.stdout)!;
  await until(() => download.stdout.includes(sent), { what: `the hash ${sent}` });

  // Without a proxy the install stays as it is until somebody makes it anew.
  await proxy.program.stop();
  await assertWhole(lab, proxy);
  await tproxy(lab, ["install", "-c", proxy.configPath]);
  await assertWhole(lab, proxy);
  assert.deepEqual(await routing(lab), []);
});
