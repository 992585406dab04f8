/**
 * Policy-routing rules: which routing table a packet is looked up in. The codec is pure.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import {
  familyNumber,
  familyOf,
  readRouteBody,
  routeRequest,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWRULE,
} from "./message.ts";
import {
  ACTION_ATTRIBUTES,
  fillActionHeader,
  readAction,
  type RuleAction,
  writeAction,
} from "./rule_action.ts";
import {
  fillSelectorHeader,
  readSelectors,
  SELECTOR_ATTRIBUTES,
  writeAddresses,
  writeSelectors,
} from "./selector_codec.ts";
import type { RuleSelectors } from "./rule_selectors.ts";
import { formatAction, formatSelectors } from "./rule_text.ts";

/**
 * sizeof(struct fib_rule_hdr): family, dst_len, src_len, tos, table, res1, res2, action (u8 each), flags
 * (u32).
 */
const HEADER_SIZE = 12;
// linux/fib_rules.h
const FRA_PRIORITY = 6;
const FRA_PAD = 18;
const FRA_PROTOCOL = 21;
const KNOWN: readonly number[] = [
  FRA_PRIORITY,
  FRA_PAD,
  FRA_PROTOCOL,
  ...SELECTOR_ATTRIBUTES,
  ...ACTION_ATTRIBUTES,
];

/** A rule that sends packets to a table. */
export interface RoutingRule extends RuleSelectors, RuleAction {
  /** Address family. */
  readonly family: Family;
  /** Lower comes first. */
  readonly priority: number;
  /** Its maker: rtnetlink's protocol number. */
  readonly protocol: number;
}

/** The body of RTM_NEWRULE and RTM_DELRULE. */
export function encodeRoutingRule(rule: RoutingRule): Uint8Array {
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(rule.family);
  fillSelectorHeader(structure, rule);
  fillActionHeader(structure, rule);
  const writer = new AttributeWriter().structure(structure);
  writeAddresses(writer, rule);
  writer.u32(FRA_PRIORITY, rule.priority);
  writeSelectors(writer, rule);
  writeAction(writer, rule);
  for (const { type, data } of rule.others ?? []) writer.bytes(type, data);
  return writer.u8(FRA_PROTOCOL, rule.protocol).finish();
}

/** Reads the body of RTM_NEWRULE; undefined for families other than IP. */
export function decodeRoutingRule(body: Uint8Array): RoutingRule | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const family = familyOf(structure.getUint8(0));
  if (family === undefined) return undefined;
  const others = attributes.types().filter((type) => !KNOWN.includes(type));
  return {
    family,
    priority: attributes.u32(FRA_PRIORITY) ?? 0,
    protocol: attributes.u8(FRA_PROTOCOL) ?? 0,
    ...readAction(structure, attributes),
    ...readSelectors(structure, attributes),
    ...(others.length === 0
      ? {}
      : { others: others.map((type) => ({ type, data: attributes.bytes(type)!.slice() })) }),
  };
}

/** The rules of a family, in the order of evaluation. Equivalent to: ip rule show */
export function listRules(connection: NetlinkConnection, family: Family): RoutingRule[] {
  const header = new Uint8Array(HEADER_SIZE);
  header[0] = familyNumber(family);
  return connection.dump(routeRequest(RTM_GETRULE, header), {
    operation: "list routing rules",
    object: family,
  })
    .filter((message) => message.type === RTM_NEWRULE)
    .flatMap((message) => decodeRoutingRule(message.body) ?? [])
    .filter((rule) => rule.family === family);
}

/**
 * Adds a rule; EEXIST if the same is there. Equivalent to: ip rule add priority 500 fwmark 1/1 iif lan0
 * lookup 100 protocol 50
 */
export function addRule(connection: NetlinkConnection, rule: RoutingRule): void {
  connection.execute(routeRequest(RTM_NEWRULE, encodeRoutingRule(rule), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add routing rule",
    object: formatRule(rule),
  });
}

/**
 * Deletes the first rule with all these properties. Equivalent to: ip rule delete priority 500 fwmark 1/1 iif
 * lan0 lookup 100 protocol 50
 */
export function deleteRule(connection: NetlinkConnection, rule: RoutingRule): void {
  connection.execute(routeRequest(RTM_DELRULE, encodeRoutingRule(rule)), {
    operation: "delete routing rule",
    object: formatRule(rule),
  });
}

/** Writes a rule in the words of ip(8): `ipv4 priority 500 fwmark 0x1/0x1 iif lan0 lookup 100`. */
export function formatRule(rule: RoutingRule): string {
  return [rule.family, `priority ${rule.priority}`, formatSelectors(rule), formatAction(rule)]
    .filter(Boolean).join(" ");
}
