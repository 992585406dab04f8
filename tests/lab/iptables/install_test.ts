/**
 * `kernel.backend: iptables` in the kernel: what install, status and uninstall do to it, with both kinds of
 * iptables.
 */
import assert from "node:assert/strict";
import type { Finding } from "../../../src/doctor/finding.ts";
import { saveIptables } from "../../laboratory/programs/iptables.ts";
import {
  BOTH_PROTOCOLS,
  Iptables,
  iptablesTest,
  waitForLinks,
  withoutMade,
} from "../../laboratory/proxy/iptables_box.ts";
import type { Outcome } from "../../laboratory/program.ts";
import type { ConfigText } from "../../laboratory/proxy/proxy.ts";

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
iptablesTest(
  "doctor sees whose rules are in iptables, and what a config of another backend makes of it",
  async (box) => {
    const netlink = box.lab.writeFile("netlink.yaml", "{ version: 1, intercept: { interfaces: [r0] } }");
    const doctor = async (path: string) => {
      const { code, stdout } = await box.tproxy(["doctor", "--json", "-c", path], { mayFail: true });
      const { findings } = JSON.parse(stdout) as { findings: Finding[] };
      // The router of the laboratory has no default route.
      const troubles = findings.filter(({ state, id }) => state !== "works" && id !== "ways-out")
        .map(({ id }) => id);
      return { code, troubles, said: (id: string) => findings.find((finding) => finding.id === id)?.cause };
    };
    const path = box.config({ intercept: { protocols: BOTH_PROTOCOLS, "on-failure": "drop" } });
    const fresh = await doctor(path);
    // Nothing is dropped yet; it would be. That iptables takes flows early is said.
    const troubles = ["admission", "on-failure", "on-failure"];
    assert.deepEqual([fresh.code, fresh.troubles], [0, troubles]);
    assert.match(fresh.said("admission")!, /the backend iptables cannot do otherwise/);
    assert.equal(fresh.said("iptables-chains"), "free");
    for (const part of ["recent", "notrack", "addrtype", "set-mark", "conntrack"]) {
      assert.notEqual(fresh.said(`xt-${part}-ipv6`), undefined, part);
    }
    await box.tproxy(["install", "-c", path]);
    const installed = await doctor(path);
    assert.equal(installed.said("iptables-chains"), "installed");
    // New flows are dropped now, as nobody listens.
    assert.deepEqual([installed.code, installed.troubles], [1, troubles]);
    const other = await doctor(netlink);
    assert.deepEqual([other.code, other.troubles], [1, ["iptables-chains"]]);
    assert.match(other.said("iptables-chains")!, /another backend: chains TPROXY_… of iptables/);
  },
);

iptablesTest("install leaves alone chains that look like ours, and says so", async (box) => {
  await box.run("iptables -t mangle -N TPROXY_DIVERT");
  const before = await box.snapshot();
  const { code, stderr } = await box.install({}, { mayFail: true });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot use the chains "TPROXY_DIVERT": they are in the table mangle/);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
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
  assert.match(report.stdout, /^! blocks +an install with this config$\n.*odd\+/m);
  const strange = { intercept: { interfaces: ["-x.1@y_z"] } };
  await box.install(strange);
  await box.tproxy(["status", "-c", box.config(strange)]);
  await box.tproxy(["uninstall"]);
  assert.equal(await box.snapshot(), before);
});
