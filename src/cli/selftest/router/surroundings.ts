/**
 * Surroundings as administrators have them on routers: rules that refuse, redirect and mark. Pure.
 * @module
 */
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import type { BaseChain } from "../../../netlink/nft/chain.ts";
import { type Family, parseIp } from "../../../net/ip.ts";
import {
  conntrackState,
  destinationPort,
  inputInterface,
  networkFamily,
  outputInterface,
  reject,
  setMarkBits,
  transport,
  verdict,
} from "../../../netlink/nft/phrases.ts";
import { portKey } from "../../../netlink/nft/sets/set_type.ts";
import { SERVICE_PORTS } from "../hosts/services.ts";
import { ADDRESSES } from "../addresses.ts";

/** The names of them. */
export type Surrounding = "forward-reject" | "dnat" | "marks" | "input-drop" | "output-drop";

/** A chain of a firewall. */
export interface SurroundingChain {
  readonly name: string;
  readonly base: BaseChain;
  readonly rules: readonly (readonly NftExpression[])[];
}

/** The mark by which another program routes. */
export const FOREIGN_MARK = 0x20000;

const ACCEPT = verdict("accept");
/** `meta l4proto ipv6-icmp accept`: without neighbour discovery there is no IPv6 at all. */
const ACCEPT_ICMPV6: readonly NftExpression[] = [
  { kind: "meta", direction: "load", key: "l4proto", register: 1 },
  { kind: "cmp", operator: "eq", register: 1, value: Uint8Array.of(58) },
  ...ACCEPT,
];
/** `ct state established,related accept` */
export const ACCEPT_ESTABLISHED: readonly NftExpression[] = [
  ...conntrackState(["established", "related"]),
  ...ACCEPT,
];

/** Chains of each. */
export const SURROUNDINGS: Readonly<Record<Surrounding, readonly SurroundingChain[]>> = {
  // What the administrator refuses: the echo service over TCP.
  "forward-reject": [{
    name: "forward",
    base: { type: "filter", hook: "forward", priority: 0, policy: "accept" },
    rules: [[
      ...inputInterface("r0"),
      ...transport("tcp"),
      ...destinationPort(SERVICE_PORTS.echo),
      ...reject("tcp-reset"),
    ]],
  }],
  // A forced redirection: the port where nobody listens leads to the report.
  dnat: [{
    name: "dstnat",
    base: { type: "nat", hook: "prerouting", priority: -100, policy: "accept" },
    rules: (["ipv4", "ipv6"] as const).flatMap((family) =>
      (["tcp", "udp"] as const).map((protocol) => redirectTo(family, protocol))
    ),
  }],
  marks: [{
    name: "mangle",
    base: { type: "filter", hook: "prerouting", priority: -150, policy: "accept" },
    rules: [[...inputInterface("r0"), ...setMarkBits(FOREIGN_MARK)]],
  }],
  "input-drop": [{
    name: "input",
    base: { type: "filter", hook: "input", priority: 0, policy: "drop" },
    rules: [[...inputInterface("lo"), ...ACCEPT], ACCEPT_ESTABLISHED, ACCEPT_ICMPV6],
  }],
  "output-drop": [{
    name: "output",
    base: { type: "filter", hook: "output", priority: 0, policy: "drop" },
    rules: [[...outputInterface("lo"), ...ACCEPT], ACCEPT_ESTABLISHED, ACCEPT_ICMPV6],
  }],
};

/** `dnat ip to SERVER:REPORT`, in an inet table. */
function redirectTo(family: Family, protocol: "tcp" | "udp"): NftExpression[] {
  const [addressRegister, portRegister] = [1, 2];
  return [
    ...inputInterface("r0"),
    ...networkFamily(family),
    ...transport(protocol),
    ...destinationPort(SERVICE_PORTS.nothing),
    { kind: "immediate", register: addressRegister, value: parseIp(ADDRESSES[family].server)!.bytes },
    { kind: "immediate", register: portRegister, value: portKey(SERVICE_PORTS.report) },
    {
      kind: "nat",
      type: "dnat",
      family: family === "ipv4" ? "ip" : "ip6",
      addressRegister,
      portRegister,
    },
  ];
}
