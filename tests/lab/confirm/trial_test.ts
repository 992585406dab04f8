/**
 * `install --confirm`: the kernel alone gives the former rules their force back, whatever becomes of the
 * programs, the terminal and the files.
 */
import assert from "node:assert/strict";
import { isAlive, listChildren } from "../../laboratory/machine/procfs.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { scriptCommand } from "../../laboratory/programs/script.ts";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { listOurRules } from "../../laboratory/programs/iptables.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { backendPrograms, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import {
  findWatchers,
  hasNote,
  hasTrialRules,
  MISTAKE,
  startTrial,
  untilBack,
  untilCutOff,
  untilNobodyRuns,
  writeOther,
} from "../../laboratory/trial/trial.ts";
import { labTest } from "../../laboratory/register.ts";

const NEEDS = {
  programs: ["curl", "nginx", "script"],
  forwarding: true,
};

/** The kernel's state. The programs of iptables make tables and chains in whatever order. */
async function snapshot(lab: Lab): Promise<string> {
  const state = await snapshotKernel(lab.router);
  if (!usesIptables()) return state;
  const chainOf = (line: string) => line.split(" ", 2).join(" ");
  const rules = (await listOurRules(lab)).replaceAll(/\[\d+:\d+\]/g, "").split("\n");
  // Rules of one chain stay in their order.
  const sorted = rules.toSorted((a, b) => chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0);
  return [...state.split("\n").toSorted(), ...sorted].join("\n");
}

labTest(
  "a trial ends though its programs are killed: the former rules hold again, and are the same",
  NEEDS,
  async (lab) => {
    const nginx = await startNginx(lab);
    await tproxy(lab, ["install", "-c", writeConfig(lab)]);
    const former = lab.directory + "/tproxy.yaml";
    // With nf_tables the same to the handle.
    const read = async () =>
      (usesIptables() ? "" : (await lab.router.run(["nft", "-a", "list", "ruleset"])).stdout) +
      await snapshot(lab);
    const before = await read();
    const installer = await startTrial(lab, writeOther(lab, MISTAKE), "3s");
    await untilCutOff(lab, nginx.url(4));
    installer.signal("SIGKILL");
    await installer.waitForExit();
    // The shell, and perhaps its child that is not yet `sleep`.
    for (const pid of await findWatchers(lab)) Deno.kill(pid, "SIGKILL");
    for (const family of [4, 6] as const) await untilBack(lab, nginx.url(family));
    assert.deepEqual(await findWatchers(lab), []);
    // Nobody has done that: all is there yet, and has no effect, the entries of policy routing neither.
    assert.ok(await hasTrialRules(lab));
    assert.match((await lab.router.run(["ip", "rule"])).stdout, /fwmark 0x10\/0x10.*lookup 101/);
    const { code, stdout } = await tproxy(lab, ["status", "-c", former], { mayFail: true });
    assert.equal(code, 0, stdout);
    assert.equal(await read(), before);
    assert.ok(!await hasNote(lab));
  },
);

labTest(
  "a terminal that is closed changes nothing: where there was no install, there is none again",
  NEEDS,
  async (lab) => {
    const nginx = await startNginx(lab);
    const before = await snapshot(lab);
    const words = [...tproxyCommand(), "install", "-c", writeOther(lab, MISTAKE), "--confirm", "3s"].join(
      " ",
    );
    const argv = ["script", "-qec", `exec ${words}`, "/dev/null"];
    const terminal = await lab.router.start(argv, backendPrograms(lab));
    await untilCutOff(lab, nginx.url(4));
    await terminal.waitForOutput(/\d s left/);
    const [installer] = listChildren(terminal.pid);
    await terminal.stop("SIGKILL");
    await until(() => !isAlive(installer), { what: "the end of the installer by SIGHUP" });
    await untilBack(lab, nginx.url(4));
    await until(async () => !await hasTrialRules(lab), { what: "the watcher's work" });
    await until(async () => !await hasNote(lab), { what: "the end of the note" });
    // Having tidied up, it looks at the kernel as any status does, with tables that are gone with it.
    await untilNobodyRuns(lab);
    assert.equal(await snapshot(lab), before);
  },
);

labTest("Ctrl-C takes a trial back at once", NEEDS, async (lab) => {
  const before = await snapshot(lab);
  const words = [...tproxyCommand(), "install", "-c", writeOther(lab, MISTAKE), "--confirm"].join(" ");
  const argv = ["script", "-qec", `exec ${words}`, "/dev/null"];
  const terminal = await lab.router.start(argv, backendPrograms(lab));
  await terminal.waitForOutput(/\d s left/);
  const [installer] = listChildren(terminal.pid);
  Deno.kill(installer, "SIGINT");
  assert.equal(await terminal.waitForExit(), 1);
  assert.match(terminal.output, /Taken back/);
  assert.equal(await snapshot(lab), before);
  assert.deepEqual(await findWatchers(lab), []);
});

labTest("many trials in a row leave nothing behind", NEEDS, async (lab) => {
  const before = await snapshot(lab);
  // Programs of iptables take their time, and its gate counts whole seconds.
  const count = usesIptables() ? "6" : "50";
  await lab.router.run(scriptCommand("../trial/program.ts", [writeOther(lab, MISTAKE), count]), {
    timeoutMs: 60_000,
    ...backendPrograms(lab),
  });
  assert.equal(await snapshot(lab), before);
  assert.ok(!await hasNote(lab));
});

labTest(
  "a trial refuses another, status shows what is left, and confirm makes it an install",
  NEEDS,
  async (lab) => {
    const config = writeOther(lab, MISTAKE);
    await tproxy(lab, ["install", "-c", config]);
    const wanted = await snapshot(lab);
    await tproxy(lab, ["install", "-c", writeConfig(lab)]);
    const session = (port: number) => ({
      ...backendPrograms(lab).env,
      SSH_CONNECTION: `10.77.1.2 ${port} 10.77.1.1 22`,
    });
    const install = ["install", "-c", config, "--confirm"];
    const first = await tproxy(lab, install, { env: session(1) });
    assert.match(first.stdout, /^On trial for 1m: after that the earlier install holds again/);
    assert.match(first.stdout, /To keep it, from a new connection: tproxy confirm\n$/);

    for (const words of [install, ["install", "-c", config]]) {
      const second = await tproxy(lab, words, { mayFail: true });
      assert.equal(second.code, 1);
      assert.match(second.stderr, /other rules are on trial there, with \d+ s left/);
    }
    const status = await tproxy(lab, ["status", "-c", config]);
    assert.match(
      status.stdout,
      /^trial: \d+ s left; "tproxy confirm" keeps it\ninstalled: yes, all is in place$/m,
    );
    const { trial } = JSON.parse((await tproxy(lab, ["status", "-c", config, "--json"])).stdout);
    assert.ok(trial.secondsLeft > 0 && trial.secondsLeft <= 60, JSON.stringify(trial));

    const same = await tproxy(lab, ["confirm"], { env: session(1), mayFail: true });
    assert.equal(same.code, 1);
    assert.match(same.stderr, /this is the SSH session of the install.*Open a new connection/);
    const other = await tproxy(lab, ["confirm"], { env: session(2) });
    assert.match(other.stdout, /^Confirmed/);
    assert.equal(await snapshot(lab), wanted);
    assert.ok(!await hasNote(lab));
    assert.deepEqual(await findWatchers(lab), []);
    const again = await tproxy(lab, ["confirm"], { mayFail: true });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /nothing is on trial/);
  },
);

