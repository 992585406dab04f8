/**
 * `tproxy doctor` on the real kernel: what is in order, what is provoked, and that nothing is left behind.
 */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { type Diagnosis, doctor, type DoctorOptions, findTrouble } from "../../laboratory/proxy/doctor.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import {
  type ConfigText,
  PROXY_PORT,
  startProxy,
  tproxy,
  tproxyCommand,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { until } from "../../laboratory/machine/wait.ts";

/** The options of the kernel's page, and what policy routing and sockets need. */
const KERNEL = [
  "nf-tables",
  "nft-socket",
  "nft-tproxy-ipv4",
  "nft-tproxy-ipv6",
  "nft-table",
  "policy-routing-ipv4",
  "policy-routing-ipv6",
  "ip-transparent-ipv4",
  "ip-transparent-ipv6",
  "xt-socket-ipv4",
  "xt-tproxy-ipv4",
  "xt-socket-ipv6",
  "xt-tproxy-ipv6",
];

/** Routing rules and routes of the router that come and go meanwhile, as `ip monitor` tells them. */
async function watchRouting(lab: Lab, work: () => Promise<void>): Promise<string> {
  const monitor = await lab.router.start(["ip", "monitor", "rule", "route"]);
  const marker = (number: number) => [..."ip rule add priority 9999 lookup".split(" "), `${number}`];
  const undo = "ip rule del priority 9999".split(" ");
  // It needs a moment to begin, and its output one to come.
  await until(async () => {
    await lab.router.run(marker(7001));
    await lab.router.run(undo);
    return monitor.stdout.includes("7001");
  }, { what: "ip monitor", pollMs: 50 });
  await work();
  await lab.router.run(marker(7002));
  await lab.router.run(undo);
  await monitor.waitForOutput("7002");
  await monitor.stop();
  return monitor.stdout.split("\n").filter((line) => line.trim() !== "" && !line.includes("9999:")).join(
    "\n",
  );
}

labTest("doctor finds all in order, installed or not, and changes nothing", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  let fresh!: Diagnosis;
  assert.equal(await watchRouting(lab, async () => void (fresh = await doctor(lab))), "");
  assert.deepEqual([fresh.code, fresh.ready, fresh.tried, fresh.troubles], [0, true, "namespace", []]);
  for (const id of KERNEL) assert.ok(fresh.findings.some((finding) => finding.id === id), id);
  assert.equal(await snapshotKernel(lab.router), before);
  await startProxy(lab);
  const installed = await snapshotKernel(lab.router);
  const running = await doctor(lab);
  assert.deepEqual([running.code, running.troubles], [0, []]);
  const said = running.findings.map(({ what, cause }) => `${what}: ${cause}`).join("\n");
  assert.match(said, /tcp 127\.0\.0\.1:50080: .* \(pid \d+\) listens/);
  assert.match(
    said,
    usesIptables() ? /chains TPROXY_… of iptables: installed/ : /table inet transparent_proxy: installed/,
  );
  assert.match(said, /descriptor limit of the proxy that runs: \d+/);
  assert.equal(await snapshotKernel(lab.router), installed);
});

labTest(
  "doctor without CAP_SYS_ADMIN tries the kernel in the router's namespace, and leaves nothing behind",
  { programs: ["setpriv"] },
  async (lab) => {
    const before = await snapshotKernel(lab.router);
    const wrapper = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
    let report!: Diagnosis;
    const seen = await watchRouting(lab, async () => void (report = await doctor(lab, { wrapper })));
    assert.deepEqual([report.code, report.tried, report.troubles], [0, "router", []]);
    assert.match(seen, /^500:.*fwmark 0x[4-7][0-9a-f]{7} iif lo lookup \d+ proto 50/m);
    assert.match(seen, /^Deleted 500:/m);
    // The whole table has hooks: it is not tried where packets pass.
    const expected = KERNEL.filter((id) => id !== "nft-table");
    assert.deepEqual(
      report.findings.map(({ id }) => id).filter((id) => KERNEL.includes(id)).toSorted(),
      [
        ...expected,
      ].toSorted(),
    );
    assert.equal(await snapshotKernel(lab.router), before);
  },
);

