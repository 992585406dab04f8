/** Watched flows: the kernel forwards them from their SYN on, until a name ends them or lets them go. */
import assert from "node:assert/strict";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { runClient, serveWatched, startWatcher } from "../../laboratory/watch/watcher.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["python3", "nft"];
const OPTIONS = { programs: PROGRAMS, forwarding: true };

for (const family of [4, 6] as const) {
  for (const masquerade of [false, true]) {
    const nat = masquerade ? ", masqueraded" : "";
    labTest(`IPv${family}${nat}: an allowed name goes on, a blocked one is reset at both ends at once`, {
      ...OPTIONS,
      masquerade,
    }, async (lab) => {
      const server = await serveWatched(lab);
      const watcher = await startWatcher(lab);
      const reports = await runClient(
        lab,
        family,
        `
for name in ("ok.test", "www.blocked.test"):
    s = connect(80); t = time.time(); s.sendall(head(name)); report("http", t, said(s)); s.close()
    s = connect(443); t = time.time(); s.sendall(hello(name)); report("tls", t, said(s)); s.close()`,
      );
      assert.deepEqual(reports.map(({ name, said }) => [name, said.replace(/^\d+$/, "answered")]), [
        ["http", "ok"],
        ["tls", "answered"],
        ["http", "Connection reset by peer"],
        ["tls", "Connection reset by peer"],
      ]);
      for (const { name, ms } of reports) assert.ok(ms < 100, `${name} after ${ms} ms`);
      await until(() => server.stdout.split("\n").length === 5, { what: "four connections" });
      const ends = server.stdout.trim().split("\n").map((line) => line.replace(/ end \d+$/, " end"))
        .toSorted();
      assert.deepEqual(ends, [
        "443 Connection reset by peer 0",
        "443 end",
        "80 Connection reset by peer 0",
        "80 end",
      ]);
      const { watched, watchReleased, watchRefused } = await watcher.count();
      assert.deepEqual([watched, watchReleased, watchRefused], [4, 2, 2]);
    });
  }
}

