/**
 * Routing rules in the words of ip(8). Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import { formatPrefix } from "../../net/ip.ts";
import { RULE_ACTIONS, type RuleAction } from "./rule_action.ts";
import type { MaskedNumber, NumberRange, PortSelector, RuleSelectors } from "./rule_selectors.ts";

const PROTOCOLS: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp" };

/** `tcp`; the number where it has no name here. */
export function formatIpProtocol(number: number): string {
  return PROTOCOLS[number] ?? String(number);
}

/** `not from 10.0.0.0/8 fwmark 0x1/0x1 iif lan0`; the empty string for a rule that all packets come under. */
export function formatSelectors(rule: RuleSelectors): string {
  const { from, to, tos, ipProtocol, sourcePorts, destinationPorts, users, dscp, flowLabel } = rule;
  const parts: (string | false | undefined)[] = [
    rule.inverted && "not",
    from && `from ${formatPrefix(from)}`,
    to && `to ${formatPrefix(to)}`,
    tos !== undefined && `tos ${hex(tos)}`,
    rule.mask !== 0 && `fwmark ${hex(rule.mark)}${rule.mask === 0xffffffff ? "" : `/${hex(rule.mask)}`}`,
    rule.iifname !== undefined && `iif ${rule.iifname}`,
    rule.oifname !== undefined && `oif ${rule.oifname}`,
    rule.l3mdev && "l3mdev",
    users && `uidrange ${formatRange(users)}`,
    ipProtocol !== undefined && `ipproto ${formatIpProtocol(ipProtocol)}`,
    sourcePorts && `sport ${formatPorts(sourcePorts)}`,
    destinationPorts && `dport ${formatPorts(destinationPorts)}`,
    rule.tunnelId !== undefined && `tun_id ${rule.tunnelId}`,
    dscp && `dscp ${formatMasked(dscp)}`,
    flowLabel && `flowlabel ${formatMasked(flowLabel)}`,
    ...(rule.others ?? []).map(({ type }) => `attribute-${type}`),
  ];
  return parts.filter(Boolean).join(" ");
}

/** `lookup 100`, `goto 600`, `blackhole`, and what belongs to it. */
export function formatAction(rule: RuleAction & Pick<RuleSelectors, "l3mdev">): string {
  const { suppressPrefixLength, suppressInterfaceGroup, realms } = rule;
  const parts: (string | false | undefined)[] = [
    formatVerb(rule),
    suppressPrefixLength !== undefined && `suppress_prefixlength ${suppressPrefixLength}`,
    suppressInterfaceGroup !== undefined && `suppress_ifgroup ${suppressInterfaceGroup}`,
    realms && `realms ${realms.source === 0 ? "" : `${realms.source}/`}${realms.destination}`,
  ];
  return parts.filter(Boolean).join(" ");
}

function formatVerb({ action, table, goto, l3mdev }: RuleAction & Pick<RuleSelectors, "l3mdev">): string {
  if (action === RULE_ACTIONS.goto) return `goto ${goto ?? "nowhere"}`;
  // The table is that of the packet's VRF.
  if (action === undefined) return l3mdev && table === 0 ? "lookup [l3mdev-table]" : `lookup ${table}`;
  return Object.entries(RULE_ACTIONS).find(([, number]) => number === action)?.[0] ?? `action ${action}`;
}

function formatRange({ first, last }: NumberRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function formatPorts(ports: PortSelector): string {
  return ports.mask === undefined ? formatRange(ports) : `${ports.first}/${hex(ports.mask)}`;
}

function formatMasked({ value, mask }: MaskedNumber): string {
  return mask === undefined ? hex(value) : `${hex(value)}/${hex(mask)}`;
}
