/**
 * The walk of {@linkcode Policy.decide} in words: for people who ask why. Pure.
 * @module
 */
import type { Flow } from "./flow.ts";
import type { PolicyImage } from "./image.ts";
import { type Outcome, outcomeOf, undecidedOutcome } from "./outcome.ts";
import {
  DEFAULT_RULE,
  FIRST_DOUBT,
  HARDWARE_UNKNOWN,
  INTERFACE_UNKNOWN,
  MATCHES,
  NAME_NEEDED,
  NAME_NOT_ASKED,
  NAME_NOT_COMPARED,
  NO_NAME,
  NOT_INTERCEPTED,
  OTHER_CLIENT,
  OTHER_DESTINATION,
  OTHER_HARDWARE,
  OTHER_INTERFACE,
  OTHER_NAME,
  OTHER_PORT,
  OTHER_PROTOCOL,
  Policy,
} from "./policy.ts";
import type { Route } from "./routes/route.ts";

/** A rule, and why it does not decide, or not yet. */
export interface PassedOver {
  readonly rule: number;
  readonly name: string;
  /** `the client is not among its networks`. */
  readonly why: string;
}

/** Reasons for a flow's way. */
export interface Explanation {
  /** Rules without a match, in the order of the file. */
  readonly passedOver: readonly PassedOver[];
  /** Rules that the name decides on, while nobody has asked for it. */
  readonly byName: readonly PassedOver[];
  /** Answer of {@linkcode Policy.decide}. */
  readonly decision: number;
  /** `rules[2] (guests): block`; where the name decides, this is how the flow ends without one. */
  readonly why: string;
  /** The way of the flow; where the name decides, its way without one; null: nobody here can tell. */
  readonly route: Route | null;
  /** The kernel's treatment of the flow; null: nobody here can tell. */
  readonly outcome: Outcome | null;
  /** Tells whether its server is dialled before its name is known: see {@linkcode Policy.dialsAhead}. */
  readonly dialsAhead: boolean;
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [OTHER_PROTOCOL, "it is for the other protocol"],
  [OTHER_PORT, "the port is not among its ports"],
  [OTHER_CLIENT, "the client is not in its networks"],
  [OTHER_DESTINATION, "the destination is not in its networks"],
  [OTHER_INTERFACE, "the flow does not come through its interfaces"],
  [OTHER_HARDWARE, "the client's hardware address is not among its own"],
  [NO_NAME, "the flow has no name"],
  [OTHER_NAME, "the name is not among its domains"],
  [NAME_NOT_ASKED, "it depends on the name that the client asks for"],
  [INTERFACE_UNKNOWN, "nobody knows here through which interface the flow comes"],
  [HARDWARE_UNKNOWN, "nobody knows the client's hardware address here"],
  [NAME_NOT_COMPARED, "nobody has read its names"],
]);

/** Walks the rules as {@linkcode Policy.decide} does, and on to how a flow without a name ends. */
export function explain(image: PolicyImage, flow: Flow): Explanation {
  const policy = new Policy(image);
  const passedOver: PassedOver[] = [];
  const byName: PassedOver[] = [];
  const decision = policy.decide(flow);
  const answer = (why: string, end: number | null): Explanation => {
    const route = end === null ? null : policy.routeFor(end, flow);
    const ends = [
      ...byName.map(({ rule }) => policy.routeFor(rule, flow)),
      ...(route === null ? [] : [route]),
    ];
    const outcome = route === null ? null : undecidedOutcome(ends.map(outcomeOf));
    const dialsAhead = outcome?.kind === "proxy" && decision === NAME_NEEDED && policy.dialsAhead(flow);
    return { passedOver, byName, decision, why, route, outcome, dialsAhead };
  };
  if (decision === NOT_INTERCEPTED) {
    return answer("intercept: its family, protocol or port is not intercepted", null);
  }
  for (const [rule, { name, action }] of image.routes.entries()) {
    const met = policy.examine(rule, flow);
    const label = `rules[${rule}] (${name})`;
    if (met === MATCHES) return answer(`${label}: ${action}`, rule);
    if (met === NAME_NOT_ASKED) byName.push({ rule, name, why: wordsFor(met) });
    else if (met >= FIRST_DOUBT) return answer(`${label} may match: ${wordsFor(met)}`, null);
    else passedOver.push({ rule, name, why: wordsFor(met) });
  }
  return answer(`default: ${image.otherwise.action}`, DEFAULT_RULE);
}

function wordsFor(met: number): string {
  const words = REASONS.get(met);
  if (words === undefined) throw new TypeError(`No words for ${met}`);
  return words;
}
