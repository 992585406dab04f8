/**
 * The decision on new flows of the router: the chains `router_new`, `router_block`, `router_direct`. Pure.
 * @module
 */
import { type Family, parsePrefix } from "../../../net/ip.ts";
import { prefixRange } from "../../../net/ranges.ts";
import type { OpenChain } from "../contribution.ts";
import { goTo, LEAVE, PASS } from "../rules/effect.ts";
import type { PlannedRule } from "../model.ts";
import { EXEMPT_OWN, planFailure, refuseFlows, UDP } from "../phrases.ts";
import type { Scope } from "../scope.ts";
import type { PlannedSet } from "../rules/set.ts";
import { applyRules, effectOf, type Ends, passOtherPorts } from "./decision.ts";
import { passUpstreams } from "./upstreams.ts";
import { RUNNING_SET } from "../../liveness/sign_size.ts";

/** The chain to which new flows go. */
export const ROUTER_NEW_CHAIN = "router_new";
/** The chain for flows that the proxy should have, or has already. */
export const ROUTER_DIRECT_CHAIN = "router_direct";
const BLOCK_CHAIN = "router_block";
const EXEMPT_PORTS_SET = "spared_ports";

/** RFC 3927, RFC 4291: what is addressed so is on the link, and nowhere else. */
const LINK_LOCAL: Readonly<Record<Family, string>> = { ipv4: "169.254.0.0/16", ipv6: "fe80::/10" };
/**
 * DHCP, on which the router's own addresses may depend; IKE, 500 and 4500; and the tunnels whose other end
 * answers to this port, whatever the packet's own is: VXLAN, 4789 and Linux' own 8472, Geneve, 6081. RFC
 * 2131, 8415, 7296, 7348, 8926.
 */
const EXEMPT_PORTS = [[67, 68], [500, 500], [546, 547], [4500, 4500], [4789, 4789], [6081, 6081], [
  8472,
  8472,
]];

/** Plans the sets of what is exempt. */
export function planRouterSets({ families, udp }: Scope): PlannedSet[] {
  return [
    ...(udp
      ? [
        {
          name: EXEMPT_PORTS_SET,
          type: "inet_service",
          elements: EXEMPT_PORTS.map(([first, last]) => ({ first, last })),
          reason: "UDP that no proxy may touch: DHCP, IPsec, VXLAN, Geneve",
        } as const,
      ]
      : []),
    ...families.map((family) => ({
      name: linkLocalSet(family),
      type: family === "ipv4" ? "ipv4_addr" : "ipv6_addr",
      elements: [prefixRange(parsePrefix(LINK_LOCAL[family])!)],
      reason: "Link-local addresses",
    } as const)),
  ];
}

function linkLocalSet(family: Family): string {
  return `link_local_${family}`;
}

/** Plans the chains, `router_new` after those that it goes to. */
export function planRouterDecision(scope: Scope): OpenChain[] {
  return [
    {
      name: BLOCK_CHAIN,
      place: "router-step",
      rules: refuseFlows(scope),
      reason: "New flows of the router that are refused",
    },
    planDirect(scope),
    planNew(scope),
  ];
}

function planNew(scope: Scope): OpenChain {
  const { rules, otherwise, marks, protocols } = scope;
  // To another program a flow of the router is not delivered: that program's own would run in a circle.
  const ends: Ends = {
    pass: PASS,
    refuse: goTo(BLOCK_CHAIN),
    drop: { kind: "drop", protocols },
    proxy: goTo(ROUTER_DIRECT_CHAIN),
    // Nobody forwards it.
    watch: goTo(ROUTER_DIRECT_CHAIN),
    program: () => PASS,
  };
  const concerned = rules.filter(({ conditions }) =>
    conditions.interfaces === undefined && conditions.mac === undefined
  );
  return {
    name: ROUTER_NEW_CHAIN,
    place: "router-step",
    rules: [
      {
        conditions: [{ kind: "flow-bits", mask: marks.router }],
        effect: { kind: "forget-note" },
        reason: "A first packet that is sent again is decided on again",
      },
      ...planExempt(scope),
      "answers",
      ...passOtherPorts(scope),
      ...applyRules(concerned, (outcome) => effectOf(outcome, ends)),
      { conditions: [], effect: effectOf(otherwise.outcome, ends), reason: otherwise.why },
    ],
    reason:
      "What becomes of a new flow of the router: rules for interfaces and hardware addresses do not match it",
  };
}

/** Exempts what the proxy must not take. */
function planExempt({ families, udp }: Scope): PlannedRule[] {
  return [
    {
      conditions: [{ kind: "foreign-source" }],
      effect: LEAVE,
      reason: "Other transparent proxies, which send with their clients' addresses",
    },
    { ...EXEMPT_OWN, reason: "Broadcast and multicast; and the router itself" },
    ...families.map((family): PlannedRule => ({
      conditions: [
        { kind: "family", family },
        { kind: "address", side: "destination", family, set: linkLocalSet(family) },
      ],
      effect: LEAVE,
      reason: "Neighbours on the link",
    })),
    ...(udp
      ? [{
        conditions: [UDP, { kind: "destination-port", set: EXEMPT_PORTS_SET, negate: false } as const],
        effect: LEAVE,
        reason:
          "DHCP, on which the router's addresses may depend; tunnels that are answered on a port of their own",
      }]
      : []),
  ];
}

function planDirect(scope: Scope): OpenChain {
  return {
    name: ROUTER_DIRECT_CHAIN,
    place: "router-step",
    rules: [
      ...passUpstreams(scope),
      ...(scope.admission === "forward-path"
        ? [{ conditions: [], effect: { kind: "ask" }, reason: "To the proxy, if one runs" } as const]
        : [
          {
            conditions: [{ kind: "proxy-runs", set: RUNNING_SET }],
            effect: { kind: "loop-back", noted: true },
            reason: "To the proxy, if one runs",
          } as const,
          ...planFailure(scope, scope.protocols, "no proxy runs"),
        ]),
    ],
    reason: "Flows of the router for the proxy",
  };
}
