/**
 * The rules of the config as matches of nf_tables and the sets that these look into. What becomes of a packet that
 * matches is for the chains to say. Pure.
 * @module
 */
import type { Config, RuleConfig } from "../../config/types.ts";
import type { Family, Prefix } from "../../net/ip.ts";
import { mergeRanges, prefixRange } from "../../netlink/nft/sets/interval.ts";
import type { PlannedRule, PlannedSet, Statement } from "./model.ts";

/** A rule of the config. */
export interface PolicyRule {
  readonly rule: RuleConfig;
  /** Why a rule of nf_tables is there that comes from it. */
  readonly reason: string;
  /** The matches of one rule of nf_tables each; the rule of the config matches where all of one of them do. */
  readonly alternatives: readonly (readonly Statement[])[];
}

/** All of them, in the order of the file, without those that cannot match. */
export interface Policy {
  readonly rules: readonly PolicyRule[];
  readonly sets: readonly PlannedSet[];
  /** About rules that cannot match. */
  readonly warnings: readonly string[];
}

/** Where packets come from. */
export interface PolicyScope {
  readonly lan: readonly string[];
  readonly families: readonly Family[];
}

/** Matches for every rule. */
export function planPolicy(config: Config, scope: PolicyScope): Policy {
  const rules: PolicyRule[] = [];
  const sets: PlannedSet[] = [];
  const warnings: string[] = [];
  for (const [index, rule] of config.rules.entries()) {
    const obstacle = findObstacle(rule, config, scope);
    if (obstacle !== undefined) {
      warnings.push(`rules[${index}] (${rule.name}) never matches: ${obstacle}`);
      continue;
    }
    const reason = `rules[${index}] (${rule.name}): ${rule.action}`;
    const builder = new RuleBuilder(rule, { prefix: `rule${index}`, reason, families: scope.families });
    rules.push({ rule, reason, alternatives: builder.alternatives });
    sets.push(...builder.sets);
  }
  return { rules, sets, warnings };
}

/** The rules of nf_tables that send what matches where `decide` says. */
export function applyPolicy(
  rules: readonly PolicyRule[],
  decide: (rule: RuleConfig) => readonly Statement[],
): PlannedRule[] {
  return rules.flatMap(({ rule, reason, alternatives }) =>
    alternatives.map((matches) => ({ statements: [...matches, ...decide(rule)], reason }))
  );
}

/** Why a rule matches nothing that comes here. */
function findObstacle(rule: RuleConfig, { intercept }: Config, scope: PolicyScope): string | undefined {
  const { protocol, ports, interfaces } = rule;
  if (protocol !== undefined && !intercept.protocols.includes(protocol)) {
    return `${protocol} is not among intercept.protocols`;
  }
  const intercepted = intercept.ports;
  const overlaps = ports === undefined || intercepted === "all" ||
    ports.some((range) => intercepted.some(({ first, last }) => first <= range.last && range.first <= last));
  if (!overlaps) return "none of its ports is among intercept.ports";
  if (interfaces !== undefined && !interfaces.some((name) => scope.lan.includes(name))) {
    return `clients are intercepted on ${scope.lan.join(", ")} alone`;
  }
  if (usableFamilies(rule, scope.families).length > 0) return undefined;
  const empty = [rule.from, rule.to].some((networks) => networks?.length === 0);
  return empty
    ? "its list of networks is empty"
    : "its networks are of address families that do not meet, or are not intercepted";
}

/** The families in which every list of networks of the rule has some. */
function usableFamilies({ from, to }: RuleConfig, families: readonly Family[]): Family[] {
  const lists = [from, to].filter((networks) => networks !== undefined);
  return families.filter((family) => lists.every((networks) => ofFamily(networks, family).length > 0));
}

function ofFamily(networks: readonly Prefix[], family: Family): Prefix[] {
  return networks.filter(({ address }) => address.family === family);
}

/** The matches of one rule; collects the sets that they need. */
class RuleBuilder {
  readonly sets: PlannedSet[] = [];
  readonly alternatives: readonly (readonly Statement[])[];
  readonly #prefix: string;
  readonly #reason: string;

  constructor(rule: RuleConfig, options: { prefix: string; reason: string; families: readonly Family[] }) {
    this.#prefix = options.prefix;
    this.#reason = options.reason;
    const common = this.#commonMatches(rule);
    this.alternatives = rule.from === undefined && rule.to === undefined
      ? [common]
      : usableFamilies(rule, options.families).map((family) => [
        { kind: "family", family },
        ...common,
        ...this.#addressMatch("source", rule.from, family),
        ...this.#addressMatch("destination", rule.to, family),
      ]);
  }

  /** What is the same in both families. */
  #commonMatches({ protocol, ports, interfaces, mac }: RuleConfig): Statement[] {
    const matches: Statement[] = [];
    if (protocol !== undefined) matches.push({ kind: "protocol", protocols: [protocol] });
    if (ports !== undefined) {
      const set = this.#add("ports", { type: "inet_service", elements: ports });
      matches.push({ kind: "destination-port", set, negate: false });
    }
    if (interfaces !== undefined) {
      const set = this.#add("in", { type: "ifname", elements: [...new Set(interfaces)] });
      matches.push({ kind: "input-interface", set, negate: false });
    }
    if (mac !== undefined) {
      const set = this.#add("mac", { type: "ether_addr", elements: [...new Set(mac)] });
      matches.push({ kind: "hardware-address", set });
    }
    return matches;
  }

  #addressMatch(
    side: "source" | "destination",
    networks: readonly Prefix[] | undefined,
    family: Family,
  ): Statement[] {
    if (networks === undefined) return [];
    const name = `${side === "source" ? "from" : "to"}_${family}`;
    const elements = mergeRanges(ofFamily(networks, family).map(prefixRange));
    const set = this.#add(name, { type: family === "ipv4" ? "ipv4_addr" : "ipv6_addr", elements });
    return [{ kind: "address", side, family, set }];
  }

  #add(name: string, content: SetContent): string {
    const set = `${this.#prefix}_${name}`;
    this.sets.push({ name: set, reason: this.#reason, ...content });
    return set;
  }
}

type WithoutName<T> = T extends unknown ? Omit<T, "name" | "reason"> : never;
type SetContent = WithoutName<PlannedSet>;
