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
import type { Config, Protocol, RuleConfig } from "../config/types.ts";
import { ALIVE_SECONDS, DIVERT_PRIORITY, LOOPBACK, ROUTER_PRIORITY, SERVED_PRIORITY } from "../constants.ts";
import { type Family, parsePrefix } from "../net/ip.ts";
import { prefixRange } from "../netlink/nft/interval.ts";
import { planPorts, steer } from "./intercept.ts";
import type { PlannedChain, PlannedRule, PlannedSet, Statement } from "./model.ts";
import { applyPolicy, type PolicyRule } from "./policy.ts";
import { rememberServed, spareAnswers } from "./served.ts";
import { ACCEPT, DROP, newFlow, refuse, RETURN, routerMark, socketMark, SPARE_OWN } from "./statements.ts";

/** The set in which a running proxy shows itself. */
export const RUNNING_SET = "running";
const INNER_SET = "inner";
const SPARED_PORTS_SET = "spared_ports";
const NEW_CHAIN = "router_new";
const BLOCK_CHAIN = "router_block";
const DIRECT_CHAIN = "router_direct";

/** RFC 3927, RFC 4291: what is addressed so is on the link, and nowhere else. */
const LINK_LOCAL: Readonly<Record<Family, string>> = { ipv4: "169.254.0.0/16", ipv6: "fe80::/10" };
/**
 * DHCP, on which the router's own addresses may depend; IKE, 500 and 4500; and the tunnels whose other end answers to this port, whatever
 * the packet's own is: VXLAN, 4789 and Linux' own 8472, Geneve, 6081. RFC 2131, 8415, 7296, 7348, 8926.
 */
const SPARED_PORTS = [[67, 68], [500, 500], [546, 547], [4500, 4500], [4789, 4789], [6081, 6081], [
  8472,
  8472,
]];

const ON_LOOPBACK: Statement = { kind: "output-interface-name", name: LOOPBACK };
const UDP: Statement = { kind: "protocol", protocols: ["udp"] };
const TCP: Statement = { kind: "protocol", protocols: ["tcp"] };

/** What the chains are made from, besides the config. */
export interface RouterOptions {
  readonly families: readonly Family[];
  readonly rules: readonly PolicyRule[];
  /** Interfaces of clients through which no default route leads: what goes there goes to clients. */
  readonly inner: readonly string[];
  /** What does not come from clients. */
  readonly notFromLan: Statement;
  /** The first rules of a chain where only one family is intercepted. */
  readonly otherFamily: readonly PlannedRule[];
}

