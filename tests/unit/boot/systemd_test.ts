/** The unit, judged by systemd's own tools. */
import assert from "node:assert/strict";
import { bootFiles } from "../../../src/boot/managers.ts";
import type { BootSettings } from "../../../src/boot/model.ts";
import { SYSTEMD } from "../../../src/boot/systemd.ts";
import { print } from "../../laboratory/machine/print.ts";
import { SETTINGS } from "./support/settings.ts";
import { fakePrograms, runShell } from "./support/shell.ts";

/** At most: the number. systemd-analyze wants ten times it. */
const MOST_EXPOSED = 2;
/** The same where its programs must be root's. */
const EXPOSED_AS_ROOT = 2.5;

function makeUnit(settings: Partial<BootSettings> = {}): string {
  const [unit, ...others] = bootFiles(SYSTEMD, {
    settings: { ...SETTINGS, ...settings },
    maker: "install",
    has: () => true,
  });
  assert.deepEqual([unit.path, unit.mode, others], ["/etc/systemd/system/tproxy.service", 0o644, []]);
  return unit.text;
}

/** The values of a key, in order. */
function valuesOf(unit: string, key: string): string[] {
  return unit.split("\n").filter((line) => line.startsWith(`${key}=`)).map((line) =>
    line.slice(key.length + 1)
  );
}

async function analyze(unit: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/tproxy.service`;
    await Deno.writeTextFile(path, unit);
    return await runShell(["systemd-analyze", ...args, path], {});
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const missing = await new Deno.Command("systemd-analyze", {
  args: ["--version"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => !success, () => true);
if (missing) print("skipped: there is no systemd-analyze (Debian package systemd)");

// systemd-analyze looks for the programs: one that is there stands for ours.
const JUDGED = {
  "usual settings": makeUnit({ binary: "/bin/true" }),
  "all settings": makeUnit({
    binary: "/bin/true",
    config: "/etc/other/t.yaml",
    cache: "/opt/c",
    drainSeconds: 3600,
  }),
  "backend iptables": makeUnit({ binary: "/bin/true", backend: "iptables" }),
};
for (const [name, unit] of Object.entries(JUDGED)) {
  const most = name === "backend iptables" ? EXPOSED_AS_ROOT : MOST_EXPOSED;
  Deno.test({
    name: `systemd-analyze finds nothing wrong with the unit: ${name}`,
    ignore: missing,
    fn: async () => assert.deepEqual(await analyze(unit, "verify", "--man=no"), { code: 0, output: "" }),
  });

  Deno.test({
    name: `systemd-analyze counts the exposure of the unit as at most ${most}: ${name}`,
    ignore: missing,
    fn: async () => {
      const threshold = `--threshold=${most * 10}`;
      const { code, output } = await analyze(unit, "security", "--offline=true", "--no-pager", threshold);
      assert.match(output, /Overall exposure level for tproxy\.service: \d/);
      assert.equal(code, 0, output);
    },
  });
}

Deno.test("the unit makes the rules as root if they can be made yet, runs the proxy without, and waits for connections to end", () => {
  const unit = makeUnit({ config: "/etc/other.yaml", drainSeconds: 45 });
  assert.deepEqual(valuesOf(unit, "ExecStartPre"), [
    "+-/usr/bin/tproxy install --boot none -c /etc/other.yaml",
  ]);
  assert.deepEqual(valuesOf(unit, "ExecStart"), ["/usr/bin/tproxy run --install -c /etc/other.yaml"]);
  assert.match(valuesOf(unit, "ExecReload")[0], /^\+.*'\/usr\/bin\/tproxy reload -c \/etc\/other\.yaml;/);
  assert.deepEqual(valuesOf(unit, "TimeoutStopSec"), ["55"]);
  assert.deepEqual(valuesOf(unit, "Type"), ["notify"]);
  assert.deepEqual(valuesOf(unit, "Restart"), ["always"]);
  assert.deepEqual(valuesOf(unit, "StartLimitIntervalSec"), ["0"]);
  assert.deepEqual(valuesOf(unit, "User"), ["tproxy"]);
  // What it sets, and puts back after a kill -9 as well.
  assert.deepEqual(valuesOf(unit, "ReadWritePaths"), ["-/proc/sys/net/ipv4/tcp_early_demux"]);
  assert.deepEqual(valuesOf(unit, "RuntimeDirectoryPreserve"), ["yes"]);
  assert.match(valuesOf(unit, "After")[0], /\bnftables\.service\b.*\bfirewalld\.service\b/);
  // Its own user must never own what root executes.
  assert.deepEqual(valuesOf(unit, "CacheDirectory"), []);
  assert.deepEqual(valuesOf(makeUnit({ backend: "iptables" }), "User"), []);
});

/** Runs what systemd runs after a stop: `$$` is a `$` to it. */
async function stopPost(result: string, enabled: boolean): Promise<string> {
  const [command] = valuesOf(makeUnit({ binary: "tproxy" }), "ExecStopPost");
  const match = /^\+-\/bin\/sh -c '(.*)'$/.exec(command);
  assert.ok(match, command);
  using programs = fakePrograms({ systemctl: `[ "$*" = "-q is-enabled tproxy.service" ] && ${enabled}` });
  const { output } = await runShell(["/bin/sh", "-c", match[1].replaceAll("$$", "$")], {
    PATH: `${programs.folder}:/usr/bin:/bin`,
    SERVICE_RESULT: result,
  });
  return output;
}

Deno.test("a reload ends as the proxy says; where nobody answers it is a signal", async () => {
  const [command] = valuesOf(makeUnit({ binary: "tproxy" }), "ExecReload");
  const [, script] = /^\+\/bin\/sh -c '(.*)'$/.exec(command)!;
  const waiting = new Deno.Command("sleep", { args: ["30"] }).spawn();
  const reload = async (code: number) => {
    using programs = fakePrograms({ tproxy: `[ "$*" = reload ] && exit ${code}` });
    return await runShell(["/bin/sh", "-c", script.replaceAll("$$", "$")], {
      PATH: `${programs.folder}:/usr/bin:/bin`,
      MAINPID: String(waiting.pid),
    });
  };
  for (const code of [0, 1, 2]) assert.equal((await reload(code)).code, code);
  assert.equal((await reload(3)).code, 0);
  assert.equal((await waiting.status).signal, "SIGHUP");
});

Deno.test("the rules stay when the proxy ends, unless the service is disabled and was stopped", async () => {
  assert.equal(await stopPost("success", true), "");
  assert.equal(await stopPost("success", false), "tproxy uninstall --boot none\n");
  for (const failure of ["signal", "watchdog", "exit-code", "core-dump"]) {
    assert.equal(await stopPost(failure, false), "", failure);
    assert.equal(await stopPost(failure, true), "", failure);
  }
});
