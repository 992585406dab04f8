/**
 * The chain `router_steer`: what the router's own programs send for the proxy goes to it. Pure.
 * @module
 */
import type { Contribution } from "../contribution.ts";
import type { Scope } from "../scope.ts";
import { forwardToNamed } from "../concerns/named_upstreams.ts";
import type { LiveOptions } from "./options.ts";

/** Plans the chain; none without `intercept.router-traffic`. */
export function planOwn(scope: Scope, options: LiveOptions): Contribution {
  const { ownTraffic, marks, protocols } = scope;
  if (!ownTraffic) return {};
  return {
    chains: [{
      name: "router_steer",
      place: "router-steer",
      rules: [...forwardToNamed(scope, options), {
        // An install of another config may ask for more than this proxy relays.
        conditions: [{ kind: "mark-bits", mask: marks.asks, negate: false }, { kind: "protocol", protocols }],
        effect: { kind: "take-own" },
        reason: "To the loopback interface, and so to the listener",
      }],
      reason: "What asks for the proxy, right behind router",
    }],
  };
}
