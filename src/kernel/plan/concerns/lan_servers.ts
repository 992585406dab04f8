/**
 * UDP that hosts behind the other interfaces have begun with servers in the LAN: port forwards, and servers that can be
 * reached without NAT. What those answer looks like a new flow of a client; TCP tells by its flags. Pure.
 * @module
 */
import type { Config } from "../../../config/types.ts";
import { SERVED_PRIORITY } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { PlannedChain, PlannedRule, PlannedSet, Statement } from "../model.ts";
import { planFlowSets } from "../flow_set.ts";
import { ACCEPT, takesUdp, UDP } from "../statements.ts";

/** Longer than conntrack remembers a flow of UDP (nf_conntrack_udp_timeout_stream, 120 s). */
const REMEMBERED_SECONDS = 180;

/** What the rules are made from, besides the config. */
export interface ServedOptions {
  readonly families: readonly Family[];
  /** What comes from elsewhere than the LAN, and goes into it. */
  readonly intoLan: readonly Statement[];
}

/** Nothing where UDP is not intercepted. */
function concernedFamilies(config: Config, families: readonly Family[]): readonly Family[] {
  return takesUdp(config) ? families : [];
}

function setName(family: Family): string {
  return `served_${family}`;
}

/** The sets of flows. */
export function planServedSets(config: Config, families: readonly Family[]): PlannedSet[] {
  return planFlowSets(concernedFamilies(config, families), {
    nameOf: setName,
    timeoutSeconds: REMEMBERED_SECONDS,
    reason: "UDP that others have begun with servers in the LAN, as the answers are addressed",
  });
}

/** For the chains that take packets out of their way: not these. */
export function spareAnswers(config: Config, families: readonly Family[]): PlannedRule[] {
  return concernedFamilies(config, families).map((family) => ({
    statements: [
      { kind: "family", family },
      UDP,
      { kind: "remembered-flow", family, set: setName(family) },
      { kind: "remember-flow", family, set: setName(family), answer: true },
      ACCEPT,
    ],
    reason: "Answers to who has begun the flow from elsewhere, as through a port forward",
  }));
}

/** The rules that remember what matches `begun`. */
export function rememberServed(
  config: Config,
  { families, begun, reason }: {
    families: readonly Family[];
    begun: readonly Statement[];
    reason: string;
  },
): PlannedRule[] {
  return concernedFamilies(config, families).map((family): PlannedRule => ({
    statements: [
      ...begun,
      { kind: "family", family },
      UDP,
      { kind: "original-direction" },
      { kind: "remember-flow", family, set: setName(family), answer: false },
    ],
    reason,
  }));
}

/** The chain that remembers. */
export function planServed(config: Config, { families, intoLan }: ServedOptions): PlannedChain[] {
  const reason = "Whoever has begun a flow with a server in the LAN gets its answers";
  const rules = rememberServed(config, { families, begun: intoLan, reason });
  if (rules.length === 0) return [];
  return [{
    name: "served",
    hook: { hook: "forward", priority: SERVED_PRIORITY },
    rules,
    reason: "What comes here has passed the router's firewall, and NAT has given it its destination",
  }];
}
