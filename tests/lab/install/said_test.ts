/** install, status and uninstall say what is going on around them. */
import assert from "node:assert/strict";
import { controlPath, startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { echoes } from "../../laboratory/proxy/doctor.ts";

const EARLY = { intercept: { admission: "early", families: ["ipv4"], ports: [7000] } };

labTest("install says what doctor says is in the way, and is done all the same", {
  programs: ["iptables-nft"],
}, async (lab) => {
  const path = writeConfig(lab, EARLY);
  const fine = await tproxy(lab, ["install", "-c", path]);
  assert.doesNotMatch(fine.stderr, /in the way/);
  for (
    const rule of ["-P INPUT DROP", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
  ) await lab.router.run(["iptables-nft", ...rule.split(" ")]);
  const { stdout, stderr } = await tproxy(lab, ["install", "-c", path]);
  assert.match(stdout, /^Installed/);
  assert.match(
    stderr,
    /warning: in the way: firewall: chain INPUT of table ip filter: It drops .*its policy/,
  );
  assert.match(stderr, /^ {2}iptables-nft -I INPUT -m mark --mark 0x1\/0x1 -j ACCEPT; to keep it/m);
  assert.match(stderr, /clients do not get through a proxy until that is mended/);
});

labTest("status and run on a terminal say what is in the way, once it is there", {
  programs: ["iptables-legacy", "script"],
}, async (lab) => {
  const path = writeConfig(lab, EARLY);
  await tproxy(lab, ["install", "-c", path]);
  const status = async () => (await tproxy(lab, ["status", "-c", path])).stdout;
  assert.doesNotMatch(await status(), /in the way/);
  await lab.router.run("iptables-legacy -P INPUT DROP".split(" "));
  const line =
    /^in the way: firewall: chain INPUT of iptables-legacy: It drops .*"tproxy doctor" says what to do$/m;
  assert.match(await status(), line);
  const { stdout } = await tproxy(lab, ["status", "--json", "-c", path]);
  const { obstacles } = JSON.parse(stdout) as { obstacles: { id: string; remedy: string }[] };
  assert.deepEqual(obstacles.map(({ id }) => id), ["legacy-input"]);
  const words = [...tproxyCommand(), "run", "--privileges", "keep", "-c", path].join(" ");
  const terminal = await lab.router.start(["script", "-qec", `exec ${words}`, "/dev/null"]);
  await terminal.waitForOutput('warn in the way what="firewall: chain INPUT of iptables-legacy"');
  await terminal.waitForOutput('remedy="iptables-legacy -I INPUT -m mark');
});

labTest("status shows the proxy first, its work and its config, and a program that holds the port", {
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const path = writeConfig(lab, EARLY);
  const none = await tproxy(lab, ["status", "-c", path], { mayFail: true });
  assert.equal(none.code, 1);
  assert.match(none.stdout, /^installed: no, \d+ missing\nproxy: not running \(nobody listens/);
  assert.ok(none.stdout.split("\n").length < 10, none.stdout);
  const proxy = await startProxy(lab, { config: EARLY });
  assert.equal((await echoes(lab))[0], true);
  const status = await tproxy(lab, ["status", "--running", "-c", proxy.configPath]);
  assert.match(status.stdout, new RegExp(`^installed: yes.*\nproxy: running, pid ${proxy.pid}, for `));
  assert.match(status.stdout, /\d+ live connections \(\d+ accepted, .* up, .* down\), 0 UDP sessions/);
  assert.match(status.stdout, /of late [\d.]+ connections\/s, 0 UDP sessions\/s, .*B\/s up, .*B\/s down/);
  assert.ok(status.stdout.includes(`its config is ${proxy.configPath}\n`), status.stdout);
  assert.doesNotMatch(status.stdout, /^present/m);
  const verbose = (await tproxy(lab, ["status", "-v", "-c", proxy.configPath])).stdout;
  assert.match(verbose, /^present {3}/m);
  assert.match(verbose, /^ +tproxy [\d.]+, \d+ workers?, room for \d+ connections$/m);
  assert.ok(verbose.includes(` ssh -N -L 8080:${controlPath(lab)} root@ROUTER, then http://localhost:8080/`));
  // One that hangs runs, and answers nobody.
  proxy.program.signal("SIGSTOP");
  const hanging = await tproxy(lab, ["status", "--running", "-c", proxy.configPath], { mayFail: true });
  assert.equal(hanging.code, 3);
  assert.match(hanging.stdout, new RegExp(`running, pid ${proxy.pid}, which does not answer at /.*sock`));
  proxy.program.signal("SIGCONT");
  await proxy.program.stop();
  const stopped = await tproxy(lab, ["status", "--running", "-c", proxy.configPath], { mayFail: true });
  assert.equal(stopped.code, 3);
  await lab.router.start(["socat", "TCP4-LISTEN:50080,bind=127.0.0.1", "PIPE"], { listens: 50080 });
  const foreign = await tproxy(lab, ["status", "--running", "-c", proxy.configPath], { mayFail: true });
  assert.equal(foreign.code, 3);
  assert.match(foreign.stdout, /^proxy: not running: socat \(pid \d+\) holds the port \(socat /m);
});
