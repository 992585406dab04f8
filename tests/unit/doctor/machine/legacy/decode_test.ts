/** Tables of iptables-legacy as the kernel has handed them out, against what iptables-legacy-save printed. */
import assert from "node:assert/strict";
import { decodeLegacyTable, type LegacyTable } from "../../../../../src/doctor/machine/legacy/decode.ts";
import { describeChain } from "../../../../../src/doctor/firewall/firewall.ts";
import type { FirewallChain } from "../../../../../src/doctor/firewall/chain.ts";
import type { KnownPacket } from "../../../../../src/doctor/packet/known_packet.ts";
import { walkBaseChain } from "../../../../../src/doctor/packet/packet_walk.ts";
import { formatRule } from "../../../../../src/doctor/packet/rule_text.ts";
import { FAMILIES } from "../../../../../src/net/families.ts";
import type { Family } from "../../../../../src/net/ip.ts";
import { CT_STATE } from "../../../../../src/netlink/nft/expr/ct.ts";
import { CLIENT } from "../../support/packets.ts";
import { recordedTables } from "./recorded.ts";

const DIRECTORY = new URL("../../../../testdata/legacy/", import.meta.url);

/** The same in the words of the program: `filter :INPUT DROP`, `filter -A INPUT -i lo -j ACCEPT`. */
function savedLines(family: Family): string[] {
  let table = "";
  return Deno.readTextFileSync(new URL(`rules.${family}.txt`, DIRECTORY)).split("\n").flatMap((line) => {
    if (line.startsWith("*")) table = line.slice(1);
    const policy = /^(:\S+ [A-Z]+) /.exec(line)?.[1];
    const said = policy ?? (line.startsWith("-A") ? line : undefined);
    return said === undefined ? [] : [`${table} ${said}`];
  });
}

function decoded(family: Family): FirewallChain[] {
  return recordedTables(family).flatMap(decodeLegacyTable);
}

function describe(table: LegacyTable): string[] {
  const chains = decodeLegacyTable(table);
  const policies = chains.map(({ chain: { name, base } }) => `:${name} ${base!.policy!.toUpperCase()}`);
  const rules = chains[0].table!.rules.map(({ chain, expressions }) =>
    `-A ${chain} ${formatRule(expressions, { tongue: "iptables", findSet: () => undefined })}`
  );
  return [...policies, ...rules].map((line) => `${table.name} ${line}`);
}

/** Words that differ, and how. The states and the options stand in an order of their own. */
const IN_OTHER_WORDS: readonly (readonly [saved: RegExp | string, decoded: string])[] = [
  [/ -m (tcp|udp) /, " "],
  ["RELATED,ESTABLISHED", "ESTABLISHED,RELATED"],
  ["--comment nothing", '--comment "nothing"'],
  [/ --(helper|to-destination|reject-with) \S+/, ""],
  ["! -f -o br-lan", "-o br-lan ! -f"],
  ["! -s 2001:db8::/32 -d fd00::1/128 -i br-lan", "-i br-lan ! -s 2001:db8::/32 -d fd00::1/128"],
];

/** Adds the rule that nobody has written at the end of each chain of a user. */
function withEnds(lines: readonly string[]): string[] {
  const userChain = (line = "") => /^\S+ -A (GUARD|LOGGED) /.exec(line)?.[1];
  return lines.flatMap((line, at) => {
    const name = userChain(line);
    return name === undefined || name === userChain(lines[at + 1])
      ? [line]
      : [line, `filter -A ${name} -j RETURN`];
  });
}

for (const family of FAMILIES) {
  Deno.test(`decodeLegacyTable() has the policies and rules that were saved, ${family}`, () => {
    const saved = savedLines(family).map((line) =>
      IN_OTHER_WORDS.reduce((text, [from, to]) => text.replace(from, to), line)
    );
    assert.deepEqual(recordedTables(family).flatMap(describe), withEnds(saved));
  });
}

Deno.test("decodeLegacyTable() places each chain at the hook and priority that its table has there", () => {
  const places = decoded("ipv4").map((of) =>
    `${describeChain(of)}: ${of.chain.base!.type} ${of.chain.base!.priority}`
  );
  assert.deepEqual(places, [
    "chain PREROUTING of iptables-legacy, table raw: filter -300",
    "chain OUTPUT of iptables-legacy, table raw: filter -300",
    "chain PREROUTING of iptables-legacy, table nat: nat -100",
    "chain INPUT of iptables-legacy, table nat: nat 100",
    "chain OUTPUT of iptables-legacy, table nat: nat -100",
    "chain POSTROUTING of iptables-legacy, table nat: nat 100",
    ...["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((name) =>
      `chain ${name} of iptables-legacy, table mangle: filter -150`
    ),
    "chain INPUT of iptables-legacy: filter 0",
    "chain FORWARD of iptables-legacy: filter 0",
    "chain OUTPUT of iptables-legacy: filter 0",
  ]);
});

/** The end of a packet in a chain of the table filter: `accept`, or `drop` and the chain of the rule. */
function end(family: Family, chain: string, packet: Partial<KnownPacket>): string {
  const { chain: base, table } = decoded(family).find(({ chain: { name, table } }) =>
    name === chain && table === "filter"
  )!;
  const source = family === "ipv4" ? { source: { bytes: Uint8Array.of(10, 0, 0, 0), length: 24 } } : {};
  const known = { ...CLIENT, ...source, family, mark: 0, ...packet };
  const { verdict, by, mayPass } = walkBaseChain(table!, base, known);
  return `${verdict} ${by?.chain ?? "policy"}${verdict === "drop" && mayPass ? " perhaps" : ""}`;
}

Deno.test("decodeLegacyTable(): jumps, gotos, policies and inverted options decide as in the kernel", () => {
  const lan = { input: { name: "br-lan", index: 3 } };
  const wan = { input: { name: "eth0", index: 2 } };
  const out = { output: { name: "eth0", index: 2 } };
  const later = { ctState: CT_STATE.established, tcpFlags: 0x10 };
  const ends: [string, string][] = [
    // `! -i eth+`
    [end("ipv4", "INPUT", { ...lan, destinationPort: 22 }), "accept INPUT"],
    [end("ipv4", "INPUT", { ...wan, destinationPort: 22 }), "drop GUARD"],
    // `--syn` in a chain that is jumped to, and back again, to one that does not come back
    [end("ipv4", "INPUT", { ...lan, destinationPort: 443 }), "drop GUARD"],
    [end("ipv4", "INPUT", { ...lan, protocol: "udp", sourcePort: 53, destinationPort: 443 }), "drop LOGGED"],
    [end("ipv4", "INPUT", { ...lan, ...later }), "accept INPUT"],
    [end("ipv4", "FORWARD", { ...lan, ...out }), "accept FORWARD"],
    [end("ipv4", "FORWARD", { ...wan, output: { name: "br-lan", index: 3 } }), "accept FORWARD"],
    [end("ipv4", "FORWARD", { ...wan, ...out }), "drop policy"],
    // `! -f` is every packet of a flow, and `-f` above was none.
    [end("ipv4", "OUTPUT", out), "accept policy"],
    [end("ipv4", "OUTPUT", { output: lan.input }), "drop OUTPUT"],
    // `-g GUARD`: what GUARD does not decide goes to the policy.
    [end("ipv6", "FORWARD", { ...lan, ...out }), "drop policy perhaps"],
    [end("ipv6", "FORWARD", { ...lan, ...out, destinationPort: 80 }), "drop policy"],
  ];
  assert.deepEqual(ends.map(([got]) => got), ends.map(([, expected]) => expected));
});
