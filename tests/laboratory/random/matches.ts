/**
 * Random matches of nft's language, as administrators write them.
 * @module
 */
import { FIELD } from "../field/places.ts";
import type { Random } from "../proxy/policies.ts";

/** Marks that administrators give; some are whole numbers that others use too. */
export const MARKS = ["0x1", "0x2", "0x8", "0x10", "0x100", "0x40000", "0x20000000", "0xff"] as const;

/** Ports with a service, without one, and those where hosts say something else. */
export const PORTS = [80, 443, 8080, 22, 53, 21, 9, 7, 13, 17, 19] as const;

const SOURCES = ["client", "guest"] as const;
const TARGETS = ["server", "other", "anycast", "private"] as const;

/** Addresses of a family, or networks. */
function address(random: Random, names: readonly (keyof typeof FIELD)[], family: 4 | 6): string {
  const one = FIELD[random.one(names)][family];
  const network = family === 4 ? one.replace(/\d+$/, "0/24") : one.replace(/::\w+$/, "::/64");
  return random.chance(50) ? one : network;
}

type Make = (random: Random) => string;

const ip = (family: 4 | 6) => family === 4 ? "ip" : "ip6";

/** Matches of a flow's first packet that also hold for its later ones. */
const LASTING: readonly Make[] = [
  (r) => {
    const family = r.one([4, 6] as const);
    return `${ip(family)} saddr ${r.chance(20) ? "!= " : ""}${address(r, SOURCES, family)}`;
  },
  (r) => {
    const family = r.one([4, 6] as const);
    return `${ip(family)} daddr ${r.chance(20) ? "!= " : ""}${address(r, TARGETS, family)}`;
  },
  (r) => `meta l4proto ${r.one(["tcp", "udp"])}`,
  (r) => `meta nfproto ${r.one(["ipv4", "ipv6"])}`,
  (r) => `${r.one(["tcp", "udp", "th"])} dport ${ports(r)}`,
  (r) => `${r.one(["tcp", "udp"])} dport ${ports(r)}`,
  (r) => `th sport ${r.one(["20000-20009", "20000-20019", "< 20012"])}`,
];

/** Matches for the forward chain. */
const FORWARDED: readonly Make[] = [
  ...LASTING,
  (r) => `iifname ${r.one(["r0", "r4", '"r*"', "{ r0, r4 }"])}`,
  (r) => `iifname ${r.one(["r0", "r4"])}`,
  (r) => `oifname ${r.one(["r1", "r3", "r2", "{ r1, r3 }", "!= r1"])}`,
  (r) => `ct state ${r.one(["new", "new,established", "invalid", "untracked"])}`,
  (r) => `ct direction ${r.one(["original", "reply"])}`,
  (r) => `ct status ${r.one(["dnat", "snat", "& assured == 0"])}`,
  (r) => `meta l4proto tcp ct original proto-dst ${r.one(PORTS)}`,
  (r) => `ct original ${r.one([`ip saddr ${FIELD.client[4]}`, `ip daddr ${FIELD.anycast[4]}`])}`,
  (r) => `ct mark ${r.chance(50) ? "" : "!= "}${r.one(MARKS)}`,
  (r) => `meta mark ${r.one(["", "& 0xff == ", "!= ", "& 0x40000 == "])}${r.one(MARKS)}`,
  (r) => `${r.one(["ip", "ip6"])} dscp ${r.one(["cs0", "ef", "af21", "!= cs0"])}`,
  (r) => r.one(["ip ttl < 10", "ip ttl 63", "ip6 hoplimit < 10", "ip ttl > 60"]),
  (r) =>
    `tcp flags ${
      r.one(["& (syn | ack) == syn", "syn / fin,syn,rst,ack", "& (fin | syn | rst | ack) != syn", "ack"])
    }`,
  (r) => `tcp option maxseg size ${r.one(["> 1400", "< 1300", "1460", "1440"])}`,
  (r) => `tcp option ${r.one(["sack-perm", "timestamp", "window"])} ${r.one(["exists", "missing"])}`,
  (r) => `limit rate ${r.one(["", "over "])}1/hour burst ${1 + r.below(6)} packets`,
  (r) => `meta skuid ${r.one(["0", "!= 0", "65080"])}`,
  (r) =>
    `fib ${
      r.one(["saddr . iif oif missing", "daddr type local", "daddr type unicast", "saddr . iif oif exists"])
    }`,
  (r) => `meta length ${r.one(["< 60", "> 80", "> 1000"])}`,
  () => "meta iiftype ether",
  () => "meta pkttype host",
  (r) =>
    `rt ${
      r.one([
        `ip nexthop ${FIELD.server[4]}`,
        `ip6 nexthop ${FIELD.other[6]}`,
        `ip nexthop ${FIELD.other[4]}`,
      ])
    }`,
  (r) => `meta priority ${r.one(["0", "none"])}`,
  (r) => `ct packets ${r.one(["< 2", "> 5"])}`,
  (r) => `ip frag-off & 0x4000 ${r.one(["== 0", "!= 0"])}`,
  (r) => `ip id ${r.one(["0", "!= 0"])}`,
  (r) => `ether type ${r.one(["ip", "ip6"])}`,
  (r) => `tcp window ${r.one(["> 1000", "< 1000"])}`,
  () => "tcp ackseq 0",
  () => "meta cgroup 0",
  () => "meta rtclassid 0",
  (r) => `numgen inc mod ${2 + r.below(2)} 0`,
  (r) => `jhash ip saddr . tcp dport mod 2 seed 0x7 ${r.below(2)}`,
];

/** Ports as nft writes some. */
export function ports(random: Random): string {
  return random.chance(50) ? String(random.one(PORTS)) : `{ ${[...new Set(random.some(PORTS))].join(", ")} }`;
}

/** One to three matches of a new flow in the forward chain. */
export function forwarded(random: Random): string {
  return join(random, FORWARDED);
}

/** One to three matches that hold for all packets of a flow's direction. */
export function lasting(random: Random): string {
  return join(random, LASTING);
}

/** Matches that nft takes beside each other. */
function join(random: Random, makes: readonly Make[]): string {
  const words: string[] = [];
  for (const make of random.some(makes)) {
    const word = make(random);
    if (agree([...words, word].join(" "))) words.push(word);
  }
  return words.join(" ");
}

const PROTOCOLS = [
  /\btcp (dport|sport|flags|option|window|ackseq)|l4proto tcp|\. tcp/,
  /\budp (dport|sport)|l4proto udp/,
];
const FAMILIES = [
  /\bip (saddr|daddr|ttl|dscp|id|frag-off|nexthop)|nfproto ipv4|type ip\b/,
  /\bip6 |nfproto ipv6|type ip6/,
];
const ONCE = [
  /\bdport/g,
  /\bsport/g,
  /\bsaddr/g,
  /\bdaddr/g,
  /l4proto|\b(tcp|udp) /g,
  /nfproto|\bip6? |ether type/g,
];

/** Tells whether nft takes these matches beside each other. */
export function agree(words: string): boolean {
  return [PROTOCOLS, FAMILIES].every((pair) => !pair.every((each) => each.test(words))) &&
    ONCE.every((each) => (words.match(each) ?? []).length < 2);
}