/** The sets; none where the router's own traffic is not intercepted. */
export function planRouterSets(
  config: Config,
  { families, inner }: Pick<RouterOptions, "families" | "inner">,
): PlannedSet[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    {
      name: RUNNING_SET,
      type: "nf_proto",
      elements: [],
      timeoutSeconds: ALIVE_SECONDS,
      size: 2,
      reason: "Address families that a running proxy serves: it shows itself over and over",
    },
    ...(inner.length > 1
      ? [{ name: INNER_SET, type: "ifname", elements: inner, reason: "Interfaces of clients alone" } as const]
      : []),
    ...(takesUdp(config)
      ? [
        {
          name: SPARED_PORTS_SET,
          type: "inet_service",
          elements: SPARED_PORTS.map(([first, last]) => ({ first, last })),
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

/** The chains; none where the router's own traffic is not intercepted. */
export function planRouter(config: Config, options: RouterOptions): PlannedChain[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    planBlock(config),
    planDirect(config),
    planNew(config, options),
    planOutput(config, options),
    planLoopback(config, options),
    ...planServedHere(config, options),
  ];
}

/** The first rules of `untracked`: packets of the proxy to programs on the router. */
export function planShownLife(config: Config): PlannedRule[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    {
      statements: [
        ON_LOOPBACK,
        { kind: "mark", mark: socketMark(config.kernel.mark) },
        UDP,
        { kind: "proxy-shows", set: RUNNING_SET },
      ],
      reason: "A running proxy shows itself by datagrams to itself; nobody else may set this mark",
    },
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

/** Through a lone interface, with clients and the default route behind it, everything goes. */
function toInner(inner: readonly string[]): Statement[] {
  if (inner.length === 0) return [];
  return inner.length === 1
    ? [{ kind: "output-interface-name", name: inner[0] }]
    : [{ kind: "output-interface", set: INNER_SET }];
}

function takesUdp({ intercept }: Config): boolean {
  return intercept.protocols.includes("udp");
}

function linkLocalSet(family: Family): string {
  return `link_local_${family}`;
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
      ? "New connections of programs, not of the kernel: of a mounted network disk, or of services that others have reached"
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

function planNew(config: Config, options: RouterOptions): PlannedChain {
  const mask = routerMark(config.kernel.mark);
  const rules = options.rules.filter(({ rule }) => rule.interfaces === undefined && rule.mac === undefined);
  return {
    name: NEW_CHAIN,
    rules: [
      {
        statements: [{ kind: "flow-bits", mask }, { kind: "set-flow-bits", mask, clear: true }],
        reason: "A first packet that is sent again is decided on again",
      },
      ...planSpared(config, options),
      ...planPorts(config),
      ...applyPolicy(rules, decide),
      { statements: decideDefault(config), reason: `default: ${config.default}` },
    ],
    reason:
      "What becomes of a new flow of the router: rules for interfaces and hardware addresses do not match it",
  };
}

/** What the proxy must not take. */
function planSpared(config: Config, { families }: RouterOptions): PlannedRule[] {
  return [
    {
      statements: [{ kind: "foreign-source" }, RETURN],
      reason: "Other transparent proxies, which send with their clients' addresses",
    },
    { ...SPARE_OWN, reason: "Broadcast and multicast; and the router itself" },
    ...families.map((family): PlannedRule => ({
      statements: [
        { kind: "family", family },
        { kind: "address", side: "destination", family, set: linkLocalSet(family) },
        RETURN,
      ],
      reason: "Neighbours on the link",
    })),
    ...(takesUdp(config)
      ? [{
        statements: [
          UDP,
          { kind: "destination-port", set: SPARED_PORTS_SET, negate: false } as const,
          RETURN,
        ],
        reason:
          "DHCP, on which the router's addresses may depend; tunnels that are answered on a port of their own",
      }]
      : []),
    ...spareAnswers(config, families),
  ];
}

/** To another program a flow of the router is not delivered: that program's own would run in a circle. */
function decide({ action, silent }: RuleConfig): Statement[] {
  switch (action) {
    case "bypass":
    case "deliver":
      return [ACCEPT];
    case "block":
      return silent === true ? [DROP] : [{ kind: "goto", chain: BLOCK_CHAIN }];
    case "direct":
      return [{ kind: "goto", chain: DIRECT_CHAIN }];
    case "proxy":
      throw new TypeError("The kernel cannot decide on the action proxy");
  }
}

function decideDefault(config: Config): Statement[] {
  switch (config.default) {
    case "direct":
      return [{ kind: "goto", chain: DIRECT_CHAIN }];
    case "block":
      return [{ kind: "goto", chain: BLOCK_CHAIN }];
    default:
      return [ACCEPT];
  }
}

function planBlock({ intercept: { protocols } }: Config): PlannedChain {
  return {
    name: BLOCK_CHAIN,
    rules: protocols.map((protocol) => ({
      statements: [newFlow(protocol), refuse(protocol)],
      reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
    })),
    reason: "New flows of the router that are refused",
  };
}

function planDirect(config: Config): PlannedChain {
  const { onFailure, protocols } = config.intercept;
  const mask = routerMark(config.kernel.mark);
  return {
    name: DIRECT_CHAIN,
    rules: [
      {
        statements: [
          { kind: "proxy-runs", set: RUNNING_SET },
          { kind: "set-flow-bits", mask, clear: false },
          { kind: "set-mark", mask },
          ACCEPT,
        ],
        reason: "To the proxy, if one runs",
      },
      ...(onFailure === "open" ? [] : protocols.map((protocol) => ({
        statements: [newFlow(protocol), onFailure === "drop" ? DROP : refuse(protocol)],
        reason: `intercept.on-failure: ${onFailure}; no proxy runs`,
      }))),
    ],
    reason: "Flows of the router for the proxy",
  };
}

function planLoopback(config: Config, { families, otherFamily }: RouterOptions): PlannedChain {
  const { protocols, onFailure } = config.intercept;
  const mask = routerMark(config.kernel.mark);
  return {
    name: "router_loopback",
    hook: { hook: "prerouting", priority: DIVERT_PRIORITY },
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
function planServedHere(config: Config, { families, notFromLan }: RouterOptions): PlannedChain[] {
  const begun: Statement[] = [notFromLan, { kind: "input-interface-name", name: LOOPBACK, negate: true }];
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
