/**
 * The flows that the rules of a running proxy remember, as clients send. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { planFlowSets } from "../concerns/flow_set.ts";
import { planMarkMaps } from "../concerns/forward_path/flow_marks.ts";
import { planAnsweredSets } from "../concerns/forward_path/answered.ts";
import type { PlannedSet } from "../rules/set.ts";
import type { Scope } from "../scope.ts";
import type { LiveOptions } from "./options.ts";

/** A packet needs microseconds for the forward path; longer where a program decides on it (NFQUEUE). */
const ASKING_SECONDS = 5;
/** A neighbour is silent for three seconds until the kernel says so. */
const DIALLED_SECONDS = 5;
/** The most of these; clients of further ones hear nothing of it. */
const MAX_DIALLED = 8192;

/** Names the set of flows whose first packet is on its way through the forward path. */
export function askingSet(family: Family): string {
  return `asking_${family}`;
}

/** Names the set of those that ask from client to client too. */
export function insistingSet(family: Family): string {
  return `insisting_${family}`;
}

/** Names the set of flows of UDP that the listener gets. */
export function knownSet(family: Family): string {
  return `known_${family}`;
}

/** Names the set of connections that the proxy dials from their clients' addresses. */
export function dialledSet(family: Family): string {
  return `dialled_${family}`;
}

/** Plans the sets. */
export function planMemory(scope: Scope, options: LiveOptions): PlannedSet[] {
  const { families, tcp, udp, brings } = scope;
  if (!brings) return [];
  const { accepting, udpKnownSeconds, limits } = options;
  return [
    ...(udp
      ? planFlowSets(families, {
        nameOf: knownSet,
        timeoutSeconds: udpKnownSeconds,
        size: limits.known,
        reason: "UDP that the proxy relays",
      })
      : []),
    ...(tcp
      ? planFlowSets(families, {
        nameOf: dialledSet,
        timeoutSeconds: DIALLED_SECONDS,
        size: MAX_DIALLED,
        reason: "Connections that the proxy dials from their clients' addresses",
      })
      : []),
    ...planMarkMaps(scope, options),
    // As the install has them, which a reload makes anew, empty.
    ...planAnsweredSets(scope),
    ...(accepting
      ? planFlowSets(families, {
        nameOf: askingSet,
        timeoutSeconds: ASKING_SECONDS,
        size: limits.asking,
        reason: "Flows whose first packet is on its way through the router",
      })
      : []),
    ...(accepting && scope.insisting.length > 0
      ? planFlowSets(families, {
        nameOf: insistingSet,
        timeoutSeconds: ASKING_SECONDS,
        size: limits.asking,
        reason: "Those of them that ask from client to client too",
      })
      : []),
  ];
}
