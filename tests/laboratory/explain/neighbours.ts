/**
 * Random rules of a router's other programs: forward chains, NAT, marks and policy routing. Pure.
 * @module
 */
import type { Random } from "../proxy/policies.ts";

/** Text for `nft -f`, and commands for `ip -4 -batch` and `ip -6 -batch`. */
export interface OtherRules {
  readonly nft: string;
  readonly ip: Readonly<Record<4 | 6, string>>;
}

/** The surroundings: links of the LAN and of both ways out, and what is behind the second. */
export interface OtherWorld {
  readonly lan: readonly string[];
  readonly wan: readonly string[];
  readonly second: { readonly ipv4: string; readonly ipv6: string };
  /** Source addresses that NAT may give. */
  readonly given: { readonly ipv4: string; readonly ipv6: string };
  /** NAT of destinations too. */
  readonly redirects: boolean;
}

const NETWORKS = {
  ip: ["10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/9", "192.0.2.0/24", "128.0.0.0/1", "198.51.100.7"],
  ip6: ["fd01::/16", "fd01:2::/32", "2001:db8:1::/48", "8000::/1", "fd01:2::3"],
} as const;
const PORTS = ["53", "80", "443", "80-90", "1-79", "{ 53, 443, 1000-2000 }", "1024-65535"] as const;
const MARK = "0x100";
/** A table that leads through the second way out, and one that leads nowhere. */
const TABLES = { table: 200, nowhere: 201 } as const;
const RULE_PRIORITY = 900;

/** Makes some. */
export function randomOthers(random: Random, world: OtherWorld): OtherRules {
  const filter = Array.from({ length: random.below(5) }, () => {
    const verdict = random.one(["accept", "drop", "reject"]);
    return `${conditions(random, { ...world, forwarded: true })} ${verdict}`;
  });
  const nat = Array.from({ length: random.below(3) }, () => sourceNat(random, world));
  const redirects = world.redirects && random.chance(60) ? [destinationNat(random)] : [];
  const marks = random.chance(50) ? [`${conditions(random, world)} meta mark set meta mark | ${MARK}`] : [];
  return {
    nft: `table inet others {
      chain marks { type filter hook prerouting priority mangle; ${marks.join("; ")}; }
      chain destinations { type nat hook prerouting priority dstnat; ${redirects.join("; ")}; }
      chain forwarding {
        type filter hook forward priority filter; policy ${random.one(["accept", "accept", "drop"])};
        ct state established,related accept
        ${random.chance(50) ? "ct status dnat accept" : ""}
        ${filter.join("\n")}
        ${random.chance(30) ? "jump further" : ""}
      }
      chain sources { type nat hook postrouting priority srcnat; ${nat.join("; ")}; }
      chain further { ${conditions(random, { ...world, forwarded: true })} ${random.one(["return", "drop"])}
        meta l4proto udp accept; }
    }`.replaceAll("; ; }", "; }"),
    ip: routing(random, world),
  };
}

function conditions(
  random: Random,
  { lan, wan, forwarded = false }: Pick<OtherWorld, "lan" | "wan"> & { readonly forwarded?: boolean },
): string {
  const family = random.one(["ip", "ip6"] as const);
  return [
    ...(random.chance(30) ? [`iifname "${random.one(lan)}"`] : []),
    ...(forwarded && random.chance(30) ? [`oifname "${random.one(wan)}"`] : []),
    ...(random.chance(35) ? [`${family} saddr ${random.one(NETWORKS[family])}`] : []),
    ...(random.chance(35) ? [`${family} daddr ${random.one(NETWORKS[family])}`] : []),
    ...(random.chance(20) ? [`meta l4proto ${random.one(["tcp", "udp"])}`] : []),
    `th dport ${random.chance(60) ? random.one(PORTS) : "1-65535"}`,
  ].join(" ");
}

function sourceNat(random: Random, { wan, given }: OtherWorld): string {
  const ip = random.one(["ip", "ip6"] as const);
  const to = random.chance(60)
    ? "masquerade"
    : ip === "ip"
    ? `snat ip to ${given.ipv4}`
    : `snat ip6 to ${given.ipv6}`;
  const from = random.chance(50) || to !== "masquerade" ? `${ip} saddr ${random.one(NETWORKS[ip])} ` : "";
  return `oifname "${random.one(wan)}" ${from}${to}`;
}

function destinationNat(random: Random): string {
  const port = random.one(PORTS);
  return random.chance(50)
    ? `ip daddr ${random.one(NETWORKS.ip)} tcp dport ${port} dnat ip to 198.51.100.8:444`
    : `th dport ${port} ip6 daddr ${random.one(NETWORKS.ip6)} dnat ip6 to 2001:db8:2::9`;
}

function routing(random: Random, { lan, second }: OtherWorld): OtherRules["ip"] {
  const { table, nowhere } = TABLES;
  const type = random.one(["blackhole", "unreachable", "prohibit"]);
  const selector = random.one([
    `fwmark ${MARK}/${MARK}`,
    `iif ${random.one(lan)} ipproto udp`,
    "ipproto tcp dport 443",
  ]);
  const commands = (gateway: string) => `
    route replace default via ${gateway} table ${table}
    route replace ${type} default table ${nowhere}
    rule add priority ${RULE_PRIORITY} ${selector} lookup ${random.one([table, nowhere])}`;
  return { 4: commands(second.ipv4), 6: commands(second.ipv6) };
}

/** Takes the rules of {@linkcode randomOthers} away again. */
export const FORGET: OtherRules = {
  nft: "delete table inet others",
  ip: { 4: forgetRouting(), 6: forgetRouting() },
};

function forgetRouting(): string {
  return `
    rule del priority ${RULE_PRIORITY}
    route flush table ${TABLES.table}
    route flush table ${TABLES.nowhere}`;
}
