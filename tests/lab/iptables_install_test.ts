/** `kernel.backend: iptables` in the kernel: what install, status and uninstall do to it, with both kinds of iptables. */
import assert from "node:assert/strict";
import type { Finding } from "../../src/kernel/doctor/finding.ts";
import type { IptablesVariant } from "./support/backend.ts";
import {
  iptables,
  IPTABLES_VARIANTS,
  iptablesOnly,
  obstacleOf,
  saveIptables,
  snapshotIptables,
} from "./support/iptables.ts";
import type { Lab } from "./support/lab.ts";
import type { Outcome, RunOptions } from "./support/program.ts";
import { type ConfigText, tproxy, tproxyCommand, writeConfig } from "./support/proxy.ts";
import { labTest } from "./support/register.ts";
import { snapshotKernel } from "./support/snapshot.ts";
import { delay } from "./support/wait.ts";

const BOTH_PROTOCOLS = ["tcp", "udp"];
const CONFIGS: Readonly<Record<string, ConfigText>> = {
  "the defaults": { intercept: { protocols: BOTH_PROTOCOLS } },
  "many ports and reset": {
    intercept: {
      protocols: BOTH_PROTOCOLS,
      ports: Array.from({ length: 40 }, (_, i) => 80 + 3 * i),
      "on-failure": "reset",
    },
  },
  "rules of every kind": {
    intercept: { interfaces: ["r0", "r1"], protocols: BOTH_PROTOCOLS, "on-failure": "drop" },
    default: "block",
    rules: [
      { to: ["10.0.0.0/8", "172.16.0.0/12", "fc00::/7", "255.255.255.255"], action: "bypass" },
      { to: ["0.0.0.0/1", "::/0"], from: ["192.0.2.1", "192.0.2.2", "192.0.2.3"], action: "direct" },
      { mac: ["02:00:5e:10:00:0a", "02:00:5E:10:00:02"], in: ["r0"], protocol: "udp", action: "block" },
      { ports: [80, "8000-8100", "60000-65535"], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
      { ports: [53], action: "deliver", "deliver-port": 5353 },
      { from: ["2001:db8::/32"], action: "block", silent: true },
    ],
  },
  "one family, another mark": {
    intercept: { families: ["ipv6"], "on-failure": "drop" },
    kernel: { mark: 0x100, table: 1234 },
  },
};

/** A laboratory with a kind of iptables in the router. */
class Iptables {
  readonly #env: Pick<RunOptions, "env">;
  constructor(readonly lab: Lab, readonly variant: IptablesVariant) {
    this.#env = iptablesOnly(lab, variant);
  }

  tproxy(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return tproxy(this.lab, args, { ...this.#env, ...options });
  }

  /** The path of a config with the backend. */
  config(config: ConfigText = {}): string {
    const kernel = { backend: "iptables", ...config.kernel as ConfigText | undefined };
    return writeConfig(this.lab, { ...config, kernel });
  }

  async install(config: ConfigText = {}, options: RunOptions = {}): Promise<Outcome> {
    return await this.tproxy(["install", "-c", this.config(config)], options);
  }

  run(line: string): Promise<Outcome> {
    return iptables(this.lab, this.variant, line.split(" "));
  }

  snapshot(): Promise<string> {
    return snapshotIptables(this.lab);
  }

  /** Rules of both families; the order of chains is that in which iptables-nft has made them. */
  async rules(): Promise<string> {
    return (await saveIptables(this.lab, this.variant)).split("\n").filter((line) => !line.startsWith(":"))
      .join("\n");
  }

  /** iptables-legacy makes a table when it is asked for, and nobody can take it away again. */
  async makeTables(): Promise<void> {
    if (this.variant !== "legacy") return;
    for (const command of ["iptables", "ip6tables"]) {
      for (const table of ["raw", "mangle", "filter"]) await this.run(`${command} -t ${table} -S`);
    }
  }

  /** What other programs leave: some of it looks like ours. */
  async addForeignRules(): Promise<void> {
    for (const command of ["iptables", "ip6tables"]) {
      await this.run(`${command} -t raw -A PREROUTING -i r1 -p tcp --dport 9 -j DROP`);
      await this.run(`${command} -t mangle -N DIVERT`);
      await this.run(`${command} -t mangle -A DIVERT -j MARK --set-mark 1`);
      await this.run(`${command} -t mangle -A PREROUTING -p tcp --dport 9 -m socket -j DIVERT`);
      await this.run(`${command} -N DOCKER-USER`);
      await this.run(`${command} -A FORWARD -j DOCKER-USER`);
    }
  }
}

/** Routes change while links come up, and snapshots are compared. */
async function waitForLinks({ router }: Lab): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { stdout } = await router.run(["ip", "-6", "route", "show", "table", "local"]);
    if (["r0", "r1"].every((link) => new RegExp(`^anycast fe80:: dev ${link}`, "m").test(stdout))) return;
    await delay(50);
  }
}

function iptablesTest(name: string, test: (box: Iptables) => Promise<void>): void {
  for (const variant of IPTABLES_VARIANTS) {
    labTest(
      `${name}, iptables-${variant}`,
      { programs: ["iptables"], ...obstacleOf(variant) },
      async (lab) => {
        const box = new Iptables(lab, variant);
        await box.makeTables();
        await waitForLinks(lab);
        await test(box);
      },
    );
  }
}

iptablesTest(
  "install is the same twice, by its script, and after any other config; uninstall leaves nothing",
  async (box) => {
    await box.addForeignRules();
    const before = await box.snapshot();
    const states = new Map<ConfigText, string>();
    const scripts: { path: string; state: string }[] = [];
    for (const [name, config] of Object.entries(CONFIGS)) {
      await box.install(config);
      const state = await box.rules();
      states.set(config, state);
      assert.match(
        state,
        /^-A PREROUTING -j TPROXY_DIVERT\n-A PREROUTING -i r1 /m,
        `${name}: not the first rule`,
      );
      await box.tproxy(["status", "-c", box.config(config)]);
      await box.install(config);
      assert.equal(await box.rules(), state, `${name}: twice`);
      const script = await box.tproxy(["install", "--dry-run", "-c", box.config(config)]);
      const path = box.lab.writeFile(`rules${scripts.length}.sh`, script.stdout);
      await box.run(`sh ${path}`);
      assert.equal(await box.rules(), state, `${name}: the script, over the install`);
      await box.tproxy(["uninstall"]);
      assert.equal(await box.snapshot(), before, `${name}: uninstalled`);
      scripts.push({ path, state });
    }
    for (const config of Object.values(CONFIGS).toReversed()) {
      await box.install(config);
      assert.equal(withoutMade(await box.rules()), withoutMade(states.get(config)!));
    }
    await box.tproxy(["uninstall"]);
    assert.equal(await box.snapshot(), before);
    // Only an install knows what iptables-nft makes for it.
    for (const { path, state } of scripts) {
      await box.run(`sh ${path}`);
      assert.equal(withoutMade(await box.rules()), withoutMade(state), `${path} alone`);
      await box.tproxy(["uninstall"]);
      assert.doesNotMatch(await box.rules(), /TPROXY/);
    }
  },
);

function withoutMade(rules: string): string {
  return rules.replace(/, with [^"]*/g, "");
}

/** iptables-nft lists chains in the order in which they were made. */
function sortLines(text: string): string {
  return text.split("\n").toSorted().join("\n");
}

iptablesTest("uninstall takes away the tables that install has made", async (box) => {
  const before = await box.snapshot();
  await box.install({ intercept: { "on-failure": "reset" } });
  assert.notEqual(await box.snapshot(), before);
  // From then on somebody else uses one of the tables.
  await box.run("iptables -A FORWARD -s 192.0.2.9 -j DROP");
  await box.tproxy(["uninstall"]);
  assert.match(await saveIptables(box.lab, box.variant), /-A FORWARD -s 192\.0\.2\.9\/32 -j DROP/);
  await box.run("iptables -D FORWARD -s 192.0.2.9 -j DROP");
  if (box.variant === "nft") await box.lab.router.run(["nft", "delete", "table", "ip", "filter"]);
  assert.equal(await box.snapshot(), before);
});

iptablesTest("status tells each rule that is missing, foreign, or behind another program's", async (box) => {
  const path = box.config({ intercept: { "on-failure": "reset" } });
  const status = async () => {
    const { code, stdout } = await box.tproxy(["status", "--json", "-c", path], { mayFail: true });
    const { objects, backend } = JSON.parse(stdout) as {
      objects: { name: string; state: string; detail?: string }[];
      backend: { name: string; place: string };
    };
    assert.equal(backend.name, "iptables");
    assert.match(backend.place, box.variant === "nft" ? /nf_tables/ : /legacy/);
    return { code, wrong: objects.filter(({ state }) => state !== "present") };
  };
  assert.ok((await status()).wrong.every(({ state }) => state === "missing"));
  await box.tproxy(["install", "-c", path]);
  assert.deepEqual(await status(), { code: 0, wrong: [] });
  await box.run("iptables -t mangle -I PREROUTING -s 192.0.2.9 -j ACCEPT");
  await box.run("ip6tables -t raw -D TPROXY_OURS -j CT --notrack");
  await box.run("ip6tables -t raw -A TPROXY_DIVERT -p tcp -j RETURN");
  await box.run("iptables -D FORWARD -j TPROXY_REJECT");
  const { code, wrong } = await status();
  assert.equal(code, 1);
  const behind = "a rule of another program comes before it";
  assert.deepEqual(wrong.map(({ state, name, detail }) => [state, name, detail ?? ""]), [
    ["changed", "iptables mangle PREROUTING: -j TPROXY_STEER", behind],
    ["changed", "iptables mangle PREROUTING: -j TPROXY_DIVERT_REPLIES", behind],
    ["missing", "iptables filter FORWARD: -j TPROXY_REJECT", ""],
    ["missing", "ip6tables raw TPROXY_OURS: -j CT --notrack", ""],
    ["foreign", "ip6tables raw TPROXY_DIVERT: -p tcp -j RETURN", "the config does not ask for it"],
  ]);
  await box.tproxy(["install", "-c", path]);
  assert.deepEqual(await status(), { code: 0, wrong: [] });
});

iptablesTest(
  "install refuses where the rules of another backend are, and uninstall removes either",
  async (box) => {
    const { lab } = box;
    const netlink = lab.writeFile("netlink.yaml", "{ version: 1, intercept: { interfaces: [r0] } }");
    const other = new Iptables(lab, box.variant === "nft" ? "legacy" : "nft");
    await other.makeTables();
    const before = await box.snapshot();
    const refused = async (attempt: Promise<Outcome>, there: RegExp) => {
      const { code, stderr } = await attempt;
      assert.equal(code, 1);
      assert.match(stderr, there);
      assert.match(stderr, /Run "tproxy uninstall" first/);
    };
    await box.install();
    const installed = await box.snapshot();
    const ours = box.variant === "nft" ? /iptables v\S+ \(nf_tables\)/ : /iptables v\S+ \(legacy\)/;
    await refused(box.tproxy(["install", "-c", netlink], { mayFail: true }), ours);
    await refused(other.install({}, { mayFail: true }), ours);
    const status = await box.tproxy(["status", "-c", netlink], { mayFail: true });
    assert.match(status.stdout, /^foreign +table +chains TPROXY_.*another backend/m);
    assert.equal(await box.snapshot(), installed);
    await box.tproxy(["uninstall"]);
    await box.tproxy(["install", "-c", netlink]);
    const byNetlink = await box.snapshot();
    await refused(
      box.install({}, { mayFail: true }),
      /the table inet transparent_proxy of the backend netlink/,
    );
    assert.match(
      (await box.tproxy(["status", "-c", box.config()], { mayFail: true })).stdout,
      /^foreign +table +inet transparent_proxy +\(of an install with another backend\)/m,
    );
    assert.equal(await box.snapshot(), byNetlink);
    await box.tproxy(["uninstall"]);
    assert.equal(await box.snapshot(), before);
  },
);

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

iptablesTest(
  "doctor sees whose rules are in iptables, and what a config of another backend makes of it",
  async (box) => {
    const netlink = box.lab.writeFile("netlink.yaml", "{ version: 1, intercept: { interfaces: [r0] } }");
    const doctor = async (path: string) => {
      const { code, stdout } = await box.tproxy(["doctor", "--json", "-c", path], { mayFail: true });
      const { findings } = JSON.parse(stdout) as { findings: Finding[] };
      const troubles = findings.filter(({ state }) => state !== "works").map(({ id }) => id);
      return { code, troubles, said: (id: string) => findings.find((finding) => finding.id === id)?.cause };
    };
    const path = box.config({ intercept: { protocols: BOTH_PROTOCOLS, "on-failure": "drop" } });
    const fresh = await doctor(path);
    // Nothing is dropped yet; it would be.
    assert.deepEqual([fresh.code, fresh.troubles], [0, ["on-failure", "on-failure"]]);
    assert.equal(fresh.said("iptables-chains"), "free");
    for (const part of ["recent", "notrack", "addrtype", "set-mark", "conntrack"]) {
      assert.notEqual(fresh.said(`xt-${part}-ipv6`), undefined, part);
    }
    await box.tproxy(["install", "-c", path]);
    const installed = await doctor(path);
    assert.equal(installed.said("iptables-chains"), "installed");
    // New flows are dropped now, as nobody listens.
    assert.deepEqual([installed.code, installed.troubles], [1, ["on-failure", "on-failure"]]);
    const other = await doctor(netlink);
    assert.deepEqual([other.code, other.troubles], [1, ["iptables-chains"]]);
    assert.match(other.said("iptables-chains")!, /another backend: chains TPROXY_… of iptables/);
  },
);

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

/** Kills tproxy, and not the programs that it runs, at its n-th message to the kernel; whether there was one. */
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

iptablesTest("install leaves alone chains that look like ours, and says so", async (box) => {
  await box.run("iptables -t mangle -N TPROXY_DIVERT");
  const before = await box.snapshot();
  const { code, stderr } = await box.install({}, { mayFail: true });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot use the chains "TPROXY_DIVERT": they are in the table mangle/);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
});

/** Runs tproxy where no program of iptables is. */
function withoutIptables(box: Iptables, args: readonly string[]): Promise<Outcome> {
  const hide = ["nft", "legacy"].map((kind) => `mount --bind /dev/null /usr/sbin/xtables-${kind}-multi`);
  const command = [...hide, [...tproxyCommand(), ...args].join(" ")].join("; ");
  return box.lab.router.run(["unshare", "-m", "sh", "-c", command], { mayFail: true });
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

iptablesTest("install takes 5,000 networks, and says what they cost", async (box) => {
  const networks = Array.from({ length: 5_000 }, (_, i) => `10.${i >> 6}.${(i & 63) * 4}.0/23`);
  const rules = [{ "to-file": box.lab.writeFile("networks", networks.join("\n")), action: "bypass" }];
  const before = await box.snapshot();
  const { stderr } = await box.install({ rules });
  assert.match(stderr, /iptables compares a new connection, and every datagram, with 5000 networks/);
  await box.tproxy(["status", "-c", box.config({ rules })]);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
});

iptablesTest("install refuses an interface whose name iptables would take for a pattern", async (box) => {
  await box.lab.router.ip("link add name odd+ type veth peer name -x.1@y_z");
  await waitForLinks(box.lab);
  const before = await box.snapshot();
  const odd = { intercept: { interfaces: ["odd+"] } };
  const { code, stderr } = await box.install(odd, { mayFail: true });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write for iptables "odd\+": .*Rename the interface/);
  const report = await box.tproxy(["doctor", "-c", box.config(odd)], { mayFail: true });
  assert.match(report.stdout, /^! warning +an install with this config$\n.*odd\+/m);
  const strange = { intercept: { interfaces: ["-x.1@y_z"] } };
  await box.install(strange);
  await box.tproxy(["status", "-c", box.config(strange)]);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
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
