/**
 * The files for OpenWrt: the script under BusyBox' shell with a recording procd, the include, the list for
 * sysupgrade.
 */
import assert from "node:assert/strict";
import { bootFiles } from "../../../src/boot/managers.ts";
import type { BootFile, BootSettings } from "../../../src/boot/model.ts";
import { OPENWRT } from "../../../src/boot/procd.ts";
import { SETTINGS } from "./support/settings.ts";
import { type CallOptions, fakePrograms, readCalls, runShell, SHELLS } from "./support/shell.ts";

const PROCD = new URL("support/procd.sh", import.meta.url).pathname;

function makeFiles(
  settings: Partial<BootSettings> = {},
  has: (path: string) => boolean = () => true,
): BootFile[] {
  return bootFiles(OPENWRT, { settings: { ...SETTINGS, ...settings }, maker: "install", has });
}

/**
 * Calls an action of the script as rc.common does; gives what it recorded, and the folder of its programs.
 */
async function call(
  shell: readonly string[],
  action: string,
  { settings = {}, program, enabled = true }: CallOptions = {},
): Promise<{ code: number; calls: string[][]; binary: string }> {
  using programs = fakePrograms(program === undefined ? {} : { tproxy: program });
  const binary = `${programs.folder}/tproxy`;
  const script = `${programs.folder}/init`;
  await Deno.writeTextFile(script, makeFiles({ binary, ...settings })[0].text);
  const { code, output } = await runShell([...shell, PROCD, script, action], {
    ENABLED: enabled ? "yes" : "no",
  });
  return { code, calls: readCalls(output), binary };
}

for (const { name, argv } of SHELLS) {
  Deno.test(`the procd script asks for one instance that never ends for good: ${name}`, async () => {
    const settings = { config: "/etc/other.yaml", cache: "/opt/cache", drainSeconds: 45 };
    for (const action of ["start", "boot"]) {
      const { code, calls, binary } = await call(argv, action, { settings });
      assert.equal(code, 0);
      assert.deepEqual(calls, [
        ["open_instance"],
        ["command", binary, "run", "--install", "-c", "/etc/other.yaml"],
        ["env", "TPROXY_CACHE_DIR=/opt/cache"],
        ["respawn", "3600", "5", "0"],
        ["term_timeout", "50"],
        ["reload_signal", "HUP"],
        ["file", "/etc/other.yaml"],
        ["limits", "nofile=65536 65536"],
        ["stdout", "1"],
        ["stderr", "1"],
        ["close_instance"],
        ["set"],
      ]);
    }
  });

  Deno.test(`the procd script without a named config leaves the choice to the program: ${name}`, async () => {
    const { calls, binary } = await call(argv, "start");
    assert.deepEqual(calls[1].slice(1), [binary, "run", "--install"]);
    assert.deepEqual(calls.find(([word]) => word === "file"), ["file", "/etc/tproxy/tproxy.yaml"]);
    assert.equal(calls.some(([word]) => word === "env"), false);
  });

  Deno.test(`the procd script starts nothing where the program is gone, and says so: ${name}`, async () => {
    const { code, calls } = await call(argv, "start", { settings: { binary: "/nowhere/tproxy" } });
    assert.equal(code, 1);
    assert.equal(calls.length, 1);
    assert.match(calls[0].join(" "), /^logger .*daemon\.err.* \/nowhere\/tproxy is not there/);
  });

  Deno.test(`the procd script leaves the rules when it is stopped, none when it is disabled: ${name}`, async () => {
    assert.deepEqual((await call(argv, "stop")).calls, [["kill", "init"]]);
    assert.deepEqual((await call(argv, "stop", { enabled: false })).calls, [
      ["kill", "init"],
      ["tproxy uninstall --boot none"],
    ]);
    const restart = (await call(argv, "restart", { enabled: false })).calls.map(([word]) => word);
    assert.deepEqual([restart[0], restart[1], restart.at(-1)], ["kill", "open_instance", "set"]);
  });

  Deno.test(`the procd script reloads without a restart, if the config is valid: ${name}`, async () => {
    const good = await call(argv, "reload", { program: '[ "$*" = "check" ]' });
    assert.deepEqual([good.code, good.calls], [0, [["signal", "tproxy"]]]);
    const bad = await call(argv, "reload", { program: "echo wrong; exit 2" });
    assert.deepEqual([bad.code, bad.calls], [2, []]);
  });

  Deno.test(`the procd script has check, status and doctor: ${name}`, async () => {
    const settings = { config: "/etc/other.yaml" };
    const said = async (action: string) => (await call(argv, action, { settings })).calls;
    assert.deepEqual(await said("check"), [["tproxy check /etc/other.yaml"]]);
    assert.deepEqual(await said("status"), [["tproxy status -c /etc/other.yaml"]]);
    assert.deepEqual(await said("doctor"), [["tproxy doctor -c /etc/other.yaml"]]);
    assert.equal((await call(argv, "nonsense")).code, 4);
  });
}

Deno.test("the include of fw4 is there where fw4 is, and its folders go with it", () => {
  const path = "/usr/share/nftables.d/chain-pre/input/20-tproxy.nft";
  const include = makeFiles({ mark: 0x30 }).find((file) => file.path === path);
  assert.match(
    include!.text,
    /^meta l4proto \{ tcp, udp \} meta mark and 0x30 == 0x30 accept comment "tproxy"$/m,
  );
  assert.deepEqual(include!.folders, [
    "/usr/share/nftables.d/chain-pre/input",
    "/usr/share/nftables.d/chain-pre",
  ]);
  const without = makeFiles({}, (path) => path !== "/usr/share/nftables.d").map(({ path }) => path);
  assert.deepEqual(without, ["/etc/init.d/tproxy", "/lib/upgrade/keep.d/tproxy"]);
});

/** Reads a list as sysupgrade does: no comments, no empty lines. */
function readList(settings: Partial<BootSettings>): string[] {
  const keep = makeFiles(settings).find(({ path }) => path === "/lib/upgrade/keep.d/tproxy")!;
  return keep.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

Deno.test("sysupgrade keeps the config, all boot files and their links, and not the program", () => {
  const own = [...makeFiles().map(({ path }) => path), "/etc/rc.d/S95tproxy", "/etc/rc.d/K10tproxy"]
    .toSorted();
  assert.deepEqual(readList({}).toSorted(), ["/etc/tproxy/", ...own].toSorted());
  assert.ok(readList({ config: "/etc/other.yaml" }).includes("/etc/other.yaml"));
  assert.equal(readList({ config: "/etc/tproxy/a.yaml" }).includes("/etc/tproxy/a.yaml"), false);
});
