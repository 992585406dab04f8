/** Findings of `tproxy doctor` on a router, against the packets that get there. */
import assert from "node:assert/strict";
import type { DoctorReport } from "../../../src/cli/doctor/report.ts";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { prepareRecipe } from "../../laboratory/proxy/recipe.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";

/** Rules of a chain at the input hook with policy drop. Doctor's judgement is compared with real packets. */
const INPUT_RULES: readonly (readonly string[])[] = [
  [],
  ["iif lo accept", "ct state established,related accept", "tcp dport 22 accept"],
  ["meta mark and 0x1 == 0x1 accept"],
  ["ct state established,related accept", "ct state new accept"],
  ["ct state established,related accept", "ct state untracked accept"],
  ["iifname r0 accept"],
  ["iifname { r0, r1 } accept"],
  ["ct state vmap { established : accept, related : accept, invalid : drop }", "iifname r0 jump zone"],
  ["ct state invalid drop", "iifname vmap { lo : accept, r0 : jump zone, r1 : goto zone }"],
  ["meta nfproto ipv4 accept"],
  ["iifname != r1 accept", "fib daddr type local accept", "meta l4proto tcp reject with tcp reset"],
  ["ip6 nexthdr tcp accept", "ip protocol tcp accept"],
  ["ct state established accept", "tcp dport 6990-7010 accept"],
  ["ct state established accept", "tcp dport { 22, 80-443 } accept"],
];

