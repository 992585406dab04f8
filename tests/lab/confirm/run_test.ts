/** `install --confirm` beside `tproxy run`, which mends what it misses: a trial is none of that. */
import assert from "node:assert/strict";
import { until } from "../../laboratory/machine/wait.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import { iptablesProgram, listOurRules } from "../../laboratory/programs/iptables.ts";
import { labBackend, usesIptables } from "../../laboratory/proxy/backend.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import {
  findWatchers,
  hasNote,
  hasTrialRules,
  MISTAKE,
  reaches,
  startTrial,
  untilBack,
  untilCutOff,
  writeOther,
} from "../../laboratory/trial/trial.ts";
import { labTest } from "../../laboratory/register.ts";

/** The kernel tells of no change of these rules: a proxy beside them neither sees a trial nor mends. */
const UNTOLD = labBackend().variant === "legacy"
  ? { obstacle: "nobody tells of changes of iptables-legacy" }
  : {};
const NEEDS = { programs: ["curl", "nginx", "socat"] };

labTest("run leaves a trial alone, serves again when it is over, and mends as before", {
  ...NEEDS,
  ...UNTOLD,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  await until(() => reaches(lab, nginx.url(4)), { what: "a client that is served" });
  const trial = await startTrial(lab, writeOther(lab, MISTAKE), "4s");
  // Of rules of iptables nobody tells for which proxy they are.
  await proxy.program.waitForOutput(
    usesIptables() ? "an install is on trial" : /on trial.*left to on-failure/,
  );
  // The network changes: the rules would follow at once.
  await lab.router.ip("link add t0 type veth peer name t1");
  await untilCutOff(lab, nginx.url(4));
  // Its own half would outlast the trial.
  const config = Deno.readTextFileSync(proxy.configPath);
  Deno.writeTextFileSync(proxy.configPath, JSON.stringify({ ...JSON.parse(config), default: "bypass" }));
  proxy.program.signal("SIGHUP");
  await proxy.program.waitForOutput(/reload.*an install is on trial/);
  Deno.writeTextFileSync(proxy.configPath, config);
  await trial.waitForExit();
  await untilBack(lab, nginx.url(4));
  await until(async () => !await hasTrialRules(lab), { what: "the remains to be taken away" });
  const whole = async () =>
    (await tproxy(lab, ["status", "-c", proxy.configPath], { mayFail: true })).code === 0;
  await until(whole, { what: "the rules of its config", pollMs: 100 });
  await (usesIptables()
    ? lab.router.run([iptablesProgram(4), "-t", "mangle", "-F", "TPROXY_STEER"])
    : lab.router.nft("delete table inet transparent_proxy"));
  await proxy.program.waitForOutput("rules were missing and are there again");
  await until(whole, { what: "the rules of its config", pollMs: 100 });
});

labTest(
  "connections that began before a trial, or in it, go on through its begin and its end",
  { ...NEEDS, ...UNTOLD },
  async (lab) => {
    await serve(lab, 7000, "cat");
    // Root's proxy says that a trial is over.
    const proxy = await startProxy(lab, { arguments: ["--privileges", "keep"] });
    const connections: Program[] = [];
    const connect = async () => {
      connections.push(await connectClient(lab, 7000));
      await allEcho("begun");
    };
    const allEcho = async (word: string) => {
      for (const [i, connection] of connections.entries()) {
        await connection.write(`${word} ${i} of ${connections.length}\n`);
        await connection.waitForOutput(`${word} ${i} of ${connections.length}\n`);
      }
    };
    await connect();
    await startTrial(lab, writeOther(lab, { intercept: { ports: [7000] } }), "4s");
    await proxy.program.waitForOutput(/an install is on trial.*taken/);
    await connect();
    await proxy.program.waitForOutput("the trial is over");
    await allEcho("over");
  },
);

labTest("run serves a trial of its config, and lets it go where nobody confirms", NEEDS, async (lab) => {
  const nginx = await startNginx(lab);
  // Root's proxy takes the remains away itself, and says so; another leaves them to who has begun the trial.
  const proxy = await startProxy(lab, { install: false, arguments: ["--privileges", "keep"] });
  await startTrial(lab, proxy.configPath, "3s");
  await proxy.program.waitForOutput(/an install is on trial.*taken/);
  await until(() => reaches(lab, nginx.url(4)), { what: "a client that is served", pollMs: 20 });
  await proxy.program.waitForOutput("the trial is over");
  await proxy.program.waitForOutput(/the trial is over[^]*no rules are installed/);
  const rules = async () =>
    usesIptables() ? await listOurRules(lab) : (await lab.router.run(["nft", "list", "tables"])).stdout;
  const ours = /transparent_proxy$|TPROXY_STEER/m;
  assert.doesNotMatch(await rules(), ours);
  // A look at a change of the network brings nothing back.
  const before = proxy.log.length;
  await lab.router.ip("link add t0 type veth peer name t1");
  await tproxy(lab, ["install", "-c", proxy.configPath, "--confirm"]);
  await until(() => /an install is on trial/.test(proxy.log.slice(before)), { what: "the second trial" });
  await tproxy(lab, ["confirm", "--force"]);
  assert.match(await rules(), ours);
  await until(() => reaches(lab, nginx.url(4)), { what: "a client that is served", pollMs: 20 });
});

/** The source program has no launcher, which makes the product another user. */
const AS_ANOTHER_USER = Deno.env.get("TPROXY_BIN") !== undefined ? [] : [
  "setpriv",
  "--reuid=65080",
  "--regid=65080",
  "--clear-groups",
  "--inh-caps=+net_admin,+net_raw,+net_bind_service",
  "--ambient-caps=+net_admin,+net_raw,+net_bind_service",
];

labTest(
  "a proxy that is not root mends as soon as a trial is over, though nobody has tidied up",
  { programs: [...NEEDS.programs, "setpriv"], netlinkOnly: "with iptables it stays root" },
  async (lab) => {
    const { router } = lab;
    const proxy = await startProxy(lab, { wrapper: AS_ANOTHER_USER });
    assert.match(Deno.readTextFileSync(`/proc/${proxy.pid}/status`), /^Uid:\s+65080\b/m);
    const accidents: [() => Promise<unknown>, RegExp][] = [
      [() => router.ip("rule del priority 500 iif r0"), /there again.*missing="?routing-rule/],
      // The rules on trial go with it; their routing stays.
      [() => router.nft("delete table inet transparent_proxy"), /there again.*missing="?table/],
    ];
    for (const [accident, said] of accidents) {
      const before = proxy.log.length;
      const log = () => proxy.log.slice(before);
      const installer = await startTrial(lab, writeOther(lab, MISTAKE), "2s");
      await until(() => log().includes("an install is on trial"), { what: "the trial" });
      installer.signal("SIGKILL");
      await installer.waitForExit();
      for (const pid of await findWatchers(lab)) Deno.kill(pid, "SIGKILL");
      await until(() => log().includes("the trial is over"), { what: "the end of the trial" });
      assert.ok(await hasTrialRules(lab), "the remains");
      await accident();
      await until(() => said.test(log()), { what: `${said}`, timeoutMs: 3000 });
      assert.ok(await hasNote(lab), "nobody has tidied up");
    }
    assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);
    assert.ok(!await hasNote(lab));
  },
);
