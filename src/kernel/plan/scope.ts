/**
 * The scope of a plan: all that its parts go by, made once from config and machine. Pure.
 * @module
 */
import type {
  Admission,
  Config,
  Mptcp,
  OnFailure,
  PortRange,
  Protocol,
  RuleConfig,
  Source,
  UdpFiltering,
} from "../../config/types.ts";
import { clientZone } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import type { Endpoint, Family } from "../../net/ip.ts";
import { type KernelRule, kernelShare } from "../../policy/kernel_share.ts";
import type { Outcome } from "../../policy/outcome.ts";
import { upstreamPlaces } from "../../policy/routes/upstream_places.ts";
import type { InterfaceGroup } from "./rules/interface_match.ts";
import { type MatchedRule, matchRules, type NetworkSets } from "./rules/rule_matches.ts";
import type { PlannedSet } from "./rules/set.ts";
import type { NetworkView } from "./view.ts";

/**
 * Flows are found faster than a long list from so many elements on; with fewer there is nothing to save
 * (`scripts/bench --rules`).
 */
const LONG_LIST = 500;

/** The scope: plain facts, and no question is asked twice. */
export interface Scope {
  /** Families to intercept: those of the config that this machine has. */
  readonly families: readonly Family[];
  /** Protocols to intercept. */
  readonly protocols: readonly Protocol[];
  /** TCP is among them. */
  readonly tcp: boolean;
  /** UDP is among them. */
  readonly udp: boolean;
  /** Interfaces of clients. */
  readonly lan: InterfaceGroup;
  /** Those of them through which no default route leads; null: each may lead to the outside as well. */
  readonly inner: InterfaceGroup | null;
  /**
   * Interfaces of clients that are bridges whose packets netfilter sees as a bridge's (`br_netfilter`): they
   * lose the socket that a rule gives them; null: none.
   */
  readonly bridged: InterfaceGroup | null;
  /** Destination ports that are intercepted. */
  readonly ports: "all" | readonly PortRange[];
  /** The marks of packets and sockets. */
  readonly marks: Marks;
  /** Number of the routing table that delivers to this machine. */
  readonly routingTable: number;
  /** The port of the proxy's listener. */
  readonly listenerPort: number;
  /** The place at which new flows are taken. */
  readonly admission: Admission;
  /** The conntrack zone of clients' legs, with `admission: forward-path`. */
  readonly clientZone: number;
  /** The fate of new flows while no proxy runs. */
  readonly onFailure: OnFailure;
  /** The fate of connections of Multipath TCP. */
  readonly mptcp: Mptcp;
  /** The router's own traffic is intercepted. */
  readonly ownTraffic: boolean;
  /** Upstreams whose addresses the config has, and that have a port of their own. */
  readonly upstreams: readonly Endpoint[];
  /** The address that servers see. */
  readonly source: Source;
  /** Those from whom a client receives datagrams. */
  readonly filtering: UdpFiltering;
  /** The rules of the config that can match, in their order. */
  readonly rules: readonly MatchedRule[];
  /** The outcome of all other flows. */
  readonly otherwise: { readonly outcome: Outcome; readonly why: string };
  /**
   * The rules by which flows from client to client go to the proxy too, of those that the rules above give to
   * it; empty: all such flows are forwarded.
   */
  readonly insisting: readonly MatchedRule[];
  /** The sets that the rules look into. */
  readonly ruleSets: readonly PlannedSet[];
  /** Flows of UDP are watched as connections are. */
  readonly watchesUdp: boolean;
  /** Flows of UDP that the rules let pass are remembered. */
  readonly remembersPasses: boolean;
  /** Packets are brought to sockets of this machine: what else is there for that alone is needed. */
  readonly brings: boolean;
}

/** The facts from which the rest follows. */
type Facts = Omit<Scope, "brings" | "remembersPasses">;

/** The choices that were made on this machine. */
export interface Choice {
  readonly families: readonly Family[];
  readonly lan: readonly string[];
  readonly view: NetworkView;
  readonly admission: Admission;
  /** Flows may be watched here; and of UDP too. */
  readonly watching: boolean;
  readonly watchingUdp: boolean;
  /** Packets may have to be brought to sockets that are there already. */
  readonly bringing: boolean;
}

