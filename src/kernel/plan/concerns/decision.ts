/**
 * The decision: what becomes of new flows of clients. Pure.
 *
 * ```
 * intercept ──┬─ bypass: pass             (default: the last rules of intercept itself)
 *             ├─ block, block_silently
 *             ├─ direct: to our listener; insists: from client to client too
 *             └─ deliver_PORT: to another program's
 * ```
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Outcome } from "../../../policy/outcome.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import { type Effect, goTo, LEAVE, PASS } from "../rules/effect.ts";
import type { PlannedRule } from "../model.ts";
import { EXEMPT_OWN, listenerAt, newFlow, planFailure, refuseFlows } from "../phrases.ts";
import type { MatchedRule } from "../rules/rule_matches.ts";
import { type Scope, watches } from "../scope.ts";
import type { PlannedSet } from "../rules/set.ts";
import { passUpstreams } from "./upstreams.ts";
import { PASSES_CHAIN } from "./remembered_passes.ts";

/** The chain to which new flows go. */
export const INTERCEPT_CHAIN = "intercept";
const PORTS_SET = "ports";
const BLOCK_CHAIN = "block";
const SILENT_BLOCK_CHAIN = "block_silently";
const DIRECT_CHAIN = "direct";
const INSISTS_CHAIN = "insists";
const WATCH_CHAIN = "watch";
const NOBODY_LISTENS = "nobody listens";

/** The effects that carry out outcomes, for clients or for the router itself. */
export interface Ends {
  readonly pass: Effect;
  readonly refuse: Effect;
  readonly drop: Effect;
  readonly proxy: Effect;
  readonly watch: Effect;
  readonly program: (port: number) => Effect;
}

/** Plans the chain `intercept` and those that it leads to. */
export function planDecision(scope: Scope): Contribution {
  const { rules, otherwise, remembersPasses } = scope;
  const outcomes = rules.map(({ outcome }) => outcome);
  const refuses = (silently: boolean) => (outcome: Outcome) =>
    outcome.kind === "refuse" && outcome.silently === silently;
  const ends: Ends = {
    pass: remembersPasses ? goTo(PASSES_CHAIN) : PASS,
    refuse: goTo(BLOCK_CHAIN),
    drop: goTo(SILENT_BLOCK_CHAIN),
    proxy: goTo(DIRECT_CHAIN),
    watch: goTo(WATCH_CHAIN),
    program: (port) => goTo(deliverChain(port)),
  };
  return {
    sets: planPortsSet(scope),
    chains: [
      ...([...outcomes, otherwise.outcome].some(refuses(false)) ? [planBlock(scope)] : []),
      ...(outcomes.some(refuses(true)) ? [planSilentBlock(scope)] : []),
      ...(insists(scope) ? [planInsists(scope)] : []),
      ...(outcomes.some(({ kind }) => kind === "proxy") ? [planDirect(scope)] : []),
      ...(watches(scope) ? [planWatch(scope)] : []),
      ...programPorts(outcomes).map((port) => planDeliver(scope, port)),
      {
        name: INTERCEPT_CHAIN,
        place: "decision",
        rules: [
          ...passOtherPorts(scope),
          ...applyRules(rules, (outcome) => effectOf(outcome, ends)),
          ...(otherwise.outcome.kind === "proxy"
            ? giveToProxy(scope)
            : [{ conditions: [], effect: effectOf(otherwise.outcome, ends), reason: otherwise.why }]),
        ],
        reason: "What becomes of a new flow",
      },
    ],
  };
}

/** Finds the effect of an outcome: the only place where the plan asks which one it is. */
export function effectOf(outcome: Outcome, ends: Ends): Effect {
  switch (outcome.kind) {
    case "pass":
      return ends.pass;
    case "refuse":
      return outcome.silently ? ends.drop : ends.refuse;
    case "watch":
      return ends.watch;
    case "proxy":
      return ends.proxy;
    case "program":
      return ends.program(outcome.port);
    default:
      return outcome satisfies never;
  }
}

/** Plans the rules of the config with an effect for each outcome. */
export function applyRules(
  rules: readonly MatchedRule[],
  decide: (outcome: Outcome) => Effect,
): PlannedRule[] {
  return rules.flatMap(({ alternatives, outcome, why }) =>
    alternatives.map((conditions) => ({ conditions, effect: decide(outcome), reason: why }))
  );
}

/** Lets pass what is not among `intercept.ports`. */
export function passOtherPorts({ ports, protocols }: Scope): PlannedRule[] {
  if (ports === "all") return [];
  return [{
    conditions: [
      { kind: "protocol", protocols },
      { kind: "destination-port", set: PORTS_SET, negate: true },
    ],
    effect: LEAVE,
    reason: "intercept.ports",
  }];
}

function planPortsSet({ ports }: Scope): PlannedSet[] {
  if (ports === "all") return [];
  const reason = "Destination ports that are intercepted; all others pass";
  return [{ name: PORTS_SET, type: "inet_service", elements: ports, reason }];
}

