/**
 * Faults of `kernel.backend: iptables`: programs that fail, are killed or missing, and other programs that
 * change rules.
 */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { iptablesOnly, obstacleOf, saveIptables } from "../../laboratory/programs/iptables.ts";
import {
  BOTH_PROTOCOLS,
  Iptables,
  iptablesTest,
  waitForLinks,
  withoutIptables,
  withoutMade,
} from "../../laboratory/proxy/iptables_box.ts";
import { startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { delay } from "../../laboratory/machine/wait.ts";

/** iptables-nft lists chains in the order in which they were made. */
function sortLines(text: string): string {
  return text.split("\n").toSorted().join("\n");
}

/** Puts a program in the place of the one that loads the rules of IPv6. */
function replaceRestore(box: Iptables, script: string): { env: Record<string, string> } {
  const directory = `${box.lab.directory}/replaced`;
  Deno.mkdirSync(directory, { recursive: true });
  const path = `${directory}/ip6tables-restore`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`);
  Deno.chmodSync(path, 0o755);
  const { env } = iptablesOnly(box.lab, box.variant);
  return { env: { PATH: `${directory}:${env.PATH}` } };
}

iptablesTest(
  "install takes back the rules of one family where those of the other cannot be loaded",
  async (box) => {
    const before = await box.snapshot();
    const failing = replaceRestore(
      box,
      'cat > /dev/null; echo "No chain/target/match by that name." >&2; exit 1',
    );
    const fresh = await box.install({}, { ...failing, mayFail: true });
    assert.equal(fresh.code, 1);
    assert.match(fresh.stderr, /Cannot run "ip6tables-restore": No chain\/target\/match by that name/);
    assert.match(fresh.stderr, /Nothing is installed, the kernel's state is as before/);
    assert.equal(await box.snapshot(), before);
    await box.install({ intercept: { "on-failure": "reset" } });
    const installed = await box.snapshot();
    // The real program loads the first half; what it is given to put things back it loads as well.
    const once = replaceRestore(
      box,
      `if [ -e "$0.failed" ]; then exec ${
        iptablesOnly(box.lab, box.variant).env.PATH.split(":")[0]
      }/ip6tables-restore "$@"; fi
touch "$0.failed"; cat > /dev/null; echo "Memory allocation problem." >&2; exit 1`,
    );
    const over = await box.install({ kernel: { mark: 0x10, table: 200 } }, { ...once, mayFail: true });
    assert.equal(over.code, 1);
    assert.match(over.stderr, /The earlier install is in force as before/);
    assert.equal(sortLines(await box.snapshot()), sortLines(installed));
  },
);

iptablesTest(
  "a reload that iptables refuses leaves the config before in force, in the proxy as in the kernel",
  async (box) => {
    const { lab } = box;
    await lab.server.start(["socat", "TCP4-LISTEN:7101,fork,reuseaddr", "SYSTEM:echo $SOCAT_PEERADDR"], {
      listens: 7101,
    });
    const real = iptablesOnly(lab, box.variant).env.PATH.split(":")[0];
    const broken = `${lab.directory}/broken`;
    const { env } = replaceRestore(
      box,
      `[ -e ${broken} ] || exec ${real}/ip6tables-restore "$@"
rm ${broken}; cat > /dev/null; echo "Memory allocation problem." >&2; exit 1`,
    );
    const proxy = await startProxy(lab, { config: { kernel: { backend: "iptables" } }, env });
    const seen = async () =>
      (await lab.client.run(["socat", "-t5", "-u", `TCP4:${ADDRESSES[4].server}:7101`, "-"])).stdout.trim();
    assert.equal(await seen(), ADDRESSES[4].client);
    const before = sortLines(await box.snapshot());

    box.config({ source: "router", rules: [{ action: "block", ports: [9] }] });
    Deno.writeTextFileSync(broken, "");
    proxy.program.signal("SIGHUP");
    await proxy.program.waitForOutput(/not reloaded: .*Memory allocation problem.* in-force="generation 1"/);
    assert.equal(await seen(), ADDRESSES[4].client, "the workers have kept what the kernel has refused");
    assert.equal(sortLines(await box.snapshot()), before);

    proxy.program.signal("SIGHUP");
    await proxy.program.waitForOutput("generation 2 is in force");
    assert.equal(await seen(), ADDRESSES[4].wan);
    assert.notEqual(sortLines(await box.snapshot()), before);
  },
);

iptablesTest("install that is killed in its middle can be repeated, and uninstalled", async (box) => {
  const before = await box.snapshot();
  const killing = replaceRestore(box, "kill -9 $PPID");
  const kill = () => box.install({}, { ...killing, mayFail: true });
  assert.notEqual((await kill()).code, 0);
  const half = await box.rules();
  assert.match(half, /TPROXY_DIVERT/);
  const { stdout } = await box.tproxy(["status", "-c", box.config()], { mayFail: true });
  assert.match(stdout, /^missing +table +ip6tables raw$/m);
  await box.install();
  await box.tproxy(["status", "-c", box.config()]);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
  await kill();
  assert.equal(await box.rules(), half);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
});

iptablesTest("install mends what another program has flushed, and uninstall removes it", async (box) => {
  const config = { intercept: { protocols: BOTH_PROTOCOLS, "on-failure": "reset" } };
  const flush = async () => {
    for (const table of ["raw", "mangle", "filter"]) await box.run(`iptables -t ${table} -F`);
  };
  await box.install(config);
  const rules = await box.rules();
  await flush();
  const { stdout } = await box.tproxy(["status", "-c", box.config(config)], { mayFail: true });
  assert.match(stdout, /^missing +rule +iptables raw PREROUTING: -j TPROXY_DIVERT$/m);
  await box.install(config);
  assert.equal(withoutMade(await box.rules()), withoutMade(rules));
  await flush();
  await box.tproxy(["uninstall"]);
  assert.doesNotMatch(await saveIptables(box.lab, box.variant), /TPROXY/);
});

/**
 * Kills tproxy, and not the programs that it runs, at its n-th message to the kernel; whether there was one.
 */
async function killAt(box: Iptables, at: number, args: readonly string[]): Promise<boolean> {
  const log = `${box.lab.directory}/strace`;
  const strace = [
    "strace",
    "-qq",
    "-o",
    log,
    "-e",
    "trace=sendto",
    "-e",
    `inject=sendto:signal=KILL:when=${at}`,
  ];
  await box.lab.router.run([...strace, ...tproxyCommand(), ...args], {
    mayFail: true,
    ...iptablesOnly(box.lab, box.variant),
  });
  // A program that it has started goes on, and ends.
  await delay(100);
  return Deno.readTextFileSync(log).includes("killed by SIGKILL");
}

for (const command of ["install", "uninstall"] as const) {
  labTest(
    `${command} that is killed at any message leaves nothing that uninstall does not remove, iptables-nft`,
    {
      programs: ["iptables", "strace"],
    },
    async (lab) => {
      const box = new Iptables(lab, "nft");
      await waitForLinks(lab);
      const before = await box.snapshot();
      const path = box.config({ intercept: { "on-failure": "reset" } });
      const args = command === "install" ? ["install", "-c", path] : ["uninstall"];
      // The first messages only read.
      let at = 12;
      for (;; at += 3) {
        if (command === "uninstall") await box.tproxy(["install", "-c", path]);
        const killed = await killAt(box, at, args);
        if (killed && command === "install" && at % 2 === 0) {
          await box.tproxy(["install", "-c", path]);
          await box.tproxy(["status", "-c", path]);
        }
        await box.tproxy(["uninstall"]);
        assert.equal(await box.snapshot(), before, `killed at message ${at}`);
        if (!killed) break;
      }
      assert.ok(at > 20, `${at}`);
    },
  );
}

labTest("uninstall says so where the rules of iptables-legacy are there and the program is not", {
  programs: ["iptables", "unshare"],
  ...obstacleOf("legacy"),
}, async (lab) => {
  const box = new Iptables(lab, "legacy");
  await box.makeTables();
  await waitForLinks(lab);
  const before = await box.snapshot();
  assert.equal((await withoutIptables(box, ["uninstall"])).code, 0, "nothing is there");
  await box.install();
  const installed = await box.snapshot();
  const { code, stderr } = await withoutIptables(box, ["uninstall"]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot run "iptables-legacy": there is no such program/);
  assert.equal(await box.snapshot(), installed);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
});

labTest("uninstall needs no iptables, and none that can read its tables, iptables-nft", {
  programs: ["iptables", "unshare"],
}, async (lab) => {
  const box = new Iptables(lab, "nft");
  await waitForLinks(lab);
  const before = await box.snapshot();
  const config = { intercept: { protocols: BOTH_PROTOCOLS, "on-failure": "reset" } };
  const foreign = "meta mark set meta mark | 0x1";
  await box.install(config);
  assert.equal((await withoutIptables(box, ["uninstall"])).code, 0);
  assert.equal(await box.snapshot(), before, "without iptables");
  await box.install(config);
  await lab.router.nft(`add rule ip6 mangle PREROUTING ${foreign}`);
  const status = await box.tproxy(["status", "-c", box.config(config)], { mayFail: true });
  assert.equal(status.code, 1);
  assert.match(
    status.stderr,
    /Another program has put rules into a table of iptables that only nft can read/,
  );
  await box.tproxy(["uninstall"]);
  await lab.router.nft(`delete table ip6 mangle; table ip6 mangle { chain PREROUTING {
    type filter hook prerouting priority mangle; policy accept; ${foreign}
  }; }`);
  const theirs = await box.snapshot();
  assert.doesNotMatch(theirs, /TPROXY/);
  // Nor is anything installed where it could not be read.
  const { code, stderr } = await box.install(config, { mayFail: true });
  assert.equal(code, 1);
  assert.match(stderr, /only nft can read .*kernel\.backend to netlink/);
  assert.equal(await box.snapshot(), theirs);
});

labTest("install waits for the lock of iptables-legacy, and changes nothing when it does not get it", {
  programs: ["iptables", "flock"],
  ...obstacleOf("legacy"),
}, async (lab) => {
  const box = new Iptables(lab, "legacy");
  await box.makeTables();
  await waitForLinks(lab);
  const before = await box.snapshot();
  // A lock of its own: other tests on this machine use the usual one.
  const lock = `${lab.directory}/xtables.lock`;
  const env = { ...iptablesOnly(lab, "legacy").env, XTABLES_LOCKFILE: lock };
  const hold = (seconds: number) =>
    lab.router.start(["flock", "-F", lock, "sh", "-c", `echo held; exec sleep ${seconds}`]);
  const short = await hold(2);
  await short.waitForOutput("held");
  await box.install({}, { env });
  assert.equal(short.running, false, "it did not wait");
  await box.tproxy(["uninstall"]);
  const long = await hold(60);
  await long.waitForOutput("held");
  const { code, stderr } = await box.install({}, { env, mayFail: true });
  await long.stop("SIGKILL");
  assert.equal(code, 1);
  assert.match(stderr, /xtables lock.*Nothing is installed, the kernel's state is as before/s);
  assert.equal(await box.snapshot(), before);
});

labTest("install without ip6tables says so before it changes anything, and does IPv4 alone when asked", {
  programs: ["iptables", "unshare"],
}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const [programs, nothing] = [`${lab.directory}/programs`, `${lab.directory}/nothing`];
  Deno.mkdirSync(programs);
  Deno.mkdirSync(nothing);
  Deno.copyFileSync("/usr/sbin/xtables-nft-multi", `${programs}/xtables-nft-multi`);
  for (const name of ["iptables", "iptables-save", "iptables-restore"]) {
    Deno.symlinkSync("xtables-nft-multi", `${programs}/${name}`);
  }
  const install = (families: string[]) => {
    const path = writeConfig(lab, { intercept: { families }, kernel: { backend: "iptables" } });
    const command = [...tproxyCommand(), "install", "-c", path].join(" ");
    return lab.router.run(
      ["unshare", "-m", "sh", "-c", `mount --bind ${nothing} /usr/sbin; PATH=${programs}:$PATH; ${command}`],
      { mayFail: true },
    );
  };
  const both = await install(["ipv4", "ipv6"]);
  assert.equal(both.code, 1);
  assert.match(both.stderr, /Cannot run "ip6tables-save": there is no such program. On Debian install/);
  assert.equal(await snapshotKernel(lab.router), before);
  const ipv4 = await install(["ipv4"]);
  assert.equal(ipv4.code, 0, ipv4.stderr);
  await tproxy(lab, ["uninstall"]);
  assert.equal(await snapshotKernel(lab.router), before);
});

labTest("install with the backend iptables says what to install where there is none", {
  programs: ["unshare"],
}, async (lab) => {
  const path = writeConfig(lab, { kernel: { backend: "iptables" } });
  const before = await snapshotKernel(lab.router);
  const { code, stderr } = await withoutIptables(new Iptables(lab, "nft"), ["install", "-c", path]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot use backend "iptables": there is no program iptables. On Debian install/);
  assert.equal(await snapshotKernel(lab.router), before);
});
