/**
 * `intercept.router-traffic`: the traffic of programs on the router itself. An output chain marks what they
 * send to the outside, the mark routes it to the loopback interface, and what comes in there is given to the
 * listener. Pure.
 *
 * ```
 * output ─── router ──► router_new ─┬─ bypass, deliver: pass
 *                                   ├─ block: router_block
 *                                   └─ direct: router_direct: mark ── ip rule … iif lo ── lo
 * prerouting, from lo ─ router_loopback: to the listener
 * ```
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Condition } from "../rules/condition.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import { goTo, LEAVE } from "../rules/effect.ts";
import { comesFrom, leavesThrough, planInterfaceSet } from "../rules/interface_match.ts";
import type { PlannedRule } from "../model.ts";
import { excludeOtherFamily, EXEMPT_OWN, fromLoopback, listenerAt, newFlow, TCP, UDP } from "../phrases.ts";
import type { Scope } from "../scope.ts";
import { rememberBegun } from "./lan_servers.ts";
import { TO_CLIENT } from "./forward_path/zoned.ts";
import { ON_LOOPBACK } from "./life.ts";
import {
  planRouterDecision,
  planRouterSets,
  ROUTER_DIRECT_CHAIN,
  ROUTER_NEW_CHAIN,
} from "./router_decision.ts";

/** Plans the chains; none where the router's own traffic is not intercepted. */
export function planRouter(scope: Scope): Contribution {
  if (!scope.ownTraffic) return {};
  return {
    sets: [
      ...(scope.inner === null ? [] : planInterfaceSet(scope.inner, "Interfaces of clients alone")),
      ...planRouterSets(scope),
    ],
    chains: [
      ...planRouterDecision(scope),
      planOutput(scope),
      planLoopback(scope),
      ...(scope.udp ? [planServedHere(scope)] : []),
    ],
  };
}

/** All programs' packets pass here; what is not new leaves soon. */
function planOutput(scope: Scope): OpenChain {
  const taken: Condition[] = [{ kind: "original-direction" }, {
    kind: "flow-bits",
    mask: scope.marks.router,
  }];
  return {
    name: "router",
    place: "router-output",
    rules: [
      {
        conditions: [{ kind: "marked" }],
        effect: LEAVE,
        reason: "The proxy's own sockets, which would run in a circle; VPNs and others that route by mark",
      },
      ...(scope.admission === "early"
        ? []
        : [{ conditions: [TO_CLIENT], effect: LEAVE, reason: "What the proxy sends to clients" }]),
      { conditions: [ON_LOOPBACK], effect: LEAVE, reason: "What stays on the router" },
      ...(scope.inner === null ? [] : [{
        conditions: [leavesThrough(scope.inner)],
        effect: LEAVE,
        reason: "What goes to clients",
      }]),
      ...excludeOtherFamily(scope),
      ...(scope.tcp
        ? [startFlow("tcp"), {
          conditions: [TCP, ...taken],
          effect: { kind: "loop-back", noted: false } as const,
          reason:
            "Further packets of connections that the proxy has: the decision stands in the mark of the flow",
        }]
        : []),
      ...(scope.udp
        ? [startFlow("udp"), {
          conditions: [UDP, ...taken],
          effect: goTo(ROUTER_DIRECT_CHAIN),
          reason: "Further datagrams, as long as the proxy runs",
        }]
        : []),
    ],
    reason: "What the router itself sends: what is marked here is routed again, to the loopback interface",
  };
}

function startFlow(protocol: Protocol): PlannedRule {
  return {
    conditions: [newFlow(protocol), { kind: "new-flow" }, { kind: "of-program" }],
    effect: goTo(ROUTER_NEW_CHAIN),
    reason: protocol === "tcp"
      ? "New connections of programs; the kernel's own, such as those of a network file system, are spared"
      : "The same for UDP: WireGuard belongs to the kernel",
  };
}

function planLoopback(scope: Scope): OpenChain {
  const { families, protocols, marks, listenerPort, onFailure } = scope;
  return {
    name: "router_loopback",
    place: "router-loopback",
    rules: [
      {
        conditions: [fromLoopback({ negate: true })],
        effect: LEAVE,
        reason: "Only what the router has sent to itself",
      },
      {
        conditions: [{ kind: "mark-bits", mask: marks.router, negate: true }],
        effect: LEAVE,
        reason: "Only what the output chain has marked",
      },
      ...(scope.admission === "early" ? [] : [{
        conditions: [{ kind: "zone", zone: scope.clientZone } as const],
        effect: LEAVE,
        reason: "Clients' first packets, which the running proxy's own rules take",
      }]),
      { ...EXEMPT_OWN, reason: "NAT has given it a destination on the router" },
      ...excludeOtherFamily(scope),
      ...families.flatMap((family) =>
        protocols.map((protocol): PlannedRule => ({
          conditions: [{ kind: "family", family }, newFlow(protocol)],
          effect: { kind: "receive", to: listenerAt(family, listenerPort) },
          reason: "To the listener; conntrack has seen it",
        }))
      ),
      ...protocols.map((protocol): PlannedRule => ({
        conditions: [newFlow(protocol)],
        effect: onFailure === "reset"
          ? { kind: "refuse", protocol }
          : { kind: "drop", protocols: [protocol] },
        reason: onFailure === "open"
          ? "The proxy has just died: what its sender repeats goes out without it"
          : `intercept.on-failure: ${onFailure}; the proxy has just died`,
      })),
    ],
    reason: "The router's own flows come in here",
  };
}

/**
 * Remembers UDP that others have begun with programs on the router, in case conntrack forgets: the answers
 * are not new flows.
 */
function planServedHere(scope: Scope): OpenChain {
  const begun = [
    ...(scope.inner === null ? [] : [comesFrom(scope.inner, { negate: true })]),
    fromLoopback({ negate: true }),
  ];
  return {
    name: "router_served",
    place: "router-input",
    rules: rememberBegun(scope, begun, "Whoever has begun a flow with the router gets its answers"),
    reason:
      "What the router's services are asked from elsewhere: their answers are theirs, also when conntrack forgets",
  };
}
