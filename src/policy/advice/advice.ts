/**
 * Advice on a policy that is valid and hardly meant so. Pure.
 * @module
 */
import type { Config, RuleConfig } from "../../config/types.ts";
import { isLoopback } from "../../net/ip.ts";
import { type Conditions, conditionsOf, coversAll, hasNames, intersect } from "../conditions.ts";
import { findNever } from "../kernel_share.ts";
import { findShadowed } from "./shadowed_names.ts";
import { FLOW_KINDS } from "../routes/kinds.ts";
import { defaultRule, type RoutedRule, routeOf, sameWay } from "../routes/route.ts";

/** A remark on a key. */
export interface Advice {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

const DNS: Conditions = { ports: [{ first: 53, last: 53 }] };

/** Lists all of it. */
export function adviseOn(config: Config): Advice[] {
  return [
    ...idleRules(config),
    ...deliveredTooLate(config),
    ...interceptedWays(config),
    ...loops(config),
    ...localLoops(config),
    ...ownNames(config),
  ];
}

/** Finds rules that match nothing, and rules whose names change nothing. */
function idleRules(config: Config): Advice[] {
  const { interfaces, families } = config.intercept;
  const lan = interfaces === "auto" ? config.rules.flatMap((rule) => rule.interfaces ?? []) : interfaces;
  const never = findNever(config, { lan, families });
  const shadowed = findShadowed(config).filter(({ index }) => !never.some((idle) => idle.index === index));
  const changesNothing = config.rules.flatMap((rule, index) => {
    if (!hasNames(rule) || [...never, ...shadowed].some((idle) => idle.index === index)) return [];
    const behind = config.rules.slice(index + 1).filter((other) =>
      intersect(conditionsOf(rule), conditionsOf(other)) !== undefined
    );
    const isSame = (other: RoutedRule) =>
      FLOW_KINDS.every((kind) => sameWay(routeOf(rule, config, kind), routeOf(other, config, kind)));
    return [...behind, defaultRule(config)].every(isSame)
      ? [remark(config, index, "changes nothing: all that stands behind it ends flows in the same way")]
      : [];
  });
  return [
    ...never.map(({ index, why }) => remark(config, index, `never matches: ${why}`)),
    ...shadowed.map(({ index, by }) =>
      remark(config, index, `never matches: rules[${by}] has its names, and comes first`)
    ),
    ...changesNothing,
  ];
}

/** Finds rules that deliver what a rule with names stands before. */
function deliveredTooLate(config: Config): Advice[] {
  return config.rules.flatMap((rule, index) => {
    if (rule.action !== "deliver") return [];
    const before = config.rules.findIndex((other, place) =>
      place < index && hasNames(other) && intersect(conditionsOf(other), conditionsOf(rule)) !== undefined
    );
    return before < 0 ? [] : [
      remark(
        config,
        index,
        `delivers nothing of what rules[${before}] may decide by name: that is relayed to its own server; ` +
          "put this rule before it, or give them different ports",
      ),
    ];
  });
}

/** Finds upstreams whose way leads to clients. */
function interceptedWays({ upstreams, intercept: { interfaces } }: Config): Advice[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    if (upstream.type !== "direct" || upstream.interface === undefined) return [];
    return interfaces === "auto" || !interfaces.includes(upstream.interface) ? [] : [{
      path: ["upstreams", name, "interface"],
      text: `upstreams.${name}.interface: clients come in through ${upstream.interface}`,
    }];
  });
}

/** Finds upstreams of any port, of which a rule sends to the upstream what is meant for it. */
function loops(config: Config): Advice[] {
  return Object.entries(config.upstreams).flatMap(([name, upstream]): Advice[] => {
    // One with a port is left alone by the kernel, and clients do not reach the router's loopback.
    if (!("address" in upstream) || "host" in upstream.address || upstream.address.port !== 0) return [];
    const { address } = upstream.address;
    if (isLoopback(address)) return [];
    const to = [{ address, length: address.bytes.length * 8 }];
    const flows: Conditions = { protocol: "tcp", family: address.family, to };
    const catcher = firstThrough(name, flows, config);
    return catcher === undefined ? [] : [{
      path: catcher.path,
      text: `${catcher.label}: what a client sends to ${name} itself would go there through ${name}; ` +
        "a rule before it may let that pass (action: bypass)",
    }];
  });
}

/** Finds upstreams on the router itself whose own connections a rule would lead back to them. */
function localLoops(config: Config): Advice[] {
  if (!config.intercept.routerTraffic) return [];
  return Object.entries(config.upstreams).flatMap(([name, upstream]): Advice[] => {
    if (!("address" in upstream) || "host" in upstream.address) return [];
    if (!isLoopback(upstream.address.address)) return [];
    const catcher = firstThrough(name, { protocol: "tcp" }, config, isOfRouter);
    return catcher === undefined ? [] : [{
      path: catcher.path,
      text:
        `${catcher.label}: with router-traffic, what the program behind ${name} itself sends to the outside ` +
        `would come back to ${name}, for ever; have it set a mark on its sockets, or let its destinations pass ` +
        "before that (action: bypass)",
    }];
  });
}

/** Tells whether a rule can match what the router itself sends. */
function isOfRouter({ interfaces, mac, from }: RuleConfig): boolean {
  return interfaces === undefined && mac === undefined && from === undefined;
}

/** Finds upstreams whose name the router's resolver would ask for through themselves. */
function ownNames(config: Config): Advice[] {
  if (!config.intercept.routerTraffic) return [];
  return Object.entries(config.upstreams).flatMap(([name, upstream]): Advice[] => {
    if (!("address" in upstream) || !("host" in upstream.address)) return [];
    const catcher = firstThrough(name, DNS, config);
    return catcher === undefined ? [] : [{
      path: ["upstreams", name, "address"],
      text: `upstreams.${name}.address: ${upstream.address.host} may be resolved through ${name} itself, ` +
        `for ${catcher.label} takes the resolver's questions (router-traffic); let port 53 pass before it`,
    }];
  });
}

/** Finds the first rule without names that may send these flows to an upstream. */
function firstThrough(
  upstream: string,
  flows: Conditions,
  config: Config,
  counts: (rule: RuleConfig) => boolean = () => true,
) {
  const number = Object.keys(config.upstreams).indexOf(upstream);
  const uses = (rule: RoutedRule) => routeOf(rule, config).upstreams.includes(number);
  for (const [index, rule] of config.rules.entries()) {
    const conditions = conditionsOf(rule);
    if (hasNames(rule) || !counts(rule) || intersect(conditions, flows) === undefined) continue;
    if (uses(rule)) return { path: ["rules", index, "upstream"], label: `rules[${index}] (${rule.name})` };
    if (coversAll(conditions, flows)) return undefined;
  }
  return uses(defaultRule(config)) ? { path: ["default-upstream"], label: "default: proxy" } : undefined;
}

function remark({ rules }: Config, index: number, text: string): Advice {
  return { path: ["rules", index], text: `rules[${index}] (${rules[index].name}) ${text}` };
}
