/** Judgement of each check on its facts. */
import assert from "node:assert/strict";
import { judgeBridgeFilter } from "../../../../src/doctor/checks/bridge_filter.ts";
import { judgeDescriptors, readDescriptors } from "../../../../src/doctor/checks/descriptors.ts";
import { judgeForwarding, readForwarding } from "../../../../src/doctor/checks/forwarding.ts";
import { judgeOnFailure, judgeTableOwner } from "../../../../src/doctor/checks/installed.ts";
import { judgeLegacyInput } from "../../../../src/doctor/checks/legacy_input.ts";
import { judgeLoopback } from "../../../../src/doctor/checks/loopback.ts";
import { judgeNetworkd, readNetworkd } from "../../../../src/doctor/checks/networkd.ts";
import type { Sysctl } from "../../../../src/doctor/machine/sysctl.ts";
import { configWith } from "../../kernel/support/view.ts";
import { memoryFiles, processOf, situationWith, troubles } from "../support/machine.ts";

function sysctl(name: string, value: string | undefined, setBy: readonly string[] = []): Sysctl {
  return { name, value, setBy };
}

Deno.test("judgeForwarding() warns of what is not forwarded, and says who switched it off", () => {
  const files = memoryFiles({
    "/proc/sys/net/ipv4/ip_forward": "0\n",
    "/proc/sys/net/ipv6/conf/all/forwarding": "1\n",
    "/etc/sysctl.d/10-desktop.conf": "net.ipv4.ip_forward = 0",
  });
  const findings = judgeForwarding(readForwarding(files), situationWith());
  assert.deepEqual(troubles(findings), ["warning forwarding-ipv4"]);
  assert.match(findings[0].cause, /set in \/etc\/sysctl\.d\/10-desktop\.conf$/);
  assert.match(findings[0].remedy, /^sysctl -w net\.ipv4\.ip_forward=1/);
  assert.deepEqual(
    troubles(judgeForwarding(readForwarding(files), situationWith({ families: ["ipv6"] }))),
    [],
  );
});

Deno.test("judgeBridgeFilter() minds it where a bridge is intercepted", () => {
  const facts = {
    ipv4: sysctl("net.bridge.bridge-nf-call-iptables", "1"),
    ipv6: sysctl("net.bridge.bridge-nf-call-ip6tables", undefined),
  };
  const docker = situationWith({ processes: [processOf("dockerd")] });
  const findings = judgeBridgeFilter(facts, docker);
  assert.deepEqual(troubles(findings), ["warning bridge-nf-ipv4"]);
  assert.match(findings[0].cause, /behind br-lan .*perhaps set by dockerd/);
  assert.match(findings[0].remedy, /bridge-nf-call-iptables=0/);
  assert.match(judgeBridgeFilter(facts, situationWith())[0].cause, /default once .* br_netfilter is loaded$/);
  assert.deepEqual(troubles(judgeBridgeFilter(facts, situationWith({ lan: ["eth1"] }))), []);
});

Deno.test("judgeNetworkd() warns while networkd runs and deletes rules, by its configuration", () => {
  const running = situationWith({ processes: [processOf("systemd-network")] });
  const off = "[Network]\nManageForeignRoutingPolicyRules = no\n";
  const directory = "/etc/systemd/networkd.conf.d";
  const cases: [files: Record<string, string>, expected: string[]][] = [
    [{}, ["warning networkd"]],
    [{ "/etc/systemd/networkd.conf": off }, []],
    [{ "/etc/systemd/networkd.conf": `[DHCP]\n${off.split("\n")[1]}` }, ["warning networkd"]],
    [{ "/etc/systemd/networkd.conf": "", "/usr/lib/systemd/networkd.conf": off }, ["warning networkd"]],
    [{ [`${directory}/tproxy.conf`]: off }, []],
    [{ [`${directory}/a.conf`]: off, [`${directory}/b.conf`]: off.replace("no", "yes") }, [
      "warning networkd",
    ]],
    [{ [`${directory}/a.conf`]: off, "/run/systemd/networkd.conf.d/a.conf": off.replace("no", "yes") }, []],
  ];
  for (const [files, expected] of cases) {
    const facts = readNetworkd(memoryFiles(files));
    assert.deepEqual(troubles(judgeNetworkd(facts, running)), expected, JSON.stringify(files));
    assert.deepEqual(troubles(judgeNetworkd(facts, situationWith())), []);
  }
});