for (const family of [4, 6] as const) {
  labTest(
    `IPv${family}: heads that come in parts, bare protocols, late words and long bodies`,
    OPTIONS,
    async (lab) => {
      const server = await serveWatched(lab);
      const watcher = await startWatcher(lab);
      const reports = await runClient(
        lab,
        family,
        `
def parts(name, data, size, port, pause, nodelay):
    s = connect(port, nodelay); t = time.time()
    try:
        for i in range(0, len(data), size): s.sendall(data[i:i + size]); time.sleep(pause)
    except OSError: pass
    report(name, t, said(s)); s.close()
for host in ("ok.test", "www.blocked.test"):
    end = "|" + host
    parts("hundreds", hello(host, 1600), 100, 443, 0.002, True)
    parts("Nagle", head(host), 10, 80, 0, False)
    parts("bytes", head(host), 1, 80, 0.001, True)
    parts("two segments", hello(host, 1700), 1 << 20, 443, 0, True)
    parts("long head", head(host, "X: " + "x" * 5000 + "\\r\\n"), 1 << 20, 80, 0, True)
    s = connect(80); time.sleep(1.5); t = time.time(); s.sendall(head(host)); report("late", t, said(s)); s.close()
s = connect(443); t = time.time(); s.sendall(b"\\0\\1binary"); report("no name", t, said(s)); s.close()
s = connect(25); t = time.time(); report("greeting", t, said(s)); s.sendall(b"ehlo me\\r\\n"); report("no head", t, said(s)); s.close()
s = connect(80); s.sendall(head("ok.test")); said(s); t = time.time(); s.sendall(head("www.blocked.test")); report("kept alive", t, said(s)); s.close()
s = connect(443); t = time.time(); s.sendall(hello("ok.test") + b"x" * 300000); time.sleep(0.3); s.shutdown(1)
answer = b""
while True:
    d = s.recv(4096)
    if not d: break
    answer += d
report("body", t, answer.decode().strip().split("\\n")[-1])`,
      );
      const reset = "Connection reset by peer";
      const saids = reports.map(({ name, said }) => `${name}: ${said}`);
      assert.deepEqual(saids.map((said) => said.replace(/: \d{3,4}$/, ": answered")), [
        "hundreds: answered",
        "Nagle: ok",
        "bytes: ok",
        "two segments: answered",
        "long head: ok",
        "late: ok",
        `hundreds: ${reset}`,
        `Nagle: ${reset}`,
        `bytes: ${reset}`,
        `two segments: ${reset}`,
        `long head: ${reset}`,
        `late: ${reset}`,
        "no name: 8",
        "greeting: 220 hello",
        "no head: 250 ok",
        "kept alive: ok",
        `body: ${reports.at(-1)!.said}`,
      ]);
      assert.ok(Number(reports.at(-1)!.said) > 300000, "the whole body");
      const greeting = reports.find(({ name }) => name === "greeting")!;
      assert.ok(greeting.ms < 20, `the greeting came after ${greeting.ms} ms`);
      for (
        const { name, ms } of reports.filter(({ name }) => ["Nagle", "late", "two segments"].includes(name))
      ) {
        assert.ok(ms < 150, `${name} after ${ms} ms`);
      }
      const counters = await watcher.count();
      assert.deepEqual(
        [counters.watched, counters.watchReleased, counters.watchDropped],
        [16, 10, 0],
        server.stdout,
      );
    },
  );

  labTest(
    `IPv${family}: once a name is read, nothing of the flow comes to the proxy`,
    OPTIONS,
    async (lab) => {
      await serveWatched(lab);
      const watcher = await startWatcher(lab);
      const before = await runClient(
        lab,
        family,
        `
s = connect(80); s.sendall(head("ok.test")); said(s); t = time.time()
for i in range(300): s.sendall(head("ok.test")); said(s)
report("all", t, "done")`,
      );
      assert.equal(before.length, 1);
      const { watchPassed, watchReleased } = await watcher.count();
      assert.deepEqual([watchPassed, watchReleased], [0, 1]);
    },
  );

  labTest(`IPv${family}: a port whose connection was refused is as good as new`, OPTIONS, async (lab) => {
    await serveWatched(lab);
    await startWatcher(lab);
    const reports = await runClient(
      lab,
      family,
      `
for host in ("www.blocked.test", "ok.test", "www.blocked.test", "www.blocked.test"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET); s.settimeout(3)
    s.bind(("", 40000)); s.connect((address, 80)); t = time.time(); s.sendall(head(host)); report(host, t, said(s))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close(); time.sleep(0.1)`,
    );
    const reset = "Connection reset by peer";
    assert.deepEqual(reports.map(({ said }) => said), [reset, "ok", reset, reset]);
  });

  labTest(`IPv${family}: behind a port forward, with filters of invalid packets`, {
    ...OPTIONS,
    masquerade: true,
  }, async (lab) => {
    await serveWatched(lab);
    // What is sent once more needs a route, as it does where it is forwarded.
    await lab.router.ip(`route add default via 203.0.113.2
      route add default via 2001:db8:77::2`);
    const elsewhere = family === 4 ? "192.0.2.9" : "2001:db8:9::9";
    const [ip, server] = family === 4 ? ["ip", "203.0.113.2"] : ["ip6", "[2001:db8:77::2]"];
    await lab.router.nft(`table inet strict {
      chain pre { type nat hook prerouting priority dstnat; iifname "r0" ${ip} daddr ${elsewhere} tcp dport 80 dnat ${ip} to ${server}:80; }
      chain marks { type filter hook prerouting priority mangle; iifname "r0" meta mark set 0x5000; }
      chain out { type filter hook output priority 0; policy accept;
        meta l4proto tcp ct state invalid,new counter drop comment "strays"
        ct direction original meta l4proto tcp meta mark != 0x5000 counter drop comment "marks"; }
    }`);
    await startWatcher(lab);
    const reports = await runClient(
      lab,
      family,
      `
for host in ("ok.test", "www.blocked.test"):
    s = connect(80); t = time.time(); s.sendall(head(host)); report(host, t, said(s)); s.close()`,
      elsewhere,
    );
    assert.deepEqual(reports.map(({ said }) => said), ["ok", "Connection reset by peer"]);
    const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "strict", "out"]);
    assert.match(stdout, /packets 0 bytes 0 drop comment "strays"[^]*packets 0 bytes 0 drop comment "marks"/);
  });
}

