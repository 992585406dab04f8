/** `--boot` on machines that consist of a folder: what is written, what is refused, what goes again. */
import assert from "node:assert/strict";
import type { ProgramOutcome } from "../../../../src/cli/env.ts";
import { applyBoot } from "../../../../src/cli/boot/apply.ts";
import { withBoot } from "../../../../src/cli/boot/install.ts";
import { type BootPlan, type BootRequest, planBoot } from "../../../../src/cli/boot/plan.ts";
import { removeBoot, stopServices } from "../../../../src/cli/boot/remove.ts";
import { namedConfig } from "../../../../src/cli/boot/settings.ts";
import { readBootStatus } from "../../../../src/cli/boot/status.ts";
import { bootFiles, managerNamed } from "../../../../src/boot/managers.ts";
import type { ManagerName } from "../../../../src/boot/model.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { SETTINGS } from "../../boot/support/settings.ts";
import { Machine } from "./support/machine.ts";

const UNIT = "/etc/systemd/system/tproxy.service";
const SCRIPT = "/etc/init.d/tproxy";

type Wish = Partial<Omit<BootRequest, "loaded">> & { readonly text?: string };

function load(text = "{}"): BootRequest["loaded"] {
  return { config: parseConfig(text, "t.yaml"), origin: "t.yaml", locate: () => undefined };
}

function plan(machine: Machine, { text, ...wish }: Wish = {}): BootPlan {
  return planBoot(machine.env, {
    loaded: load(text),
    choice: "auto",
    config: undefined,
    force: false,
    ...wish,
  });
}

async function install(machine: Machine, wish: Wish = {}): Promise<BootPlan> {
  const planned = plan(machine, wish);
  await applyBoot(machine.env, planned);
  return planned;
}

function stateOf(machine: Machine, config?: string) {
  return readBootStatus(machine.env, { loaded: load(), config });
}

const SERVICES: Readonly<
  Record<ManagerName, { files: string[]; enable: string; disable: string; stop: string }>
> = {
  systemd: {
    files: [UNIT],
    enable: "systemctl daemon-reload; systemctl enable tproxy.service",
    disable: "systemctl disable tproxy.service; systemctl daemon-reload",
    stop: "systemctl --no-ask-password stop tproxy.service",
  },
  openwrt: {
    files: [SCRIPT, "/lib/upgrade/keep.d/tproxy", "/usr/share/nftables.d/chain-pre/input/20-tproxy.nft"],
    enable: `${SCRIPT} enable`,
    disable: `${SCRIPT} disable`,
    stop: `${SCRIPT} stop`,
  },
  openrc: {
    files: [SCRIPT],
    enable: "rc-update add tproxy default",
    disable: "rc-update del tproxy",
    stop: "rc-service tproxy stop",
  },
};

