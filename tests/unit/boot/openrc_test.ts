/** The script for OpenRC under the shells that it is used with, with a recording OpenRC. */
import assert from "node:assert/strict";
import { bootFiles } from "../../../src/boot/managers.ts";
import { OPENRC } from "../../../src/boot/openrc.ts";
import { SETTINGS } from "./support/settings.ts";
import { type CallOptions, fakePrograms, readCalls, runShell, SHELLS } from "./support/shell.ts";

const RUNNER = new URL("support/openrc.sh", import.meta.url).pathname;

/** Calls an action of the script as openrc-run does, with `runlevels` for /etc/runlevels. */
async function call(
  shell: readonly string[],
  action: string,
  { settings = {}, program, enabled = true }: CallOptions = {},
): Promise<{ code: number; calls: string[][]; binary: string }> {
  using programs = fakePrograms({
    ...(program === undefined ? {} : { tproxy: program }),
    "supervise-daemon": 'echo "supervise-daemon $*"',
  });
  const { folder } = programs;
  const binary = `${folder}/tproxy`;
  const [file, ...others] = bootFiles(OPENRC, {
    settings: { ...SETTINGS, binary, ...settings },
    maker: "install",
    has: () => true,
  });
  assert.deepEqual([file.path, file.mode, others], ["/etc/init.d/tproxy", 0o755, []]);
  await Deno.mkdir(`${folder}/runlevels/default`, { recursive: true });
  if (enabled) await Deno.writeTextFile(`${folder}/runlevels/default/tproxy`, "");
  assert.ok(file.text.includes("/etc/runlevels/"));
  await Deno.writeTextFile(`${folder}/init`, file.text.replaceAll("/etc/runlevels/", `${folder}/runlevels/`));
  const { code, output } = await runShell([...shell, RUNNER, `${folder}/init`, action], {
    PATH: `${folder}:/usr/bin:/bin`,
  });
  return { code, calls: readCalls(output), binary };
}

for (const { name, argv } of SHELLS) {
  Deno.test(`the OpenRC script is supervised for ever, and has time to drain: ${name}`, async () => {
    const settings = { config: "/etc/other.yaml", cache: "/opt/cache", drainSeconds: 45 };
    const { code, calls, binary } = await call(argv, "start", { settings });
    assert.equal(code, 0);
    assert.deepEqual(calls, [
      ["begin", "Checking the config of tproxy"],
      ["end", "0"],
      [
        "supervise",
        "--retry",
        "TERM/55/KILL/5",
        "--stdout-logger",
        "logger -t tproxy -p daemon.info",
        "--stderr-logger",
        "logger -t tproxy -p daemon.info",
        "--respawn-delay",
        "2",
        "--respawn-max",
        "0",
        binary,
        "--",
        "run",
        "--install",
        "-c",
        "/etc/other.yaml",
      ],
      ["ulimit", "-n 65536"],
      ["env", "/opt/cache"],
    ]);
  });

  Deno.test(`the OpenRC script does not start with an invalid config: ${name}`, async () => {
    const { code, calls } = await call(argv, "start", { program: '[ "$1" != check ] || exit 2' });
    assert.deepEqual([code, calls], [1, [["begin", "Checking the config of tproxy"], ["end", "2"]]]);
  });

  Deno.test(`the OpenRC script reloads without a restart, if the config is valid: ${name}`, async () => {
    const good = await call(argv, "reload");
    assert.deepEqual([good.code, good.calls], [0, [
      ["begin", "Checking the config of tproxy"],
      ["end", "0"],
      ["begin", "Reloading the config of tproxy"],
      ["supervise-daemon tproxy --signal HUP"],
      ["end", "0"],
    ]]);
    const bad = await call(argv, "reload", { program: "exit 2" });
    assert.deepEqual([bad.code, bad.calls], [1, [["begin", "Checking the config of tproxy"], ["end", "2"]]]);
  });

  Deno.test(`the OpenRC script starts after firewalls, and needs no network: ${name}`, async () => {
    const { calls } = await call(argv, "depend");
    assert.deepEqual(calls[0], ["use", "net"]);
    assert.match(calls[1].join(" "), /^after firewall iptables ip6tables nftables /);
    assert.equal(calls.length, 2);
  });

  Deno.test(`the OpenRC script leaves the rules when it is stopped, none when it is in no runlevel: ${name}`, async () => {
    assert.deepEqual((await call(argv, "stop")).calls, []);
    assert.deepEqual((await call(argv, "stop", { enabled: false })).calls, [[
      "tproxy uninstall --boot none",
    ]]);
    const restart = await call(argv, "restart", { enabled: false });
    assert.deepEqual(restart.calls, [["begin", "Checking the config of tproxy"], ["end", "0"]]);
  });
}
