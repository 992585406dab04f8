/**
 * Ways of flows that rules decide. Pure.
 * @module
 */
import type { Action, Config, RuleConfig, Source } from "../../config/types.ts";
import type { GroupConfig, Strategy, UpstreamConfig, WhenDown } from "../../config/upstreams/types.ts";
import type { FlowKind } from "./kinds.ts";

/** Way of a flow that a rule decides. */
export interface Route {
  /** The rule's name; `default` for what no rule matches. */
  readonly name: string;
  readonly action: Action;
  /** For `block`: the client is told nothing. */
  readonly silent: boolean;
  /** For `deliver`: the port of the other program; 0 for other actions. */
  readonly deliverPort: number;
  /** For `proxy`: the upstreams that can carry the flow, by number, in the order of the group; else none. */
  readonly upstreams: readonly number[];
  /** Name of the group that they are in; null: the rule names an upstream, or none. */
  readonly group: string | null;
  /** The choice among them. */
  readonly strategy: Strategy;
  /** The fate of the flow when all of them are down. */
  readonly whenDown: WhenDown;
  /** The sender that servers see. */
  readonly source: Source;
}

/** A rule, or what stands for it where none matches. */
export type RoutedRule = Pick<
  RuleConfig,
  "name" | "action" | "silent" | "deliverPort" | "upstream" | "whenDown"
>;

/** The config's words for what no rule matches. */
export function defaultRule({ default: action, defaultUpstream }: Config): RoutedRule {
  return { name: "default", action, ...(defaultUpstream === undefined ? {} : { upstream: defaultUpstream }) };
}

/**
 * Finds the way of the flows of a rule. `kind`: those of one kind; an upstream that cannot carry them is left
 * out, and where none is left they go as if all were down.
 */
export function routeOf(rule: RoutedRule, config: Config, kind?: FlowKind): Route {
  const { name, action, silent, deliverPort, upstream } = rule;
  const { source } = config;
  const group = upstream === undefined ? undefined : groupOf(upstream, config);
  const whenDown = rule.whenDown ?? group?.whenDown ?? "block";
  const names = Object.keys(config.upstreams);
  const members =
    group?.members.filter((member) => kind === undefined || canCarry(config.upstreams[member], kind)) ?? [];
  const carried = action !== "proxy" || members.length > 0;
  return {
    name,
    action: carried ? action : whenDown,
    silent: silent === true,
    deliverPort: deliverPort ?? 0,
    upstreams: members.map((member) => names.indexOf(member)),
    group: upstream !== undefined && Object.hasOwn(config.groups, upstream) ? upstream : null,
    strategy: group?.strategy ?? "failover",
    whenDown,
    source,
  };
}

/** Tells whether two ways end flows in the same way, whatever the rules are called. */
export function sameWay(a: Route, b: Route): boolean {
  if (a.action !== b.action) return false;
  switch (a.action) {
    case "bypass":
    case "direct":
      return true;
    case "block":
      return a.silent === b.silent;
    case "deliver":
      return a.deliverPort === b.deliverPort;
    case "proxy":
      return a.whenDown === b.whenDown && a.strategy === b.strategy &&
        a.upstreams.length === b.upstreams.length &&
        a.upstreams.every((upstream, index) => upstream === b.upstreams[index]);
    default:
      throw new TypeError(`No way of ${a.action satisfies never}`);
  }
}

/** The group of a name; an upstream is a group of its own. */
function groupOf(name: string, { groups }: Config): GroupConfig {
  return Object.hasOwn(groups, name)
    ? groups[name]
    : { members: [name], strategy: "failover", whenDown: "block" };
}

function canCarry({ udp, families }: UpstreamConfig, { protocol, family }: FlowKind): boolean {
  return (protocol === "tcp" || udp) && families.includes(family);
}