for (const [name, { files, enable, disable, stop }] of Object.entries(SERVICES)) {
  const manager = name as ManagerName;

  Deno.test(`install --boot auto finds ${name}, writes its files and enables it; uninstall leaves nothing`, async () => {
    using machine = new Machine(manager);
    const before = machine.tree();
    const { writes } = await install(machine);
    assert.deepEqual(writes.map(({ path }) => path).toSorted(), files);
    assert.deepEqual(machine.tree().filter((path) => !before.includes(path) && files.includes(path)), files);
    assert.equal(machine.takeCalls(), enable);
    assert.deepEqual(stateOf(machine), [{
      manager,
      enabled: true,
      files: files.map((path) => ({ path, state: "present" })).toSorted((a, b) =>
        writes.findIndex((file) => file.path === a.path) - writes.findIndex((file) => file.path === b.path)
      ),
    }]);
    assert.deepEqual(await stopServices(machine.env), []);
    assert.equal(machine.takeCalls(), stop);
    const { removed, warnings, next } = await removeBoot(machine.env, { force: false });
    assert.equal(machine.takeCalls(), disable);
    assert.equal(removed.length, files.length + 1);
    assert.deepEqual([warnings, next], [[], manager === "openwrt" ? ["fw4 reload"] : []]);
    assert.deepEqual(machine.tree(), before);
    assert.deepEqual(stateOf(machine), []);
  });

  Deno.test(`install --boot ${name} again changes nothing; with another config it changes what it must`, async () => {
    using machine = new Machine(manager);
    await install(machine);
    const again = await install(machine, { choice: manager });
    assert.deepEqual([again.writes, again.unchanged.toSorted()], [[], files]);
    machine.takeCalls();
    machine.write("/etc/tproxy/other.yaml", "{}", 0o644);
    const other = await install(machine, { config: "/etc/tproxy/other.yaml" });
    assert.ok(other.writes.length > 0);
    assert.equal(machine.takeCalls(), manager === "systemd" ? "systemctl daemon-reload" : "");
    assert.match(machine.read(files[0]), /-c \/etc\/tproxy\/other\.yaml/);
    const [{ files: states }] = stateOf(machine);
    const [service] = states.filter(({ path }) => path === managerNamed(manager).service);
    assert.deepEqual(service, {
      path: managerNamed(manager).service,
      state: "outdated",
      detail: "it uses /etc/tproxy/other.yaml",
    });
    assert.ok(stateOf(machine, "/etc/tproxy/other.yaml")[0].files.every(({ state }) => state === "present"));
  });

  Deno.test(`install --boot ${name} leaves what was changed by hand, and so does uninstall, but for --force`, async () => {
    using machine = new Machine(manager);
    await install(machine);
    const edited = `${machine.read(files[0])}# mine\n`;
    machine.write(files[0], edited, 0o644);
    assert.deepEqual((await install(machine)).left, [files[0]]);
    assert.equal(machine.read(files[0]), edited);
    assert.equal(stateOf(machine)[0].files.find(({ path }) => path === files[0])?.state, "changed");
    const { warnings } = await removeBoot(machine.env, { force: false });
    assert.equal(machine.read(files[0]), edited);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /is left: it has been changed since install made it.*--force/);
    assert.equal(machine.enabled(), false);
    const forced = await removeBoot(machine.env, { force: true });
    assert.deepEqual([forced.removed, forced.warnings], [[files[0]], []]);
    await install(machine);
    machine.write(files[0], edited, 0o644);
    assert.deepEqual((await install(machine, { force: true })).left, []);
    assert.notEqual(machine.read(files[0]), edited);
  });

  Deno.test(`install --boot ${name} does not touch a file that somebody else has made`, async () => {
    using machine = new Machine(manager);
    machine.write(files[0], "something else\n", 0o644);
    const before = machine.tree();
    assert.throws(() => plan(machine), refusal(files[0], /tproxy did not make.*--force/));
    assert.deepEqual(machine.tree(), before);
    assert.deepEqual(await removeBoot(machine.env, { force: true }), { removed: [], warnings: [], next: [] });
    assert.equal(machine.read(files[0]), "something else\n");
  });

  Deno.test(`install --boot ${name} is all or nothing: a failed write, and a manager that refuses`, async () => {
    using machine = new Machine(manager);
    machine.write("/etc/tproxy/other.yaml", "{}", 0o644);
    for (const earlier of [false, true]) {
      if (earlier) await install(machine);
      machine.takeCalls();
      const before = machine.tree({ contents: true });
      const wish = { config: "/etc/tproxy/other.yaml" };
      const { writes } = plan(machine, wish);
      for (const { path } of writes) {
        machine.refuses = path;
        await assert.rejects(() => install(machine, wish), refusal(path, /Run it as root/));
        assert.deepEqual(machine.tree({ contents: true }), before, path);
      }
      machine.refuses = undefined;
      // Written, enabled, and then the kernel would not have it.
      const failing = () => Promise.reject(new Error("kernel"));
      await assert.rejects(() => withBoot(machine.env, plan(machine, wish), failing), /^Error: kernel$/);
      assert.deepEqual(machine.tree({ contents: true }), before);
      assert.equal(machine.enabled(), earlier);
      if (earlier) continue;
      machine.answer = { code: 1, output: "Failed to enable:\n no\n" };
      await assert.rejects(
        () => install(machine, wish),
        refusal(undefined, /exit code 1: Failed to enable:; no/),
      );
      machine.answer = undefined;
      assert.deepEqual(machine.tree({ contents: true }), before);
    }
  });
}

