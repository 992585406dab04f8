/**
 * Rules of others that look at more than the first packet of a flow, or change more. Pure.
 * @module
 */
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import type { NftExpression, UnknownExpression } from "../../netlink/nft/expression.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { KnownPacket } from "../packet/known_packet.ts";
import { walkBaseChain } from "../packet/packet_walk.ts";
import { attributesOf, readXtablesPart } from "../packet/xtables_part.ts";
import type { Situation } from "../situation.ts";
import { type FirewallChain, sees } from "./chain.ts";
import { listPackets } from "./packets.ts";

/** Expressions of nf_tables that count, or draw lots, by packets. */
const BY_PACKETS = ["quota", "limit", "numgen"];
/** Matches of xtables that do so, or that look into what a packet carries. */
const MATCHES = [
  ...["quota", "quota2", "limit", "hashlimit", "statistic", "connbytes", "length"],
  ...["string", "u32", "bpf", "layer7", "ndpi"],
];
/** Targets that change packets, or give them to another program. */
const TARGETS = ["TTL", "HL", "DSCP", "TOS", "NFQUEUE"];
/** The smallest header of TCP; ports and flags are in it. */
const HEADER = 20;
// linux/netfilter/nf_tables.h: enum nft_payload_attributes, nft_ct_attributes, nft_ct_keys (packets, bytes,
// and their mean), nft_objref_attributes, NFT_OBJECT_* (counter, quota, limit)
const NFTA_PAYLOAD_SREG = 5;
const NFTA_CT_KEY = 2;
const CT_VOLUMES = [14, 15, 16];
const NFTA_OBJREF_IMM_TYPE = 1;
const COUNTER_OBJECT = 1;
const VOLUME_OBJECTS = [2, 4];

/** Finds such rules at the forward hook that later packets of an intercepted flow would come to. */
export function findForLater(of: FirewallChain, situation: Situation): NftRule[] {
  const { chain, table } = of;
  if (table === undefined) return [];
  const met = new Set<NftRule>();
  for (const family of situation.families) {
    for (const { packet } of listPackets("forward", family, situation)) {
      for (const later of [laterOf(packet), answerTo(packet)]) {
        if (sees(of, later)) walkBaseChain(table, chain, later, { visit: (rule) => void met.add(rule) });
      }
    }
  }
  return table.rules.filter((rule) => met.has(rule) && concernsLater(rule.expressions));
}

function laterOf({ tcpFlags: _, ...packet }: KnownPacket): KnownPacket {
  return { ...packet, ctState: CT_STATE.established };
}

function answerTo(
  { family, protocol, mark, input, output, source, destinationPort }: KnownPacket,
): KnownPacket {
  return {
    family,
    protocol,
    mark,
    ctState: CT_STATE.established,
    ...(output === undefined ? {} : { input: output }),
    ...(input === undefined ? {} : { output: input }),
    ...(source === undefined ? {} : { destination: source }),
    ...(destinationPort === undefined ? {} : { sourcePort: destinationPort }),
  };
}

/** Tells whether a rule has an effect by or on more than the first packet. */
export function concernsLater(expressions: readonly NftExpression[]): boolean {
  return expressions.some(isForLater) || countsAlone(expressions);
}

function isForLater(expression: NftExpression): boolean {
  switch (expression.kind) {
    case "meta":
      return expression.direction === "load" && expression.key === "length";
    case "payload":
      return expression.base === "inner" || expression.base === "transport" && expression.offset >= HEADER;
    case "payload-write":
    case "queue":
      return true;
    case "unknown":
      return isUnknownForLater(expression);
    default:
      return false;
  }
}

function isUnknownForLater(expression: UnknownExpression): boolean {
  const { name } = expression;
  if (name === "match") return MATCHES.includes(readXtablesPart(expression, "match")?.name ?? "");
  if (name === "target") return TARGETS.includes(readXtablesPart(expression, "target")?.name ?? "");
  if (name === "objref") return VOLUME_OBJECTS.includes(objectType(expression) ?? 0);
  // A write that mends a checksum.
  if (name === "payload") return attributesOf(expression)?.has(NFTA_PAYLOAD_SREG) === true;
  // An element with a limit or a counter of its own: this program reads no other.
  if (name === "dynset") return true;
  if (name === "ct") return CT_VOLUMES.includes(attributesOf(expression)?.u32be(NFTA_CT_KEY) ?? 0);
  return BY_PACKETS.includes(name);
}

/** A rule of accounting: it counts, and does nothing else. */
function countsAlone(expressions: readonly NftExpression[]): boolean {
  const last = expressions.at(-1);
  if (last?.kind === "unknown") return last.name === "objref" && objectType(last) === COUNTER_OBJECT;
  return last?.kind === "counter";
}

/** The type of the object that an expression `objref` names: NFT_OBJECT_* of linux/netfilter/nf_tables.h. */
export function objectType(expression: UnknownExpression): number | undefined {
  return attributesOf(expression)?.u32be(NFTA_OBJREF_IMM_TYPE);
}
