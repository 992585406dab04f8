/**
 * What becomes of a new flow of the router: the chains `router_new`, `router_block`, `router_direct`. Pure.
 * @module
 */
import type { Config, RuleConfig } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import { planPorts } from "./intercept.ts";
import type { PlannedChain, PlannedRule, Statement } from "../model.ts";
import { applyPolicy, type PolicyRule } from "../rule_matches.ts";
import { linkLocalSet, RUNNING_SET, SPARED_PORTS_SET } from "./router_sets.ts";
import { spareAnswers } from "./lan_servers.ts";
import {
  ACCEPT,
  DROP,
  planFailure,
  planRefusals,
  RETURN,
  routerMark,
  SPARE_OWN,
  takesUdp,
  UDP,
} from "../statements.ts";

/** Where new flows go. */
export const NEW_CHAIN = "router_new";
/** Where flows go that the proxy should have, or has already. */
export const DIRECT_CHAIN = "router_direct";
const BLOCK_CHAIN = "router_block";

/** What the chains are made from, besides the config. */
export interface RouterDecisionOptions {
  readonly families: readonly Family[];
  readonly rules: readonly PolicyRule[];
}

/** The chains, `router_new` after those that it goes to. */
export function planDecision(config: Config, options: RouterDecisionOptions): PlannedChain[] {
  return [planBlock(config), planDirect(config), planNew(config, options)];
}

function planNew(config: Config, options: RouterDecisionOptions): PlannedChain {
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
function planSpared(config: Config, { families }: RouterDecisionOptions): PlannedRule[] {
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
    rules: planRefusals(protocols),
    reason: "New flows of the router that are refused",
  };
}

function planDirect(config: Config): PlannedChain {
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
      ...config.intercept.protocols.flatMap((protocol) => planFailure(config, protocol, "no proxy runs")),
    ],
    reason: "Flows of the router for the proxy",
  };
}