/** Makes the scope, and tells which rules of the config match nothing. */
export function makeScope(
  config: Config,
  { families, lan, view, admission, watching, watchingUdp, bringing }: Choice,
): { scope: Scope; warnings: string[] } {
  const { protocols, ports, onFailure, routerTraffic, mptcp } = config.intercept;
  const { rules: divided, otherwise, insisting, never } = kernelShare(config, { lan, families });
  const tcp = protocols.includes("tcp");
  // A connection has a begin to watch for.
  const isWatched = watching && tcp && admission === "forward-path" && config.rules.every(isKnownToWatcher);
  const shared = divided.map((rule): KernelRule =>
    rule.outcome.kind === "watch" && !isWatched ? { ...rule, outcome: { kind: "proxy" } } : rule
  );
  const inner = lan.filter((name) => !view.defaultRouteLinks.includes(name));
  const bridged = lan.filter((name) => view.filteredBridges?.includes(name));
  const networkSets: NetworkSets = new Map();
  const { rules, sets } = matchRules(shared, families, { prefix: "rule", networkSets });
  const insists = admission === "forward-path" && inner.length > 0;
  const insistent = matchRules(insists ? insisting : [], families, { prefix: "insists", networkSets });
  const scope = {
    families,
    protocols,
    tcp,
    udp: protocols.includes("udp"),
    lan: { set: "lan", names: lan },
    inner: inner.length === 0 ? null : { set: "inner", names: inner },
    bridged: bridged.length === 0 ? null : { set: "bridged", names: bridged },
    ports,
    marks: new Marks(config.kernel.mark, { apart: admission === "forward-path" }),
    routingTable: config.kernel.table,
    listenerPort: config.listener.port,
    admission,
    clientZone: clientZone(config.listener.port),
    onFailure,
    mptcp,
    ownTraffic: routerTraffic,
    upstreams: upstreamPlaces(config).map(({ place }) => place),
    source: config.source,
    watchesUdp: watchingUdp && protocols.includes("udp"),
    filtering: config.udp.filtering,
    rules,
    insisting: insistent.rules,
    otherwise,
    ruleSets: [...sets, ...insistent.sets],
  };
  const warnings = never.map(({ index, name, why }) => `rules[${index}] (${name}) never matches: ${why}`);
  const remembered = remembersPasses(scope);
  return { scope: { ...scope, remembersPasses: remembered, brings: bringing || brings(scope) }, warnings };
}

/** Tells whether any flow can come to the proxy or to another program. Rules that hold packets let none. */
function brings(
  { admission, ownTraffic, otherwise, rules, udp, watchesUdp }: Facts,
): boolean {
  const isBrought = ({ kind }: Outcome, { protocol = "udp" }: MatchedRule["conditions"] = {}) =>
    kind === "proxy" || kind === "program" ||
    // The proxy relays what nobody can watch.
    (kind === "watch" && udp && !watchesUdp && protocol === "udp");
  return admission === "early" || ownTraffic || isBrought(otherwise.outcome) ||
    rules.some(({ outcome, conditions }) => isBrought(outcome, conditions));
}

/** A worker knows neither by which interface a flow has come nor from which hardware address. */
function isKnownToWatcher({ interfaces, mac }: RuleConfig): boolean {
  return interfaces === undefined && mac === undefined;
}

/** Tells whether flows are forwarded until their names are read. */
export function watches({ rules }: Pick<Scope, "rules">): boolean {
  return rules.some(({ outcome }) => outcome.kind === "watch");
}

/** The protocols whose flows are watched, where any are. */
export function watchedProtocols({ tcp, watchesUdp }: Pick<Scope, "tcp" | "watchesUdp">): Protocol[] {
  return [...(tcp ? ["tcp" as const] : []), ...(watchesUdp ? ["udp" as const] : [])];
}

/** Finds the rules that packets of a protocol may meet. */
export function rulesOf(protocol: Protocol, { rules }: Pick<Scope, "rules">): readonly MatchedRule[] {
  return rules.filter(({ conditions }) => (conditions.protocol ?? protocol) === protocol);
}

/**
 * Tells whether flows that pass are remembered: where UDP may pass after a look into long lists. Not where
 * rules ask for more than a flow's addresses and ports: what has another interface or hardware address would
 * pass for a flow that it is not.
 */
function remembersPasses({ udp, rules, otherwise, ruleSets }: Facts): boolean {
  const concerned = rulesOf("udp", { rules });
  const elements = ruleSets.reduce((sum, set) => sum + set.elements.length, 0);
  return udp && elements >= LONG_LIST &&
    [otherwise, ...concerned].some(({ outcome }) => outcome.kind === "pass") &&
    concerned.every(({ conditions }) => conditions.interfaces === undefined && conditions.mac === undefined);
}