labTest(
  "confirm refuses another config than the one that was tried, and uninstall ends a trial with all else",
  NEEDS,
  async (lab) => {
    const before = await snapshot(lab);
    await tproxy(lab, ["install", "-c", writeConfig(lab)]);
    const config = writeOther(lab, MISTAKE);
    await tproxy(lab, ["install", "-c", config, "--confirm", "10m"]);
    writeOther(lab, { ...MISTAKE, default: "bypass" });
    const refused = await tproxy(lab, ["confirm", "--force"], { mayFail: true });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the config has changed since the trial began/);
    assert.ok(await hasNote(lab), "the trial goes on");
    await tproxy(lab, ["uninstall"]);
    assert.equal(await snapshot(lab), before);
    assert.ok(!await hasNote(lab));
    assert.deepEqual(await findWatchers(lab), []);
  },
);

labTest("who may not see a trial is not told that there is none", {
  ...NEEDS,
  programs: [...NEEDS.programs, "setpriv"],
}, async (lab) => {
  await tproxy(lab, ["install", "-c", writeConfig(lab), "--confirm", "60s"]);
  const nobody = await lab.router.run([...asNobody(lab), ...tproxyCommand(), "confirm"], {
    mayFail: true,
    timeoutMs: 60_000, // the single file unpacks once for nobody
  });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /EPERM.*try sudo/);
  await tproxy(lab, ["confirm"]);
});

labTest("a trial that cannot begin leaves no trace", NEEDS, async (lab) => {
  // Packets of that program would meet the trial's rule after its end.
  await lab.router.ip("rule add pref 700 fwmark 0x30/0xff lookup 77");
  const before = await snapshot(lab);
  const marks = await tproxy(lab, ["install", "-c", writeOther(lab, MISTAKE), "--confirm"], {
    mayFail: true,
  });
  assert.equal(marks.code, 1);
  assert.match(
    marks.stderr,
    /another program uses what kernel.mark names \(priority 700: .*fwmark 0x30\/0xff/,
  );
  if (usesIptables()) return;
  await lab.router.nft('table inet transparent_proxy { comment "somebody\'s"; }');
  const foreign = await tproxy(lab, ["install", "-c", writeConfig(lab), "--confirm"], { mayFail: true });
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /a table of this name is there that tproxy did not make/);
  await lab.router.nft("delete table inet transparent_proxy");
  assert.equal(await snapshot(lab), before);
  assert.ok(!await hasNote(lab));
  assert.deepEqual(await findWatchers(lab), []);
  const dry = await tproxy(lab, ["install", "--dry-run", "--confirm"], { mayFail: true });
  assert.equal(dry.code, 2);
});
