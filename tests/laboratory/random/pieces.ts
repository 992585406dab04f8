/**
 * Random pieces of a router: filters, marks, NAT.
 * @module
 */
import { FIELD } from "../field/places.ts";
import type { Random } from "../proxy/policies.ts";
import { agree, forwarded, lasting, MARKS, ports } from "./matches.ts";
import type { ChainName, Piece } from "./router.ts";

const REJECTS = [
  "reject",
  "reject with icmpx port-unreachable",
  "reject with icmpx admin-prohibited",
  "reject with icmpx host-unreachable",
  "reject with icmpx no-route",
] as const;

function rule(chain: ChainName, words: string, sets?: string): Piece {
  return { kind: "rule", chain, rule: words, ...sets === undefined ? {} : { sets } };
}

/** A verdict of a filter. */
function verdict(random: Random): string {
  if (random.chance(35)) return "accept";
  if (random.chance(35)) return "drop";
  if (random.chance(15)) return "meta l4proto tcp reject with tcp reset";
  return random.one(REJECTS);
}

/** Statements without a verdict, in the forward chain. */
function statement(random: Random): string {
  const mark = random.one(MARKS);
  return random.one([
    `meta mark set ${mark}`,
    `meta mark set meta mark | ${mark}`,
    `ct mark set ${mark}`,
    `ct mark set ct mark | ${mark}`,
    "ct mark set meta mark",
    "meta mark set ct mark",
    `meta priority set 1:${1 + random.below(9)}`,
    "counter",
  ]);
}

/** The forward chain, in a table of one priority or of two. */
export function filterPieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  if (random.chance(35)) {
    pieces.push({ kind: "policy", chain: "forward" });
    pieces.push(
      rule(
        "forward",
        `iifname { r0, r4 } ${random.one(["", "oifname { r1, r3 } "])}${
          random.chance(50) ? `th dport != ${ports(random)} ` : ""
        }accept`,
      ),
    );
    if (random.chance(70)) pieces.push(rule("forward", `iifname { r1, r3 } ct status dnat accept`));
  }
  for (let count = random.below(6); count > 0; count--) {
    const chain = random.chance(75) ? "forward" : "later";
    pieces.push(
      rule(chain, `${forwarded(random)} ${random.chance(75) ? verdict(random) : statement(random)}`),
    );
  }
  if (random.chance(12)) {
    const over = 1 + random.below(3);
    pieces.push(
      rule(
        "forward",
        `tcp dport ${ports(random)} add @conn { ip saddr ct count over ${over} } ${
          random.one(["drop", "reject"])
        }`,
        "set conn { type ipv4_addr; flags dynamic; size 128; }",
      ),
    );
  }
  if (random.chance(12)) {
    pieces.push(
      rule(
        "forward",
        `tcp dport ${ports(random)} add @knocked { ip saddr timeout 60s }`,
        "set knocked { type ipv4_addr; flags dynamic,timeout; size 128; }",
      ),
      rule(
        "forward",
        `meta l4proto tcp tcp dport ${ports(random)} ip saddr ${random.one(["@knocked", "!= @knocked"])} ${
          verdict(random)
        }`,
        "set knocked { type ipv4_addr; flags dynamic,timeout; size 128; }",
      ),
    );
  }
  return pieces;
}

/** Input and output, in which established flows pass. */
export function ownPieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  for (const chain of ["input", "output"] as const) {
    if (!random.chance(40)) continue;
    if (random.chance(60)) pieces.push({ kind: "policy", chain });
    for (let count = random.below(3); count > 0; count--) {
      pieces.push(rule(chain, `${lasting(random)} ${verdict(random)}`));
    }
  }
  return pieces;
}

/** Marks, DSCP, TTL, MSS, and what is not to be tracked. */
export function manglePieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  for (let count = random.below(4); count > 0; count--) {
    const mark = random.one(MARKS);
    const set = random.one([
      `meta mark set ${mark}`,
      `meta mark set meta mark | ${mark}`,
      `meta mark set meta mark & 0xffffff00 | ${mark}`,
      `ct mark set ${mark}`,
      "ct mark set meta mark",
      "meta mark set ct mark",
    ]);
    const chain = random.one(["marking", "marking", "mangling", "leaving", "rerouting"] as const);
    pieces.push(rule(chain, `${random.chance(70) ? `${lasting(random)} ` : ""}${set}`));
  }
  if (random.chance(15)) {
    pieces.push(
      rule(
        "mangling",
        `tcp flags & (syn | rst) == syn tcp option maxseg size set ${random.one(["1200", "1300", "rt mtu"])}`,
      ),
    );
  }
  if (random.chance(15)) {
    const chain = random.one(["mangling", "leaving", "marking"] as const);
    const dscp = random.one(["ef", "af21", "cs1", "cs0"]);
    const words = `${random.chance(50) ? `${lasting(random)} ` : ""}${
      random.one(["ip", "ip6"])
    } dscp set ${dscp}`;
    if (agree(words)) pieces.push(rule(chain, words));
  }
  if (random.chance(8)) {
    pieces.push(
      rule(
        random.one(["mangling", "leaving"] as const),
        random.one(["ip ttl set 64", "ip6 hoplimit set 64", "ip ttl set 5"]),
      ),
    );
  }
  // No notrack and no zones: the proxy's dial for such a flow is tracked in zone 0, and NAT takes place.
  return pieces;
}