labTest("doctor without root says what is not permitted", { programs: ["setpriv"] }, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const wrapper = asNobody(lab);
  const report = await doctor(lab, { wrapper });
  assert.deepEqual([report.code, report.ready], [1, false]);
  const notNeeded = usesIptables() ? "nf" : "xt-";
  for (const id of KERNEL.filter((id) => !id.startsWith(notNeeded) && id !== "nft-table")) {
    assert.ok(report.troubles.includes(`! not permitted ${id}`), report.troubles.join("\n"));
  }
  const [needless, needed] = usesIptables() ? ["nft", "xt"] : ["xt", "nft"];
  assert.ok(
    report.troubles.includes(`not permitted ${needless}-tproxy-ipv4`),
    "this config does not need it",
  );
  assert.match(findTrouble(report, `${needed}-tproxy-ipv4`).cause, /^EPERM/);
  const path = writeConfig(lab);
  const { stdout, code } = await lab.router.run([...wrapper, ...tproxyCommand(), "doctor", "-c", path], {
    mayFail: true,
  });
  assert.equal(code, 1);
  assert.match(
    stdout,
    usesIptables()
      ? /^! not permitted {2}NETFILTER_XT_TARGET_TPROXY: iptables -j TPROXY {2}\(EPERM/m
      : /^! not permitted {2}NFT_TPROXY: .*IPv4 {2}\(EPERM/m,
  );
  assert.match(stdout, /Run doctor as root.*\nready: no, \d+ findings marked !/);
  assert.equal(await snapshotKernel(lab.router), before);
});

/** Something that somebody does, what doctor must say of it, and what undoes it. */
interface Provocation extends DoctorOptions {
  readonly commands: readonly string[];
  readonly expected: readonly string[];
  /** Said in the finding of that id. */
  readonly said?: { readonly id: string; readonly words: RegExp };
  readonly undo: readonly string[];
}

const PROVOCATIONS: readonly Provocation[] = [
  {
    commands: ["sysctl -q -w net.ipv4.ip_forward=0"],
    expected: ["! warning forwarding-ipv4"],
    undo: ["sysctl -q -w net.ipv4.ip_forward=1"],
  },
  {
    commands: [
      "ip rule add priority 99 fwmark 1/1 lookup 200",
      "ip route add default via 203.0.113.2 table 200",
    ],
    // An install goes before it.
    expected: ["warning mark-users"],
    said: {
      id: "mark-users",
      words: /priority 99: fwmark 0x1\/0x1 lookup 200".*such as ip\(8\).*ip rule del priority 99/,
    },
    undo: ["ip rule del priority 99", "ip route flush table 200"],
  },
  {
    commands: ["ip -6 rule add priority 900 fwmark 1/0xf lookup 200"],
    expected: ["warning mark-users"],
    undo: ["ip -6 rule del priority 900"],
  },
  {
    // The rule of the kernel's page, and what Tailscale and wg-quick set.
    commands: [
      "ip rule add priority 900 fwmark 1/1 lookup 100",
      "ip route add local default dev lo table 100",
      "sysctl -q -w net.ipv4.conf.all.src_valid_mark=1",
    ],
    expected: ["! warning src-valid-mark", "warning mark-users", "warning table-users"],
    said: {
      id: "src-valid-mark",
      words: /"ipv4 priority 900: fwmark 0x1\/0x1 lookup 100", which has no iif/,
    },
    undo: [
      "ip rule del priority 900",
      "ip route del local default dev lo table 100",
      "sysctl -q -w net.ipv4.conf.all.src_valid_mark=0",
    ],
  },
  {
    commands: ["ip route add blackhole 10.9.0.0/16 table 100 protocol 12"],
    expected: ["! warning plan", "! warning table-users"],
    said: { id: "table-users", words: /10\.9\.0\.0\/16 .*made by BIRD/ },
    undo: ["ip route del blackhole 10.9.0.0/16 table 100"],
  },
  {
    commands: [
      "ip route add default via 10.77.1.2 metric 5",
      "ip route add default via 203.0.113.2 metric 9",
      "sysctl -q -w net.ipv4.conf.r1.rp_filter=1",
    ],
    // r0 is named in the config, and has a default route.
    expected: ["warning plan", "warning rp-filter"],
    undo: ["ip route flush 0.0.0.0/0", "sysctl -q -w net.ipv4.conf.r1.rp_filter=0"],
  },
  {
    commands: ["nft add table inet transparent_proxy"],
    expected: ["! warning table-name"],
    undo: ["nft delete table inet transparent_proxy"],
  },
  {
    commands: ["ip link add br0 type bridge", "ip link set br0 up"],
    config: { intercept: { admission: "early", interfaces: ["br0"] } },
    expected: ["! warning bridge-nf-ipv4", "! warning bridge-nf-ipv6"],
    undo: ["ip link del br0"],
  },
  {
    commands: ["iptables-legacy -P INPUT DROP"],
    expected: ["! warning legacy-input"],
    said: {
      id: "legacy-input",
      words: /chain INPUT of iptables-legacy .*by its policy.*iptables-legacy -I INPUT/,
    },
    undo: ["iptables-legacy -P INPUT ACCEPT"],
  },
  {
    commands: ["ip6tables-legacy -P INPUT DROP", "ip6tables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT"],
    expected: ["! warning legacy-input"],
    undo: ["ip6tables-legacy -F INPUT", "ip6tables-legacy -P INPUT ACCEPT"],
  },
  {
    commands: [],
    wrapper: ["prlimit", "--nofile=512"],
    expected: ["warning descriptors"],
    undo: [],
  },
  {
    commands: [],
    config: { intercept: { interfaces: ["r0", "br-lan"] } },
    expected: ["! warning plan"],
    said: { id: "plan", words: /there is no such interface.*This machine has r0, r1/ },
    undo: [],
  },
  {
    commands: [],
    config: { intercept: { "on-failure": "reset" } },
    expected: ["warning on-failure"],
    undo: [],
  },
  {
    commands: ["ip link set lo down"],
    expected: ["! warning listener-tcp-ipv6", "! warning loopback"],
    undo: ["ip link set lo up"],
  },
];

labTest(
  "doctor finds what gets in the way, and no longer when it is mended",
  { programs: ["iptables-legacy", "ip6tables-legacy", "prlimit"] },
  async (lab) => {
    assert.deepEqual((await doctor(lab)).troubles, []);
    for (const { commands, expected, said, undo, ...options } of PROVOCATIONS) {
      const run = async (lines: readonly string[]) => {
        for (const line of lines) await lab.router.run(line.split(" "));
      };
      await run(commands);
      const report = await doctor(lab, options);
      const what = `${commands.join("; ")} ${JSON.stringify(options)}`;
      assert.deepEqual(report.troubles.toSorted(), expected.toSorted(), what);
      assert.equal(report.code, expected.some((line) => line.startsWith("!")) ? 1 : 0, what);
      if (said !== undefined) {
        const finding = findTrouble(report, said.id);
        assert.match(`${finding.what} ${finding.cause} ${finding.remedy}`, said.words);
      }
      await run(undo);
    }
    assert.deepEqual((await doctor(lab)).troubles, []);
  },
);

labTest("doctor names the program that holds the port", { programs: ["socat"] }, async (lab) => {
  const protocols: ConfigText = { intercept: { protocols: ["tcp", "udp"] } };
  const holders = [
    { spec: `TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1`, expected: ["! warning listener-tcp-ipv4"] },
    // All addresses of both families.
    {
      spec: `TCP6-LISTEN:${PROXY_PORT},ipv6only=0`,
      expected: ["! warning listener-tcp-ipv4", "! warning listener-tcp-ipv6"],
    },
    { spec: `UDP6-RECV:${PROXY_PORT},bind=[::1]`, expected: ["! warning listener-udp-ipv6"] },
  ];
  for (const { spec, expected } of holders) {
    const port = spec.startsWith("UDP") ? { udpPort: PROXY_PORT } : { listens: PROXY_PORT };
    const program = await lab.router.start(["socat", spec, "-"], port);
    const report = await doctor(lab, { config: protocols });
    assert.deepEqual(report.troubles, expected, spec);
    const { cause } = findTrouble(report, expected[0].split(" ").at(-1)!);
    assert.ok(cause.startsWith(`socat (pid ${program.pid}) holds it: socat ${spec}`), cause);
    await program.stop();
  }
});

labTest(
  "doctor says which protocol is cut off because nobody serves it",
  { programs: ["socat"] },
  async (lab) => {
    const config: ConfigText = { intercept: { protocols: ["tcp", "udp"], "on-failure": "drop" } };
    await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
    const none = await doctor(lab, { config });
    assert.deepEqual(none.troubles, ["! warning on-failure", "! warning on-failure"]);
    // Somebody listens for TCP, as a proxy without UDP would.
    const program = await lab.router.start(["socat", `TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1`, "-"], {
      listens: PROXY_PORT,
    });
    const { findings } = await doctor(lab, { config });
    const [udp, ...others] = findings.filter(({ id }) => id === "on-failure");
    assert.deepEqual([others.length, udp.blocks], [0, true]);
    assert.match(udp.what, /nobody listens for udp/);
    await program.stop();
  },
);

labTest("doctor sees systemd-networkd", { programs: ["sleep"] }, async (lab) => {
  // A program of that name: it is the name that doctor goes by.
  const path = `${lab.directory}/systemd-networkd`;
  Deno.copyFileSync("/bin/sleep", path);
  Deno.chmodSync(path, 0o755);
  const program = await lab.router.start([path, "60"]);
  const name = () => Deno.readTextFileSync(`/proc/${program.pid}/comm`).trim();
  await until(() => name() === "systemd-network", { what: "the program to start" });
  const report = await doctor(lab);
  assert.deepEqual(report.troubles, ["warning networkd"]);
  assert.match(findTrouble(report, "networkd").remedy, /ManageForeignRoutingPolicyRules=no/);
  await program.stop();
});
