/**
 * The conditions of a routing rule. Pure.
 * @module
 */
import type { Prefix } from "../../net/ip.ts";
import type { Attribute } from "../attribute.ts";

/** Numbers from the first to the last. */
export interface NumberRange {
  /** The lowest. */
  readonly first: number;
  /** The highest. */
  readonly last: number;
}

/** Ports of a rule: a range, or one port of which some bits do not count. */
export interface PortSelector extends NumberRange {
  /** Bits that count; all where it is absent. */
  readonly mask?: number;
}

/** A number of which some bits do not count. */
export interface MaskedNumber {
  /** The number. */
  readonly value: number;
  /** Bits that count; all where it is absent. */
  readonly mask?: number;
}

/** Marks of a packet that comes under a rule; an absent one is not asked for. */
export interface RuleSelectors {
  /** 0 with mask 0: any mark. */
  readonly mark: number;
  /** Bits of the mark that count (FRA_FWMASK). */
  readonly mask: number;
  /** Incoming interface (FRA_IIFNAME). */
  readonly iifname?: string;
  /** Outgoing interface that a socket is bound to (FRA_OIFNAME). */
  readonly oifname?: string;
  /** FRA_SRC. */
  readonly from?: Prefix;
  /** FRA_DST. */
  readonly to?: Prefix;
  /** The TOS byte, or the traffic class of IPv6. */
  readonly tos?: number;
  /** The six bits of DSCP (FRA_DSCP, since Linux 6.12; with a mask since 6.15). */
  readonly dscp?: MaskedNumber;
  /** The flow label of IPv6 (FRA_FLOWLABEL, since Linux 6.14). */
  readonly flowLabel?: MaskedNumber;
  /** IPPROTO_* (FRA_IP_PROTO). */
  readonly ipProtocol?: number;
  /** FRA_SPORT_RANGE; with a mask since Linux 6.15. */
  readonly sourcePorts?: PortSelector;
  /** FRA_DPORT_RANGE; with a mask since Linux 6.15. */
  readonly destinationPorts?: PortSelector;
  /** Users of local sockets (FRA_UID_RANGE). */
  readonly users?: NumberRange;
  /** Key of the tunnel that the packet came by (FRA_TUN_ID). */
  readonly tunnelId?: bigint;
  /** The packet belongs to a VRF, whose table the rule then leads to (FRA_L3MDEV). */
  readonly l3mdev?: boolean;
  /** `ip rule add not …`: the rule is for the packets that do not fit, the mark included. */
  readonly inverted?: boolean;
  /**
   * Attributes that this program does not know, as they were read: conditions of a newer kernel. They are
   * written back.
   */
  readonly others?: readonly Attribute[];
}

const BEYOND_MARK_AND_INTERFACE = [
  "oifname",
  "tos",
  "dscp",
  "flowLabel",
  "ipProtocol",
  "sourcePorts",
  "destinationPorts",
  "users",
  "tunnelId",
  "l3mdev",
  "others",
] as const satisfies readonly (keyof RuleSelectors)[];

/**
 * Tells whether a rule asks for more than a mark and an incoming interface: it is not for all packets that
 * have these.
 */
export function isNarrow(selectors: RuleSelectors): boolean {
  const { from, to } = selectors;
  return (from?.length ?? 0) > 0 || (to?.length ?? 0) > 0 ||
    BEYOND_MARK_AND_INTERFACE.some((key) => selectors[key] !== undefined);
}
