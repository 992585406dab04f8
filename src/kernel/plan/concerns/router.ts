/**
 * `intercept.router-traffic`: what programs on the router itself send to the outside. An output chain marks it, the mark routes it to
 * the loopback interface, and what comes in there is given to the listener. Pure.
 *
 * ```
 * output ─── router ──► router_new ─┬─ bypass, deliver: accept
 *                                   ├─ block: router_block
 *                                   └─ direct: router_direct: mark ── ip rule … iif lo ── lo
 * prerouting, from lo ─ router_loopback: to the listener
 * ```
 * @module
 */
import type { Config, Protocol } from "../../../config/types.ts";
import { LOOPBACK, ROUTER_LOOPBACK_PRIORITY, ROUTER_PRIORITY, SERVED_PRIORITY } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import { steer } from "./intercept.ts";
import type { PlannedChain, PlannedRule, Statement } from "../model.ts";
import { DIRECT_CHAIN, NEW_CHAIN, planDecision, type RouterDecisionOptions } from "./router_decision.ts";
import { notFromInner, type RouterSetOptions, RUNNING_SET, toInner } from "./router_sets.ts";
import { rememberServed } from "./lan_servers.ts";
import { signLength } from "../../liveness/sign_size.ts";
import {
  ACCEPT,
  DROP,
  newFlow,
  refuse,
  RETURN,
  routerMark,
  socketMark,
  SPARE_OWN,
  TCP,
  UDP,
} from "../statements.ts";

const ON_LOOPBACK: Statement = { kind: "output-interface-name", name: LOOPBACK };

/** What the chains are made from, besides the config. */
export interface RouterOptions extends RouterSetOptions, RouterDecisionOptions {
  /** The first rules of a chain where only one family is intercepted. */
  readonly otherFamily: readonly PlannedRule[];
}

/** The chains; none where the router's own traffic is not intercepted. */
export function planRouter(config: Config, options: RouterOptions): PlannedChain[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    ...planDecision(config, options),
    planOutput(config, options),
    planLoopback(config, options),
    ...planServedHere(config, options),
  ];
}

/** The first rules of `untracked`: packets of the proxy to programs on the router. */
export function planShownLife(config: Config, families: readonly Family[]): PlannedRule[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    ...families.map((family): PlannedRule => ({
      statements: [
        ON_LOOPBACK,
        { kind: "mark", mark: socketMark(config.kernel.mark) },
        { kind: "family", family },
        UDP,
        { kind: "packet-length", bytes: signLength(config, family) },
        { kind: "proxy-shows", set: RUNNING_SET },
      ],
      reason:
        "A running proxy shows itself by datagrams to itself, whose size tells its port and protocols; nobody else may set this mark",
    })),
    {
      statements: [
        ON_LOOPBACK,
        { kind: "mark", mark: socketMark(config.kernel.mark) },
        { kind: "set-mark", mask: routerMark(config.kernel.mark) },
        ACCEPT,
      ],
      reason:
        "Other programs may save the mark of a packet as that of its flow: both ways have what the flow needs",
    },
    {
      statements: [ON_LOOPBACK, ACCEPT],
      reason: "Conntrack sees both ways of the flows of the router's own programs",
    },
  ];
}

/** The packets of all programs on the router pass here: what is not new is let go soon. */
function planOutput(config: Config, { inner, otherFamily }: RouterOptions): PlannedChain {
  const { protocols } = config.intercept;
  const mask = routerMark(config.kernel.mark);
  const taken: Statement[] = [{ kind: "original-direction" }, { kind: "flow-bits", mask }];
  const start = (protocol: Protocol): PlannedRule => ({
    statements: [
      newFlow(protocol),
      { kind: "new-flow" },
      { kind: "of-program" },
      { kind: "goto", chain: NEW_CHAIN },
    ],
    reason: protocol === "tcp"
      ? "New connections of programs; the kernel's own, such as those of a network file system, are spared"
      : "The same for UDP: WireGuard belongs to the kernel",
  });
  return {
    name: "router",
    hook: { type: "route", hook: "output", priority: ROUTER_PRIORITY },
    rules: [
      {
        statements: [{ kind: "marked" }, RETURN],
        reason: "The proxy's own sockets, which would run in a circle; VPNs and others that route by mark",
      },
      { statements: [ON_LOOPBACK, RETURN], reason: "What stays on the router" },
      ...toInner(inner).map((match) => ({ statements: [match, RETURN], reason: "What goes to clients" })),
      ...otherFamily,
      ...(protocols.includes("tcp")
        ? [
          start("tcp"),
          {
            statements: [TCP, ...taken, { kind: "set-mark", mask } as const, ACCEPT],
            reason:
              "Further packets of connections that the proxy has: the decision stands in the mark of the flow",
          },
        ]
        : []),
      ...(protocols.includes("udp")
        ? [
          start("udp"),
          {
            statements: [UDP, ...taken, { kind: "goto", chain: DIRECT_CHAIN } as const],
            reason: "Further datagrams, as long as the proxy runs",
          },
        ]
        : []),
    ],
    reason: "What the router itself sends: what is marked here is routed again, to the loopback interface",
  };
}

function planLoopback(config: Config, { families, otherFamily }: RouterOptions): PlannedChain {
  const { protocols, onFailure } = config.intercept;
  const mask = routerMark(config.kernel.mark);
  return {
    name: "router_loopback",
    hook: { hook: "prerouting", priority: ROUTER_LOOPBACK_PRIORITY },
    rules: [
      {
        statements: [{ kind: "input-interface-name", name: LOOPBACK, negate: true }, RETURN],
        reason: "Only what the router has sent to itself",
      },
      {
        statements: [{ kind: "mark-bits", mask, negate: true }, RETURN],
        reason: "Only what the output chain has marked",
      },
      { ...SPARE_OWN, reason: "NAT has given it a destination on the router" },
      ...otherFamily,
      ...families.flatMap((family) =>
        protocols.map((protocol) => ({
          statements: [...steer(config.listener.port, { family, protocol }), ACCEPT],
          reason: "To the listener; conntrack has seen it",
        }))
      ),
      ...protocols.map((protocol) => ({
        statements: [newFlow(protocol), onFailure === "reset" ? refuse(protocol) : DROP],
        reason: onFailure === "open"
          ? "The proxy has just died: what its sender repeats goes out without it"
          : `intercept.on-failure: ${onFailure}; the proxy has just died`,
      })),
    ],
    reason: "The router's own flows come in here",
  };
}

/** UDP that others have begun with programs on the router, in case conntrack forgets: the answers are not new flows. */
function planServedHere(config: Config, { families, inner }: RouterOptions): PlannedChain[] {
  const begun: Statement[] = [...notFromInner(inner), {
    kind: "input-interface-name",
    name: LOOPBACK,
    negate: true,
  }];
  const reason = "Whoever has begun a flow with the router gets its answers";
  const rules = rememberServed(config, { families, begun, reason });
  if (rules.length === 0) return [];
  return [{
    name: "router_served",
    hook: { hook: "input", priority: SERVED_PRIORITY },
    rules,
    reason:
      "What the router's services are asked from elsewhere: their answers are theirs, also when conntrack forgets",
  }];
}