/** Source NAT, port forwards, redirects, hairpins. */
export function natPieces(random: Random): Piece[] {
  const pieces: Piece[] = [];
  if (random.chance(50)) {
    pieces.push(rule(
      "srcnat",
      random.one([
        "oifname r1 masquerade",
        "oifname { r1, r3 } masquerade",
        "iifname { r0, r4 } masquerade",
        "oifname r1 meta l4proto { tcp, udp } masquerade to :50000-50500",
        "oifname r1 masquerade persistent",
        `oifname r1 ${lasting(random)} masquerade`,
        `oifname r1 snat ip to ${FIELD.wan[4]}`,
        "oifname r1 snat ip to 203.0.113.9-203.0.113.12",
        "oifname r1 snat ip to 203.0.113.9-203.0.113.12 persistent",
        `oifname r3 snat ip6 to ${FIELD.wan2[6]}`,
        `meta mark ${random.one(MARKS)} masquerade`,
        `oifname r1 snat ip prefix to ip saddr map { 10.77.1.0/24 : 198.51.100.0/24 }`,
      ]),
    ));
    if (random.chance(30)) pieces.push(rule("srcnat", "oifname r3 masquerade"));
  }
  for (let count = random.chance(50) ? random.below(4) : 0; count > 0; count--) {
    const lan = "iifname { r0, r4 }";
    pieces.push(rule(
      "dstnat",
      random.one([
        `iifname r1 ip daddr ${FIELD.wan[4]} tcp dport ${ports(random)} dnat ip to ${FIELD.client[4]}:80`,
        `iifname { r1, r3 } meta l4proto { tcp, udp } th dport 8080 dnat ip to ${FIELD.guest[4]}`,
        `iifname r1 ip6 daddr ${FIELD.wan[6]} tcp dport ${ports(random)} dnat ip6 to ${FIELD.client[6]}`,
        `${lan} meta l4proto { tcp, udp } th dport 53 dnat ip to ${FIELD.other[4]}`,
        `${lan} meta l4proto { tcp, udp } th dport 53 dnat ip6 to [${FIELD.other[6]}]:53`,
        `${lan} ip daddr ${FIELD.anycast[4]} tcp dport ${ports(random)} dnat ip to ${FIELD.server[4]}:8080`,
        `${lan} ip daddr ${FIELD.nowhere[4]} dnat ip to ${FIELD.server[4]}`,
        `${lan} ip6 daddr ${FIELD.nowhere[6]} dnat ip6 to ${FIELD.server[6]}`,
        `${lan} udp dport ${ports(random)} redirect to :53`,
        `${lan} tcp dport ${ports(random)} redirect to :8080`,
        `${lan} ip daddr ${FIELD.anycast[4]} meta l4proto tcp dnat ip to numgen inc mod 2 map { 0 : ${
          FIELD.server[4]
        }, 1 : ${FIELD.other[4]} }`,
        `${lan} ip daddr ${
          FIELD.anycast[4]
        } meta l4proto tcp dnat ip to jhash ip saddr . tcp sport mod 2 seed 0x7 map { 0 : ${
          FIELD.server[4]
        }, 1 : ${FIELD.private[4]} }`,
        // Hairpins: an address of the WAN from the inside.
        `ip daddr ${FIELD.wan[4]} tcp dport 80 dnat ip to ${FIELD.guest[4]}`,
        `ip daddr ${FIELD.wan[4]} tcp dport 443 dnat ip to ${FIELD.private[4]}`,
        `${lan} ip daddr ${FIELD.lan[4]} tcp dport 443 dnat ip to ${FIELD.server[4]}`,
        `${lan} ip dscp ef meta l4proto tcp dnat ip to ${FIELD.other[4]}`,
        `${lan} ct mark ${random.one(MARKS)} ip daddr ${
          FIELD.anycast[4]
        } meta l4proto { tcp, udp } dnat ip to ${FIELD.private[4]}`,
      ]),
    ));
  }
  if (random.chance(10)) {
    pieces.push(rule(
      "outnat",
      random.one([
        `ip daddr ${FIELD.anycast[4]} dnat ip to ${FIELD.server[4]}`,
        `tcp dport ${ports(random)} redirect to :8080`,
        `udp dport 53 dnat ip to ${FIELD.other[4]}`,
        `ip6 daddr ${FIELD.anycast[6]} dnat ip6 to ${FIELD.other[6]}`,
      ]),
    ));
  }
  if (random.chance(4)) pieces.push(rule("innat", "ip saddr 10.77.1.0/24 snat ip to 10.77.1.1"));
  return pieces;
}