labTest("data in a SYN do not pass unseen", OPTIONS, async (lab) => {
  await lab.client.writeSysctl({ "net.ipv4.tcp_fastopen": 1 });
  await lab.server.writeSysctl({ "net.ipv4.tcp_fastopen": 0x402 });
  const server = await serveWatched(lab);
  const open = (hosts: string) =>
    runClient(
      lab,
      4,
      `
for host in (${hosts}):
    s = socket.socket(); t = time.time(); s.sendto(head(host), socket.MSG_FASTOPEN, (address, 80))
    report(host, t, said(s)); s.close()`,
    );
  const used = async () =>
    /TCPFastOpenPassive +([1-9]\d*)/.test((await lab.server.run(["nstat", "-az"])).stdout);
  // The first gets a cookie.
  assert.deepEqual((await open('"ok.test", "www.blocked.test"')).map(({ said }) => said), ["ok", "ok"]);
  assert.ok(await used(), "nobody uses TCP Fast Open");
  await startWatcher(lab);
  const reports = await open('"ok.test", "www.blocked.test"');
  assert.deepEqual(reports.map(({ said }) => said), ["ok", "Connection reset by peer"]);
  // The handshake's last packet had the head with it, so the server has heard of no connection. Its threads
  // write between each other's words.
  assert.equal(server.stdout.match(/\b80 /g)?.length, 3, server.stdout);
});

labTest("segments that the kernel has joined are cut for a narrower link", {
  ...OPTIONS,
  programs: [...PROGRAMS, "ip"],
}, async (lab) => {
  await serveWatched(lab);
  await startWatcher(lab);
  for (const mtu of [1500, 1400]) {
    await lab.router.ip(`link set r1 mtu ${mtu}`);
    await lab.server.ip(`link set s0 mtu ${mtu}`);
    const reports = await runClient(
      lab,
      4,
      `
for host in ("ok.test", "www.blocked.test"):
    s = connect(443); t = time.time(); s.sendall(hello(host, 9000)); time.sleep(0.1); report(host, t, said(s)); s.close()`,
    );
    assert.deepEqual(
      reports.map(({ said }) => said.split("\n").at(-1)),
      ["9072", "Connection reset by peer"],
      `${mtu}`,
    );
    for (const { ms } of reports) assert.ok(ms < 180, `after ${ms} ms`);
  }
});

labTest(
  "a reordered head is not taken for another: its begin is known from the SYN",
  OPTIONS,
  async (lab) => {
    const server = await serveWatched(lab);
    await startWatcher(lab);
    // The first segment with data is lost once.
    await lab.router.nft(`table netdev loss {
    set seen { type inet_service; flags dynamic; size 100; }
    chain in { type filter hook ingress device "r0" priority 0; policy accept;
      tcp dport 443 tcp flags psh tcp sport != @seen add @seen { tcp sport } drop; }
  }`);
    const reports = await runClient(
      lab,
      4,
      `
for host in ("ok.test", "www.blocked.test"):
    s = connect(443); data = hello(host, 300); t = time.time()
    s.sendall(data[:200]); time.sleep(0.01); s.sendall(data[200:]); time.sleep(1); report(host, t, said(s)); s.close()`,
    );
    assert.match(reports[0].said, /^\d+$/m);
    assert.equal(reports[1].said, "Connection reset by peer");
    assert.match(server.stdout, /443 Connection reset by peer 0/);
  },
);