function refusal(object: string | undefined, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OperationError, `${error}`);
    assert.match(error.message, text);
    if (object !== undefined) assert.equal(error.object, object);
    return true;
  };
}

Deno.test("install --boot auto says so where no service manager is known", () => {
  using machine = new Machine(undefined);
  assert.throws(() => plan(machine), refusal("service manager", /neither systemd nor .*\/etc\/rc\.local/));
  assert.throws(() => plan(machine, { choice: "openrc" }), refusal("openrc", /no \/sbin\/openrc-run/));
});

Deno.test("install --boot refuses a program that will not be there after a boot", () => {
  using machine = new Machine("openwrt");
  const cases: [binary: string, said: RegExp][] = [
    ["/tmp/tproxy", /\/tmp does not survive a boot.*\/usr\/bin/],
    ["/mnt/ram/tproxy", /\/mnt\/ram is in memory \(tmpfs\)/],
    ["/opt/with blank/tproxy", /its name has blanks/],
    ["/opt/a%b/tproxy", /its name has blanks or signs/],
  ];
  machine.mounts = "1 0 0:1 / / rw - overlay o rw\n2 1 0:2 / /mnt/ram rw - tmpfs t rw\n";
  for (const [binary, said] of cases) {
    machine.binary = binary;
    assert.throws(() => plan(machine), refusal(binary, said));
  }
  // A link into /tmp is no better.
  machine.write("/tmp/real", "x", 0o755);
  machine.link("/usr/bin/linked", "tmp/real");
  machine.binary = "/usr/bin/linked";
  assert.throws(() => plan(machine), refusal("/tmp/real", /does not survive/));
  machine.binary = "/usr/bin/tproxy";
  machine.write("/tmp/t.yaml", "{}", 0o644);
  assert.throws(() => plan(machine, { config: "/tmp/t.yaml" }), refusal("/tmp/t.yaml", /Put it into \/etc/));
  assert.throws(
    () =>
      planBoot({ ...machine.env, self: { command: "deno", args: ["run"] } }, {
        loaded: load(),
        choice: "auto",
        config: undefined,
        force: false,
      }),
    refusal("program", /from its source.*scripts\/build/),
  );
});

Deno.test("install --boot systemd refuses what the service's user could not read; as root it may", () => {
  using machine = new Machine("systemd");
  const config = "/etc/tproxy/other.yaml";
  machine.write(config, "{}", 0o600);
  assert.throws(() => plan(machine, { config }), refusal(config, /closed to others; .*chmod a\+r/));
  assert.equal(plan(machine, { config, text: "kernel: { backend: iptables }" }).writes.length, 1);
  machine.write("/root/t.yaml", "{}", 0o644);
  assert.throws(() => plan(machine, { config: "/root/t.yaml" }), refusal("/root/t.yaml", /ProtectHome/));
  machine.write("/srv/closed/t.yaml", "{}", 0o644);
  Deno.chmodSync(`${machine.root}/srv/closed`, 0o700);
  assert.throws(
    () => plan(machine, { config: "/srv/closed/t.yaml" }),
    refusal(undefined, /chmod a\+x \/srv\/closed/),
  );
  machine.write("/usr/bin/tproxy", "x", 0o700);
  assert.throws(() => plan(machine), refusal("/usr/bin/tproxy", /chmod 755/));
});

Deno.test("the place that the program has unpacked into is kept, if the service can use it after a boot", () => {
  using machine = new Machine("openwrt");
  const cacheFor = (cache: string) => {
    machine.cache = cache;
    return plan(machine).settings.cache;
  };
  assert.equal(cacheFor("/opt/cache"), "/opt/cache");
  assert.equal(cacheFor("/var/cache/tproxy"), undefined);
  assert.equal(cacheFor("/tmp/tproxy-0"), undefined);
  assert.match(machine.read("/etc/openwrt_release"), /./);
});

