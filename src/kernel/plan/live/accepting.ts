/**
 * The chain `accepting`: the kernel sends for a connection that nobody has accepted yet from a socket that
 * has not inherited its listener's priority. Pure.
 * @module
 */
import { TO_CLIENT } from "../concerns/forward_path/zoned.ts";
import type { Contribution } from "../contribution.ts";
import { TCP } from "../phrases.ts";
import { LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { acceptingSet } from "./memory.ts";

/** Plans the chain; none without TCP. */
export function planAccepting({ tcp, families, clientZone }: Scope): Contribution {
  if (!tcp) return {};
  return {
    chains: [{
      name: "accepting",
      place: "to-clients",
      rules: [
        { conditions: [TO_CLIENT], effect: LEAVE, reason: "Known by its priority: see zoned" },
        ...families.map((family) => ({
          conditions: [
            { kind: "family", family } as const,
            TCP,
            {
              kind: "remembered-flow",
              family,
              set: acceptingSet(family),
            } as const,
          ],
          effect: { kind: "client-leg", zone: clientZone } as const,
          reason: "It acknowledges what the client has sent at once: of the client's leg as well",
        })),
      ],
      reason: "Connections that are about to be accepted",
    }],
  };
}
