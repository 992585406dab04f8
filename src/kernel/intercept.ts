/**
 * The chains that decide what becomes of new flows. Pure.
 *
 * ```
 * intercept ──┬─ bypass: accept           (default: the last rules of intercept itself)
 *             ├─ block, or drop if silent
 *             ├─ direct: to our listener
 *             └─ deliver_PORT: to another program's
 * ```
 * @module
 */
import type { Config, Protocol, RuleConfig } from "../config/types.ts";
import { LISTENER_IPV4, LISTENER_IPV6 } from "../constants.ts";
import { type Family, parseIp } from "../net/ip.ts";
import type { PlannedChain, PlannedRule, Statement } from "./model.ts";
import { applyPolicy, type PolicyRule } from "./policy.ts";
import {
  ACCEPT,
  deliverLocally,
  DROP,
  FOR_OTHERS,
  newFlow,
  NOTRACK,
  refuse,
  RETURN,
  SPARE_OWN,
} from "./statements.ts";

/** The set of `intercept.ports`. */
export const PORTS_SET = "ports";
/** Where new flows go. */
export const INTERCEPT_CHAIN = "intercept";
const BLOCK_CHAIN = "block";
const DIRECT_CHAIN = "direct";
const LISTENERS: Readonly<Record<Family, string>> = { ipv4: LISTENER_IPV4, ipv6: LISTENER_IPV6 };

/** What the chains are made from, besides the config. */
export interface InterceptOptions {
  readonly families: readonly Family[];
  readonly rules: readonly PolicyRule[];
}

/** `intercept`, after the chains that it goes to. */
export function planIntercept(config: Config, { families, rules }: InterceptOptions): PlannedChain[] {
  const actions = rules.map(({ rule }) => rule);
  const blocks = config.default === "block" ||
    actions.some(({ action, silent }) => action === "block" && silent !== true);
  return [
    ...(blocks ? [planBlock(config)] : []),
    ...(actions.some(({ action }) => action === "direct") ? [planDirect(config, families)] : []),
    ...deliverPorts(actions).map((port) => planDeliver(config, { port, families, rules: actions })),
    {
      name: INTERCEPT_CHAIN,
      rules: [
        ...planPorts(config),
        ...applyPolicy(rules, decideNewFlow),
        ...planDefault(config, families),
      ],
      reason: "What becomes of a new flow",
    },
  ];
}

function decideNewFlow({ action, silent, deliverPort }: RuleConfig): Statement[] {
  switch (action) {
    case "bypass":
      return [ACCEPT];
    case "block":
      return silent === true ? [FOR_OTHERS, DROP] : [{ kind: "goto", chain: BLOCK_CHAIN }];
    case "direct":
      return [{ kind: "goto", chain: DIRECT_CHAIN }];
    case "deliver":
      return [{ kind: "goto", chain: deliverChain(deliverPort!) }];
    case "proxy":
      throw new TypeError("The kernel cannot decide on the action proxy");
  }
}

function planPorts({ intercept: { ports, protocols } }: Config): PlannedRule[] {
  if (ports === "all") return [];
  return [{
    statements: [
      { kind: "protocol", protocols },
      { kind: "destination-port", set: PORTS_SET, negate: true },
      RETURN,
    ],
    reason: "intercept.ports",
  }];
}

function planDefault(config: Config, families: readonly Family[]): PlannedRule[] {
  const reason = `default: ${config.default}`;
  switch (config.default) {
    case "direct":
      return planListeners(config, families);
    case "block":
      return [{ statements: [{ kind: "goto", chain: BLOCK_CHAIN }], reason }];
    default:
      return [{ statements: [ACCEPT], reason }];
  }
}

function planBlock({ intercept: { protocols } }: Config): PlannedChain {
  return {
    name: BLOCK_CHAIN,
    rules: [
      SPARE_OWN,
      ...protocols.map((protocol) => ({
        statements: [newFlow(protocol), refuse(protocol)],
        reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
      })),
    ],
    reason: "New flows that are refused",
  };
}

function planDirect(config: Config, families: readonly Family[]): PlannedChain {
  return {
    name: DIRECT_CHAIN,
    rules: planListeners(config, families),
    reason: "New flows that the rules give to the proxy",
  };
}

/** To the proxy's listeners, and what is done where there is none. */
function planListeners(config: Config, families: readonly Family[]): PlannedRule[] {
  const { protocols } = config.intercept;
  const steering = families.flatMap((family) =>
    protocols.map((protocol) => ({
      statements: [
        ...steer(config.listener.port, { family, protocol }),
        deliverLocally(config),
        NOTRACK,
        ACCEPT,
      ],
      reason: protocol === "tcp"
        ? "Bare SYNs only, so that connections that exist already go on; without a listener the rule does not match"
        : "UDP asks for the listener first: a socket with a foreign address would take other clients' packets",
    }))
  );
  return [SPARE_OWN, ...steering, ...protocols.flatMap((protocol) => planFailure(config, protocol))];
}

function steer(port: number, { family, protocol }: { family: Family; protocol: Protocol }): Statement[] {
  const address = parseIp(LISTENERS[family])!;
  return [{ kind: "family", family }, newFlow(protocol), { kind: "tproxy", to: { address, port } }];
}

/** What follows when nobody listens: nothing (the packet is forwarded), or one rule for each protocol. */
function planFailure({ intercept: { onFailure } }: Config, protocol: Protocol): PlannedRule[] {
  if (onFailure === "open") return [];
  return [{
    statements: [newFlow(protocol), onFailure === "drop" ? DROP : refuse(protocol)],
    reason: `intercept.on-failure: ${onFailure}; nobody listens`,
  }];
}

/** The ports of other programs that rules deliver to, each once. */
function deliverPorts(rules: readonly RuleConfig[]): number[] {
  return [...new Set(rules.flatMap(({ deliverPort }) => deliverPort ?? []))];
}

function deliverChain(port: number): string {
  return `deliver_${port}`;
}

function planDeliver(
  config: Config,
  options: { port: number; families: readonly Family[]; rules: readonly RuleConfig[] },
): PlannedChain {
  const { port, families } = options;
  const users = options.rules.filter(({ deliverPort }) => deliverPort === port);
  const protocols = config.intercept.protocols.filter((protocol) =>
    users.some((rule) => rule.protocol === undefined || rule.protocol === protocol)
  );
  const steering = families.flatMap((family) =>
    protocols.map((protocol) => ({
      statements: [...steer(port, { family, protocol }), deliverLocally(config), ACCEPT],
      reason:
        "A listener on the loopback address, or on all; conntrack sees the flow, as that program expects",
    }))
  );
  return {
    name: deliverChain(port),
    rules: [SPARE_OWN, ...steering, ...protocols.flatMap((protocol) => planFailure(config, protocol))],
    reason: `New flows for the program that listens on port ${port}`,
  };
}