Deno.test("install --boot systemd uses the unit of a package as it is, and its own for another config", async () => {
  using machine = new Machine("systemd");
  const [packaged] = bootFiles(managerNamed("systemd"), {
    settings: SETTINGS,
    maker: "package",
    has: () => true,
  });
  machine.write("/lib/systemd/system/tproxy.service", packaged.text, 0o644);
  const before = machine.tree();
  const { writes, packaged: used } = await install(machine);
  assert.deepEqual([writes, used], [[], true]);
  assert.equal(machine.takeCalls(), "systemctl enable tproxy.service");
  assert.deepEqual(stateOf(machine)[0], {
    manager: "systemd",
    enabled: true,
    files: [{ path: "/lib/systemd/system/tproxy.service", state: "present" }],
  });
  const { removed, warnings } = await removeBoot(machine.env, { force: true });
  assert.deepEqual([removed, warnings], [["start at boot (systemctl disable tproxy.service)"], []]);
  assert.deepEqual(machine.tree(), before);
  machine.write("/etc/tproxy/other.yaml", "{}", 0o644);
  const other = await install(machine, { config: "/etc/tproxy/other.yaml" });
  assert.deepEqual(other.writes.map(({ path }) => path), [UNIT]);
  await removeBoot(machine.env, { force: false });
  assert.equal(machine.tree().includes(UNIT), false);
});

Deno.test("install --boot openwrt uses the script of a package; another config has no place beside it", async () => {
  using machine = new Machine("openwrt");
  for (
    const file of bootFiles(managerNamed("openwrt"), {
      settings: SETTINGS,
      maker: "package",
      has: () => true,
    })
  ) machine.write(file.path, file.text, file.mode);
  const before = machine.tree({ contents: true });
  await install(machine);
  await removeBoot(machine.env, { force: true });
  assert.deepEqual(machine.tree({ contents: true }), before);
  machine.write("/etc/tproxy/other.yaml", "{}", 0o644);
  assert.throws(
    () => plan(machine, { config: "/etc/tproxy/other.yaml" }),
    refusal(SCRIPT, /belongs to the package tproxy/),
  );
});

Deno.test("status sees files of another version, of a changed config, and of a program that is gone", async () => {
  using machine = new Machine("systemd");
  await install(machine);
  const drain = readBootStatus(machine.env, {
    loaded: load("timeouts: { drain: 1m }\nkernel: { mark: 0x10 }"),
    config: undefined,
  });
  assert.match(
    drain[0].files[0].detail ?? "",
    /^the config has changed since \(timeouts\.drain, kernel\.mark\)/,
  );
  const settings = { ...SETTINGS };
  const { sealFile } = await import("../../../../src/boot/seal.ts");
  const older = sealFile({ path: UNIT, mode: 0o644, text: "[Unit]\n" }, settings, {
    maker: "install",
    manager: "systemd",
  });
  machine.write(UNIT, older.text, 0o644);
  assert.match(stateOf(machine)[0].files[0].detail ?? "", /^of another version/);
  assert.deepEqual(plan(machine).writes.map(({ path }) => path), [UNIT]);
  machine.remove("/usr/bin/tproxy");
  assert.match(stateOf(machine)[0].files[0].detail ?? "", /^the program \/usr\/bin\/tproxy is not there$/);
});

Deno.test("namedConfig() is an absolute path, and nothing for the usual one", () => {
  using machine = new Machine("systemd");
  const env = { ...machine.env, cwd: () => "/etc/tproxy" };
  assert.equal(namedConfig(env, undefined), undefined);
  assert.equal(namedConfig(env, "tproxy.yaml"), undefined);
  assert.equal(namedConfig(env, "other.yaml"), "/etc/tproxy/other.yaml");
  assert.equal(namedConfig(env, "/opt/x.yaml"), "/opt/x.yaml");
});

Deno.test("a stop that fails is a warning, and does not keep the rest from going", async () => {
  using machine = new Machine("systemd");
  await install(machine);
  machine.answer = { code: 5, output: "Unit tproxy.service not loaded.\n" } satisfies ProgramOutcome;
  assert.deepEqual(await stopServices(machine.env), [
    "systemctl --no-ask-password stop tproxy.service: Unit tproxy.service not loaded.",
  ]);
});