Deno.test("judgeDescriptors() goes by the limit of the proxy that runs, and by what the config asks for", () => {
  const room = (descriptors: number) => ({ connections: descriptors / 2, udpSessions: descriptors });
  const proxy = processOf("tproxy", ["tproxy", "run"], 99);
  const files = memoryFiles({
    "/proc/99/limits":
      "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            512                  1024                 files     \n",
  });
  const ofProxy = readDescriptors(files, [processOf("socat"), proxy]);
  assert.deepEqual(ofProxy, { hard: 1024, of: "the proxy that runs" });
  assert.equal(readDescriptors(files, []).of, "this session");
  const judge = (hard: number, limits: object = {}) =>
    judgeDescriptors(
      { hard, of: "this session" },
      situationWith({ config: { ...configWith(), ...limits } }),
      room,
    );
  assert.deepEqual(troubles(judge(1024)), ["warning descriptors"]);
  assert.match(judge(1024)[0].remedy, /LimitNOFILE=65536/);
  assert.deepEqual(troubles(judge(20000)), []);
  const wanting = (connections: number) => ({ limits: { ...configWith().limits, connections } });
  assert.match(judge(20000, wanting(12000))[0].cause, /limits\.connections asks for 12000/);
  assert.deepEqual(troubles(judge(1024, wanting(100))), []);
  const { intercept, limits } = configWith();
  const udpOnly = {
    intercept: { ...intercept, protocols: ["udp"] },
    limits: { ...limits, connections: 12000 },
  };
  const [{ state, what }] = judge(1024, udpOnly);
  assert.equal(state, "works");
  assert.match(what, /enough for 1024 UDP sessions$/);
});

Deno.test("judgeTableOwner() refuses a table of our name that another program made", () => {
  assert.deepEqual(troubles([judgeTableOwner("nobody"), judgeTableOwner("tproxy")]), []);
  const foreign = judgeTableOwner("another program");
  assert.deepEqual(troubles([foreign]), ["! warning table-name"]);
  assert.match(foreign.remedy, /nft list table inet transparent_proxy/);
});

Deno.test("judgeOnFailure() finds protocols that nobody serves while they are refused or dropped", () => {
  const listeners = (tcp: boolean, udp: boolean) => [
    { protocol: "tcp" as const, address: "127.0.0.1:50080", listening: tcp },
    { protocol: "udp" as const, address: "127.0.0.1:50080", listening: udp },
  ];
  const judge = (
    onFailure: "open" | "reset" | "drop",
    facts: { tcp: boolean; udp: boolean; installed?: boolean },
  ) =>
    judgeOnFailure(
      { installed: facts.installed ?? true, listeners: listeners(facts.tcp, facts.udp) },
      situationWith({ config: configWith({ onFailure, protocols: ["tcp", "udp"] }) }),
    );
  assert.deepEqual(troubles(judge("open", { tcp: false, udp: false })), []);
  assert.deepEqual(troubles(judge("reset", { tcp: true, udp: true })), []);
  const udp = judge("drop", { tcp: true, udp: false });
  assert.deepEqual(troubles(udp), ["! warning on-failure"]);
  assert.match(
    `${udp[0].what} ${udp[0].cause}`,
    /drop, and nobody listens for udp .* dropped now, DNS among them/,
  );
  assert.match(udp[0].remedy, /leave udp out of intercept\.protocols/);
  const none = judge("reset", { tcp: false, udp: false, installed: false });
  assert.deepEqual(troubles(none), ["warning on-failure", "warning on-failure"]);
  assert.match(none[0].remedy, /^Start "tproxy run"/);
});

Deno.test("judgeLoopback() wants lo to be up", () => {
  assert.deepEqual(troubles(judgeLoopback(situationWith())), []);
  const links = situationWith().links.map((link) => ({ ...link, up: false }));
  assert.deepEqual(troubles(judgeLoopback(situationWith({ links }))), ["! warning loopback"]);
  const ipv4 = judgeLoopback(situationWith({ links, families: ["ipv4"] }));
  assert.deepEqual(troubles(ipv4), ["warning loopback"]);
});

Deno.test("judgeLegacyInput() is sure of a policy DROP only where there is no rule", () => {
  const judge = (policy: "accept" | "drop", hasRules: boolean) =>
    judgeLegacyInput([{ family: "ipv4", policy, hasRules }], situationWith());
  assert.deepEqual(troubles(judge("accept", true)), []);
  assert.deepEqual(troubles(judge("drop", true)), ["warning legacy-input"]);
  assert.deepEqual(troubles(judge("drop", false)), ["! warning legacy-input"]);
  assert.match(judge("drop", false)[0].remedy, /^iptables-legacy -I INPUT -m mark --mark 0x1\/0x1 -j ACCEPT/);
  const ipv6 = judgeLegacyInput(
    [{ family: "ipv6", policy: "drop", hasRules: false }],
    situationWith({ families: ["ipv4"] }),
  );
  assert.deepEqual(troubles(ipv6), []);
});