labTest("doctor's judgement of a firewall is what packets get", { programs: ["socat"] }, async (lab) => {
  await serve(lab, 7000, "cat");
  const config: ConfigText = { intercept: { admission: "early", ports: [7000] } };
  await startProxy(lab, { config });
  await lab.router.nft(`table inet filter {
    chain zone { accept
    }
    chain input { type filter hook input priority 0; policy drop;
    }
  }`);
  for (const rules of INPUT_RULES) {
    // Without neighbour discovery there is no IPv6 at all.
    const lines = ["meta l4proto ipv6-icmp accept", ...rules].map((rule) =>
      `add rule inet filter input ${rule}\n`
    );
    await lab.router.nft(`flush chain inet filter input\n${lines.join("")}`);
    const report = await doctor(lab, { config });
    const [ipv4, ipv6] = await echoes(lab);
    const expected = ipv4 && ipv6 ? [] : ["! warning input-chains"];
    assert.deepEqual(report.troubles, expected, rules.join("; "));
    if (expected.length === 0) continue;
    const { what, cause, remedy } = findTrouble(report, "input-chains");
    assert.equal(what, "firewall: chain input of table inet filter");
    assert.match(cause, /^It drops packets that are delivered to the proxy \(tcp from/);
    assert.equal(cause.includes("over ipv6"), ipv4, cause);
    // Its advice is a command up to the semicolon, and it helps.
    await lab.router.run(remedy.split(";")[0].split(" "));
    assert.deepEqual(await echoes(lab), [true, true], remedy);
    assert.deepEqual((await doctor(lab, { config })).troubles, [], rules.join("; "));
  }
});

labTest(
  "doctor names the firewall of the README, and what the README says to do helps",
  { programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const recipe = await prepareRecipe(lab, "tproxy doctor");
    await startProxy(lab);
    const ready = await recipe.run();
    assert.match(ready.stdout, /^ready: yes/m);
    await lab.router.run(["nft", "-f", recipe.path("firewall.nft")]);
    assert.deepEqual(await echoes(lab), [false, false]);
    const { code, stdout } = await recipe.run("", { mayFail: true });
    assert.equal(code, 1);
    assert.match(stdout, /^! blocks +firewall: chain input of table inet filter$/m);
    assert.ok(stdout.includes(recipe.text("remedy").trim()), stdout);
    await recipe.run("remedy");
    assert.deepEqual(await echoes(lab), [true, true]);
    assert.match((await recipe.run()).stdout, /^ready: yes/m);
  },
);

/**
 * Interferences with a router whose proxy runs, and their effect: clients still reach servers over IPv4 and
 * IPv6 or not.
 */
const INTERFERENCES: readonly {
  readonly commands: readonly string[];
  readonly passes: readonly [ipv4: boolean, ipv6: boolean];
  readonly undo: readonly string[];
}[] = [
  {
    commands: ["sysctl -q -w net.ipv4.ip_forward=0"],
    passes: [true, true],
    undo: ["sysctl -q -w net.ipv4.ip_forward=1"],
  },
  // The listener has a mark of its own, which comes before the packet's.
  {
    commands: ["sysctl -q -w net.ipv4.tcp_fwmark_accept=1"],
    passes: [true, true],
    undo: ["sysctl -q -w net.ipv4.tcp_fwmark_accept=0"],
  },
  {
    commands: ["sysctl -q -w net.ipv4.conf.all.src_valid_mark=1"],
    passes: [true, true],
    undo: [],
  },
  {
    commands: ["ip rule add priority 900 fwmark 1 lookup 100"],
    passes: [false, true],
    undo: ["sysctl -q -w net.ipv4.conf.all.src_valid_mark=0"],
  },
  {
    commands: [],
    passes: [true, true],
    undo: ["ip rule del priority 900"],
  },
  // Nothing is in that table.
  { commands: ["ip rule add priority 99 fwmark 1 lookup 200"], passes: [true, true], undo: [] },
  // The proxy's own rules have moved to the front.
  {
    commands: ["ip route add default via 203.0.113.2 table 200"],
    passes: [true, true],
    undo: ["ip rule del priority 99"],
  },
  {
    commands: ["ip rule add priority 1 fwmark 1 lookup 200"],
    passes: [false, true],
    undo: ["ip route flush table 200", "ip rule del priority 1"],
  },
  {
    commands: ["iptables-legacy -P INPUT DROP"],
    passes: [false, true],
    undo: ["iptables-legacy -P INPUT ACCEPT"],
  },
  {
    commands: ["sysctl -q -w net.ipv4.tcp_syncookies=2"],
    passes: [false, false],
    undo: ["sysctl -q -w net.ipv4.tcp_syncookies=1"],
  },
  // Two providers: whole marks, as in most howtos.
  {
    commands: ["iptables-nft -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2"],
    passes: [false, true],
    undo: ["iptables-nft -t mangle -F"],
  },
  // What is untracked has no flow whose mark could be restored.
  {
    commands: ["iptables-legacy -t mangle -A PREROUTING -i r0 -j CONNMARK --restore-mark"],
    passes: [true, true],
    undo: ["iptables-legacy -t mangle -F"],
  },
  {
    commands: ["iptables-legacy -t mangle -A PREROUTING -i r0 -j MARK --set-mark 0x10"],
    passes: [false, true],
    undo: ["iptables-legacy -t mangle -F"],
  },
  {
    commands: ["iptables-nft -t mangle -A PREROUTING -i r0 -j MARK --set-xmark 0x20000/0xff0000"],
    passes: [true, true],
    undo: ["iptables-nft -t mangle -F"],
  },
  { commands: ["ip link set lo down"], passes: [true, false], undo: [] },
];

const EARLY: ConfigText = { intercept: { admission: "early" } };

labTest(
  "what doctor says blocks does block, and the rest does not",
  { programs: ["socat", "iptables-legacy", "iptables-nft"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    await startProxy(lab, { config: EARLY });
    for (const { commands, passes, undo } of INTERFERENCES) {
      for (const line of commands) await lab.router.run(line.split(" "));
      const what = commands.join("; ");
      assert.deepEqual(await echoes(lab), passes, what);
      const { code, troubles } = await doctor(lab, { config: EARLY });
      assert.equal(code, passes.includes(false) ? 1 : 0, `${what}: ${troubles.join(", ")}`);
      for (const line of undo) await lab.router.run(line.split(" "));
    }
  },
);

labTest(
  "doctor is not sure of a firewall that it cannot judge",
  { programs: ["iptables-nft"] },
  async (lab) => {
    const path = writeConfig(lab, { intercept: { families: ["ipv4"] } });
    for (
      const rule of [
        "-P INPUT DROP",
        "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-A INPUT -m length --length 40:80 -j ACCEPT",
      ]
    ) await lab.router.run(["iptables-nft", ...rule.split(" ")]);
    const { stdout, code } = await tproxy(lab, ["doctor", "--json", "-c", path], { mayFail: true });
    assert.equal(code, 1);
    const finding = (JSON.parse(stdout) as DoctorReport).findings.find(({ id }) => id === "input-chains")!;
    assert.deepEqual([finding.state, finding.blocks], ["warning", true]);
    assert.match(finding.what, /chain INPUT of table ip filter/);
    assert.match(finding.cause, /^It may drop packets .*by its policy.*iptables-nft made it/);
  },
);