labTest("kill -9 under load loses no connection, and the next proxy goes on", OPTIONS, async (lab) => {
  await serveWatched(lab);
  const load = `
import os, threading
ends = []
def work():
    while not os.path.exists("${lab.directory}/over"):
        try:
            s = connect(80); s.sendall(head("ok.test")); ends.append(said(s)); s.close()
        except OSError as e: ends.append(str(e))
silent = connect(80); held = connect(80); held.sendall(head("ok.test")[:10])
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
t = time.time()
for end in sorted(set(ends)): report(end, t, ends.count(end))
held.sendall(head("ok.test")[10:]); report("held", t, said(held))
t = time.time(); silent.sendall(head("www.blocked.test")); report("silent", t, said(silent))`;
  let watcher = await startWatcher(lab);
  const running = runClient(lab, 4, load);
  for (let i = 0; i < 2; i++) {
    await delay(1000);
    await watcher.program.stop("SIGKILL");
    await delay(200);
    watcher = await startWatcher(lab);
  }
  lab.writeFile("over", "");
  const reports = await running;
  assert.deepEqual(reports.map(({ name }) => name), ["ok", "held", "silent"]);
  assert.ok(Number(reports[0].said) > 500, `${reports[0].said} connections`);
  // The one whose head had begun before goes on; of the other the next proxy knows by its label.
  assert.deepEqual(reports.slice(1).map(({ said }) => said), ["ok", "Connection reset by peer"]);
});

labTest(
  "the first rule that matches decides, with a name and without",
  OPTIONS,
  async (lab) => {
    const server = await serveWatched(lab);
    const rules = [
      { name: "blocked", ports: [80, 443], domains: [".blocked.test"], action: "block" },
      { name: "only names", ports: [25], domains: ["ok.test"], action: "bypass" },
      { name: "no names", ports: [25], action: "block" },
    ];
    await startWatcher(lab, { rules, default: "bypass" });
    for (const family of [4, 6] as const) {
      const reports = await runClient(
        lab,
        family,
        `
for i in range(4):
    for host in ("ok.test", "WWW.Blocked.Test"):
        s = connect(80); t = time.time(); s.sendall(head(host)); report("http", t, said(s)); s.close()
        s = connect(443); t = time.time(); s.sendall(hello(host)); report("tls", t, said(s)); s.close()
for words in (head("ok.test"), head("other.test"), b"ehlo\\r\\n"):
    s = connect(25); t = time.time(); said(s); s.sendall(words); report("25", t, said(s)); s.close()`,
      );
      const reset = "Connection reset by peer";
      const once = ["http: ok", "tls: answered", `http: ${reset}`, `tls: ${reset}`];
      assert.deepEqual(reports.map(({ name, said }) => `${name}: ${said.replace(/^\d+$/, "answered")}`), [
        ...[1, 2, 3, 4].flatMap(() => once),
        "25: 250 ok",
        `25: ${reset}`,
        `25: ${reset}`,
      ]);
    }
    await until(() => (server.stdout.match(/ Connection reset by peer 0$/gm) ?? []).length === 20, {
      what: "resets",
    });
  },
);

for (const onFailure of ["open", "reset"] as const) {
  labTest(
    `without a proxy new flows have on-failure: ${onFailure}, and no mark of ours is left on them`,
    OPTIONS,
    async (lab) => {
      await serveWatched(lab);
      const watcher = await startWatcher(lab, { intercept: { "on-failure": onFailure } });
      await lab.router.nft(`table inet marks { chain forward { type filter hook forward priority 0;
      meta mark & 0xff != 0 counter comment "marked"; }; }`);
      const attempt = `
t = time.time()
try: s = connect(80); s.sendall(head("www.blocked.test")); report("said", t, said(s))
except OSError as e: report("said", t, e.strerror)`;
      const saids: string[] = [];
      for (const family of [4, 6] as const) saids.push((await runClient(lab, family, attempt))[0].said);
      await watcher.program.stop("SIGKILL");
      for (const family of [4, 6] as const) saids.push((await runClient(lab, family, attempt))[0].said);
      const reset = "Connection reset by peer";
      const without = onFailure === "open" ? "ok" : "Connection refused";
      assert.deepEqual(saids, [reset, reset, without, without]);
      const { stdout } = await lab.router.run(["nft", "list", "table", "inet", "marks"]);
      assert.match(stdout, /packets 0 bytes 0 comment "marked"/);
    },
  );
}
