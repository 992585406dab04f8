/**
 * The rules of flows that are watched: forwarded from their SYN on, until their client's first words tell a
 * name. Pure.
 *
 * ```
 * prerouting  steer ── asks: remembered
 *             hold ─┬─ watch_begin ── asked ─┬─ begun: labelled; a copy of the SYN to a worker
 *                   │                        └─ reused: of an earlier flow, which conntrack has to forget
 *                   └─ watched ── held_back: what the client says goes to the worker, and no further
 *                             until it has a verdict (NFQUEUE), or is sent once more (NFLOG):
 * output      sent ─┬─ released: the flow is held no longer
 *                   └─ refused: the client is told
 * ```
 *
 * The label stays with the flow as long as conntrack knows it, however long its client is silent. While no
 * proxy runs nothing is held.
 * @module
 */
import { FLOW_LABEL, RESENT_PRIORITY, WATCH_PREFIX, watchGroup } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import { planFlowSets } from "../concerns/flow_set.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { newFlow, TCP, UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { type Effect, goTo, LEAVE } from "../rules/effect.ts";
import type { PlannedSet } from "../rules/set.ts";
import { type Scope, watchedProtocols, watches } from "../scope.ts";
import type { LiveOptions } from "./options.ts";
import { eachWorker } from "./questions.ts";

/** A SYN needs microseconds from one place to the other. */
const WATCHING_SECONDS = 1;
/** TCP Fast Open: its option, and the experimental one that Linux tries next (RFC 7413, RFC 6994). */
const FAST_OPEN = [34, 254];
/** The next router, or this one, tells the sender. */
const LAST_HOP = 1;

const BEGIN_CHAIN = "watch_begin";
const ASKED_CHAIN = "asked";
const BEGUN_CHAIN = "begun";
const REUSED_CHAIN = "reused";
const WATCHED_CHAIN = "watched";
const HELD_CHAIN = "held_back";

/** Packets of the one who has begun the flow. */
const FROM_CLIENT: Condition = { kind: "original-direction" };

/** Names the set of flows that are about to be watched. */
export function watchingSet(family: Family): string {
  return `watching_${family}`;
}

/** Plans the rules that begin it, among those for what asks. */
export function steerWatched(scope: Scope): PlannedRule[] {
  if (!watches(scope)) return [];
  const asks: Condition = { kind: "mark-bits", mask: scope.marks.watch, negate: false };
  return [
    ...scope.families.map((family): PlannedRule => ({
      conditions: [asks, { kind: "family", family }, {
        kind: "protocol",
        protocols: watchedProtocols(scope),
      }],
      effect: { kind: "begin-watching", family, set: watchingSet(family) },
      reason: "To be watched: it goes on as any other",
    })),
    {
      conditions: [asks],
      effect: { kind: "drop", protocols: watchedProtocols(scope) },
      reason: "No room: its client sends it again",
    },
  ];
}

/** Plans the sets. */
export function planWatchMemory(scope: Scope, { accepting, limits }: LiveOptions): PlannedSet[] {
  if (!watches(scope) || !accepting) return [];
  return planFlowSets(scope.families, {
    nameOf: watchingSet,
    timeoutSeconds: WATCHING_SECONDS,
    size: limits.asking,
    reason: "Flows that are about to be watched",
  });
}

/** Plans the chains; none where nothing is watched. */
export function planWatch(scope: Scope, options: LiveOptions): Contribution {
  if (!watches(scope)) return {};
  return {
    chains: [
      planBegun(scope, options),
      planReused(scope, options),
      ...(options.accepting ? [planAsked()] : []),
      planBegin(scope, options),
      ...planHold(scope, options),
    ],
  };
}

function planBegin({ families }: Scope, { accepting }: LiveOptions): OpenChain {
  return {
    name: BEGIN_CHAIN,
    place: "live-step",
    rules: [
      ...(accepting
        ? families.map((family): PlannedRule => ({
          conditions: [{ kind: "family", family }, {
            kind: "remembered-flow",
            family,
            set: watchingSet(family),
          }],
          effect: goTo(ASKED_CHAIN),
          reason: "It asked a moment ago",
        }))
        : []),
      {
        conditions: [{ kind: "known-flow" }, {
          kind: "flow-label",
          label: FLOW_LABEL.watched,
          negate: false,
        }],
        effect: goTo(BEGUN_CHAIN),
        reason: "A client uses the port of a connection that was reset: to conntrack it is the same flow",
      },
    ],
    reason: "The first packets of flows, when conntrack knows them",
  };
}

function planAsked(): OpenChain {
  return {
    name: ASKED_CHAIN,
    place: "live-step",
    rules: [
      {
        conditions: [FROM_CLIENT, { kind: "flow-label", label: FLOW_LABEL.released, negate: true }],
        effect: goTo(BEGUN_CHAIN),
        reason: "Where the stream begins, a worker has to know: it sees then what is missing",
      },
      {
        conditions: [{ kind: "known-flow" }],
        effect: goTo(REUSED_CHAIN),
        reason: "An earlier flow of the port was released: labels can only be added",
      },
    ],
    reason: "Connections that are to be watched",
  };
}

