/**
 * The walk of {@linkcode Policy.decide} in words: for people who ask why. Pure.
 * @module
 */
import type { Flow } from "./flow.ts";
import type { PolicyImage } from "./image.ts";
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
  UNDECIDABLE,
} from "./policy.ts";

/** A rule that does not decide. */
export interface PassedOver {
  readonly rule: number;
  readonly name: string;
  /** `the client is not among its networks`. */
  readonly why: string;
}

/** Reasons for a flow's way. */
export interface Explanation {
  /** In the order of the file. */
  readonly passedOver: readonly PassedOver[];
  /** Answer of {@linkcode Policy.decide}. */
  readonly decision: number;
  /** `rules[2] (guests): block`. */
  readonly why: string;
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

/** Walks the rules as {@linkcode Policy.decide} does. */
export function explain(image: PolicyImage, flow: Flow): Explanation {
  const policy = new Policy(image);
  const passedOver: PassedOver[] = [];
  if (!policy.intercepts(flow)) {
    const why = "intercept: its family, protocol or port is not intercepted";
    return { passedOver, decision: NOT_INTERCEPTED, why };
  }
  for (const [rule, { name, action }] of image.routes.entries()) {
    const met = policy.examine(rule, flow);
    const label = `rules[${rule}] (${name})`;
    if (met === MATCHES) return { passedOver, decision: rule, why: `${label}: ${action}` };
    if (met >= FIRST_DOUBT) {
      const decision = met === NAME_NOT_ASKED ? NAME_NEEDED : UNDECIDABLE;
      return { passedOver, decision, why: `${label} may match: ${wordsFor(met)}` };
    }
    passedOver.push({ rule, name, why: wordsFor(met) });
  }
  return { passedOver, decision: DEFAULT_RULE, why: `default: ${image.otherwise.action}` };
}

function wordsFor(met: number): string {
  const words = REASONS.get(met);
  if (words === undefined) throw new TypeError(`No words for ${met}`);
  return words;
}