function planBlock(scope: Scope): OpenChain {
  return {
    name: BLOCK_CHAIN,
    place: "end",
    rules: [EXEMPT_OWN, "answers", ...refuseFlows(scope)],
    reason: "New flows that are refused",
  };
}

function planSilentBlock({ protocols }: Scope): OpenChain {
  return {
    name: SILENT_BLOCK_CHAIN,
    place: "end",
    rules: [EXEMPT_OWN, "answers", {
      conditions: [],
      effect: { kind: "drop", protocols },
      reason: "As if the packet had got lost",
    }],
    reason: "New flows that vanish",
  };
}

function planDirect(scope: Scope): OpenChain {
  return {
    name: DIRECT_CHAIN,
    place: "listener",
    rules: giveToProxy(scope),
    reason: "New flows that the rules give to the proxy",
  };
}

/** Tells whether rules give flows from client to client to the proxy. */
function insists({ insisting, rules, otherwise }: Scope): boolean {
  return insisting.length > 0 && [...rules, otherwise].some(({ outcome }) => outcome.kind === "proxy");
}

/** The way out is not known yet: what would go from client to client, a later chain tells. */
function planInsists({ insisting, protocols }: Scope): OpenChain {
  return {
    name: INSISTS_CHAIN,
    place: "listener",
    rules: [
      ...applyRules(insisting, ({ kind }) => kind === "pass" ? { kind: "ask" } : { kind: "insist" }),
      ...protocols.map(askFirst),
    ],
    reason: "Rules that name destinations hold from client to client too; the others do not",
  };
}

/** Has flows watched. Where those of UDP cannot be they are the proxy's: it may send nothing on unread. */
function planWatch(scope: Scope): OpenChain {
  return {
    name: WATCH_CHAIN,
    place: "listener",
    rules: [
      EXEMPT_OWN,
      ...(scope.tcp
        ? [askWatched("tcp", "It is forwarded, until its client's first words tell a name")]
        : []),
      ...(scope.watchesUdp
        ? [askWatched("udp", "What comes before its name is known is held, and then sent on")]
        : scope.udp
        ? [askFirst("udp")]
        : []),
    ],
    reason: "New flows that a name may end, but never give to the proxy",
  };
}

function askWatched(protocol: Protocol, reason: string): PlannedRule {
  return { conditions: [newFlow(protocol)], effect: { kind: "ask-watched" }, reason };
}

/** Gives new flows to the proxy's listeners, and says what is done where there is none. */
function giveToProxy(scope: Scope): OpenChain["rules"] {
  const { families, protocols, listenerPort } = scope;
  const upstreams = passUpstreams(scope);
  if (scope.admission === "forward-path") {
    const asking = insists(scope)
      ? [{ conditions: [], effect: goTo(INSISTS_CHAIN), reason: "For the proxy" }]
      : protocols.map(askFirst);
    return [EXEMPT_OWN, ...upstreams, ...asking];
  }
  const steering = families.flatMap((family) =>
    protocols.map((protocol): PlannedRule => ({
      conditions: [{ kind: "family", family }, newFlow(protocol)],
      effect: { kind: "proxy", protocol, to: listenerAt(family, listenerPort) },
      reason: protocol === "tcp"
        ? "Bare SYNs only, so that connections that exist already go on; without a listener the rule does not match"
        : "UDP asks for the listener first: a socket with a foreign address would take other clients' packets",
    }))
  );
  return [EXEMPT_OWN, ...upstreams, "answers", ...steering, ...planFailure(scope, protocols, NOBODY_LISTENS)];
}

/** Has the first packet of a flow ask; what nobody takes, a later chain ends. */
function askFirst(protocol: Protocol): PlannedRule {
  return {
    conditions: [newFlow(protocol)],
    effect: { kind: "ask" },
    reason: protocol === "tcp"
      ? "For the proxy: it goes the way of all others first; bare SYNs only, so that connections that exist already go on"
      : "The same for datagrams",
  };
}

/** Finds the ports of other programs that rules deliver to, each once. */
function programPorts(outcomes: readonly Outcome[]): number[] {
  return [...new Set(outcomes.flatMap((outcome) => outcome.kind === "program" ? [outcome.port] : []))];
}

function deliverChain(port: number): string {
  return `deliver_${port}`;
}

function planDeliver(scope: Scope, port: number): OpenChain {
  const users = scope.rules.filter(({ outcome }) => outcome.kind === "program" && outcome.port === port);
  const protocols = scope.protocols.filter((protocol) =>
    users.some(({ conditions }) => conditions.protocol === undefined || conditions.protocol === protocol)
  );
  const steering = scope.families.flatMap((family) =>
    protocols.map((protocol): PlannedRule => ({
      conditions: [{ kind: "family", family }, newFlow(protocol)],
      effect: { kind: "program", protocol, to: listenerAt(family, port) },
      reason:
        "A listener on the loopback address, or on all; conntrack sees the flow, as that program expects",
    }))
  );
  return {
    name: deliverChain(port),
    place: "listener",
    rules: [EXEMPT_OWN, "answers", ...steering, ...planFailure(scope, protocols, NOBODY_LISTENS)],
    reason: `New flows for the program that listens on port ${port}`,
  };
}