/**
 * A client that uses the port of a connection which its server has reset goes on with the same flow, as
 * conntrack sees it (nf_conntrack_proto_tcp.c).
 */
function planReused({ listenerPort }: Scope, { workers }: LiveOptions): OpenChain {
  return {
    name: REUSED_CHAIN,
    place: "live-step",
    rules: eachWorker(workers, { original: false }, (worker) => ({
      kind: "question",
      prefix: WATCH_PREFIX.reused,
      group: watchGroup(listenerPort, worker),
    })),
    reason: "A worker has conntrack forget the flow, and its client sends the SYN again",
  };
}

function planBegun({ listenerPort }: Scope, { workers }: LiveOptions): OpenChain {
  const copy = (worker: number): Effect => ({
    kind: "copy",
    prefix: WATCH_PREFIX.begin,
    group: watchGroup(listenerPort, worker),
  });
  return {
    name: BEGUN_CHAIN,
    place: "live-step",
    rules: [
      {
        conditions: [],
        effect: { kind: "label", label: FLOW_LABEL.watched },
        reason: "What its client says is held",
      },
      {
        conditions: [{ kind: "flow-label", label: FLOW_LABEL.watched, negate: true }],
        effect: goTo(REUSED_CHAIN),
        reason: "An earlier flow of the port began when nobody labelled any: it has no room for labels",
      },
      ...FAST_OPEN.map((option): PlannedRule => ({
        conditions: [TCP, { kind: "tcp-option", option }],
        effect: { kind: "reset-option", option },
        reason: "Data in a SYN would pass unseen: the client sends them again",
      })),
      ...eachWorker(workers, { original: false }, copy),
    ],
    reason: "Connections that begin to be watched",
  };
}

function planHold(
  { families, listenerPort }: Scope,
  { workers, holding }: LiveOptions,
): OpenChain[] {
  const group = (worker: number) => watchGroup(listenerPort, worker);
  const log = (prefix: string) => (worker: number): Effect => ({
    kind: "question",
    prefix,
    group: group(worker),
  });
  const each = (effect: (worker: number) => Effect) => eachWorker(workers, { original: false }, effect);
  const logged = [
    ...each(log(WATCH_PREFIX.redirected)).map(({ conditions, ...rule }): PlannedRule => ({
      ...rule,
      conditions: [{ kind: "redirected-flow" }, ...conditions],
    })),
    ...each(log(WATCH_PREFIX.held)),
  ];
  return [{
    name: HELD_CHAIN,
    place: "live-step",
    rules: [
      ...families.map((family): PlannedRule => ({
        conditions: [{ kind: "family", family }, { kind: "ttl", family, ttl: LAST_HOP }],
        effect: LEAVE,
        reason: "It goes no further than here",
      })),
      ...(holding === "queue" ? each((worker) => ({ kind: "hold", queue: group(worker) })) : logged),
    ],
    reason: "What clients say before their names are known",
  }, {
    name: WATCHED_CHAIN,
    place: "live-step",
    rules: [
      {
        conditions: [{ kind: "carries-data" }],
        effect: goTo(HELD_CHAIN),
        reason: "Servers that speak first wait for nobody",
      },
    ],
    reason: "Clients of flows that are watched",
  }, {
    name: "hold",
    place: "hold",
    rules: [
      // Not a chain of NAT, which only first packets meet: where there is none, each flow would pay for it.
      // Nor by conntrack's state: a port that is used again may be no new flow to it.
      {
        conditions: [newFlow("tcp")],
        effect: goTo(BEGIN_CHAIN),
        reason: "It may be about to be watched",
      },
      {
        // The direction costs less than a label, and spares half of all packets one.
        conditions: [FROM_CLIENT, { kind: "flow-label", label: FLOW_LABEL.released, negate: false }],
        effect: LEAVE,
        reason: "Nearly all of what clients say",
      },
      {
        conditions: [FROM_CLIENT, { kind: "flow-label", label: FLOW_LABEL.watched, negate: false }],
        effect: goTo(WATCHED_CHAIN),
        reason: "Flows without a name so far",
      },
    ],
    reason: "Flows that are watched, or about to be",
  }];
}

/** Plans the rules for what is sent once more, among those for what the proxy sends. */
export function planResent(scope: Scope): PlannedRule[] {
  if (!watches(scope)) return [];
  return [
    {
      conditions: [{ kind: "priority", priority: RESENT_PRIORITY.released }],
      effect: { kind: "label", label: FLOW_LABEL.released },
      reason: "From now on the kernel alone forwards the flow",
    },
    {
      conditions: [{ kind: "priority", priority: RESENT_PRIORITY.refused }, TCP],
      effect: { kind: "refuse-with", answer: "tcp-reset" },
      reason: "To conntrack the reset belongs to the flow, so every firewall lets it pass",
    },
    ...(scope.watchesUdp
      ? [
        {
          conditions: [{ kind: "priority", priority: RESENT_PRIORITY.refused }, UDP],
          effect: { kind: "refuse-with", answer: "port-unreachable" },
          reason: "The same of the error that tells a client of UDP",
        } as const,
      ]
      : []),
  ];
}
