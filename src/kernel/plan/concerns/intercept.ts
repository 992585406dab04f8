/**
 * The chains that decide what becomes of new flows. Pure.
 *
 * ```
 * intercept ──┬─ bypass: accept           (default: the last rules of intercept itself)
 *             ├─ block, block_silently
 *             ├─ direct: to our listener
 *             └─ deliver_PORT: to another program's
 * ```
 * @module
 */
import type { Config, Protocol, RuleConfig } from "../../../config/types.ts";
import { listenerAddress } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import type { PlannedChain, PlannedRule, Statement } from "../model.ts";
import { applyPolicy, type PolicyRule } from "../rule_matches.ts";
import {
  ACCEPT,
  deliverLocally,
  DROP,
  newFlow,
  NOTRACK,
  planFailure,
  planRefusals,
  RETURN,
} from "../statements.ts";

/** The set of `intercept.ports`. */
export const PORTS_SET = "ports";
/** Where new flows go. */
export const INTERCEPT_CHAIN = "intercept";
const BLOCK_CHAIN = "block";
const SILENT_BLOCK_CHAIN = "block_silently";
const NOBODY_LISTENS = "nobody listens";
const DIRECT_CHAIN = "direct";

/** What the chains are made from, besides the config. */
export interface InterceptOptions {
  readonly families: readonly Family[];
  readonly rules: readonly PolicyRule[];
  /** What lets a flow pass. */
  readonly bypass: readonly Statement[];
  /** The first rules of every chain that takes packets out of their way: which it must not take. */
  readonly spare: readonly PlannedRule[];
}

/** `intercept`, after the chains that it goes to. */
export function planIntercept(config: Config, options: InterceptOptions): PlannedChain[] {
  const { rules } = options;
  const actions = rules.map(({ rule }) => rule);
  const blocks = (silently: boolean) =>
    actions.some(({ action, silent }) => action === "block" && (silent === true) === silently);
  return [
    ...(blocks(false) || config.default === "block" ? [planBlock(config, options)] : []),
    ...(blocks(true) ? [planSilentBlock(options)] : []),
    ...(actions.some(({ action }) => action === "direct") ? [planDirect(config, options)] : []),
    ...deliverPorts(actions).map((port) => planDeliver(config, port, options)),
    {
      name: INTERCEPT_CHAIN,
      rules: [
        ...planPorts(config),
        ...applyPolicy(rules, (rule) => decideNewFlow(rule, options)),
        ...planDefault(config, options),
      ],
      reason: "What becomes of a new flow",
    },
  ];
}

function decideNewFlow(
  { action, silent, deliverPort }: RuleConfig,
  { bypass }: InterceptOptions,
): readonly Statement[] {
  switch (action) {
    case "bypass":
      return bypass;
    case "block":
      return [{ kind: "goto", chain: silent === true ? SILENT_BLOCK_CHAIN : BLOCK_CHAIN }];
    case "direct":
      return [{ kind: "goto", chain: DIRECT_CHAIN }];
    case "deliver":
      return [{ kind: "goto", chain: deliverChain(deliverPort!) }];
    case "proxy":
      throw new TypeError("The kernel cannot decide on the action proxy");
  }
}

/** What is not among `intercept.ports` passes. */
export function planPorts({ intercept: { ports, protocols } }: Config): PlannedRule[] {
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

function planDefault(config: Config, options: InterceptOptions): PlannedRule[] {
  const reason = `default: ${config.default}`;
  switch (config.default) {
    case "direct":
      return planListeners(config, options);
    case "block":
      return [{ statements: [{ kind: "goto", chain: BLOCK_CHAIN }], reason }];
    default:
      return [{ statements: options.bypass, reason }];
  }
}

function planBlock({ intercept: { protocols } }: Config, { spare }: InterceptOptions): PlannedChain {
  return {
    name: BLOCK_CHAIN,
    rules: [
      ...spare,
      ...planRefusals(protocols),
    ],
    reason: "New flows that are refused",
  };
}

function planSilentBlock({ spare }: InterceptOptions): PlannedChain {
  return {
    name: SILENT_BLOCK_CHAIN,
    rules: [...spare, { statements: [DROP], reason: "As if the packet had got lost" }],
    reason: "New flows that vanish",
  };
}

function planDirect(config: Config, options: InterceptOptions): PlannedChain {
  return {
    name: DIRECT_CHAIN,
    rules: planListeners(config, options),
    reason: "New flows that the rules give to the proxy",
  };
}

/** To the proxy's listeners, and what is done where there is none. */
function planListeners(config: Config, { families, spare }: InterceptOptions): PlannedRule[] {
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
  return [
    ...spare,
    ...steering,
    ...protocols.flatMap((protocol) => planFailure(config, protocol, NOBODY_LISTENS)),
  ];
}

/** New flows to a listener on the loopback address; where there is none the rule ends, and the packet goes on. */
export function steer(
  port: number,
  { family, protocol }: { family: Family; protocol: Protocol },
): Statement[] {
  const address = listenerAddress(family);
  return [{ kind: "family", family }, newFlow(protocol), { kind: "tproxy", to: { address, port } }];
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
  port: number,
  { families, rules, spare }: InterceptOptions,
): PlannedChain {
  const users = rules.map(({ rule }) => rule).filter(({ deliverPort }) => deliverPort === port);
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
    rules: [
      ...spare,
      ...steering,
      ...protocols.flatMap((protocol) => planFailure(config, protocol, NOBODY_LISTENS)),
    ],
    reason: `New flows for the program that listens on port ${port}`,
  };
}
