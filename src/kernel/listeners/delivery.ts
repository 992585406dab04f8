/**
 * Programs to which rules deliver: looks for their listeners in /proc/net, which does not show that a
 * listener is transparent.
 * @module
 */
import type { Config, Protocol, RuleConfig } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";
import { hasListener } from "./socket_table.ts";

/** A port of another program, and for what nobody listens there. */
export interface Delivery {
  readonly port: number;
  /** The rule of the config: its index and name. */
  readonly rule: string;
  /** Protocol and family of flows that nobody takes; empty: all is well. */
  readonly missing: readonly { readonly protocol: Protocol; readonly family: Family }[];
}

/**
 * Finds the listeners that the rules with action deliver need, one after another. `readTextFile` throws
 * Deno's errors.
 */
export function findDeliveries(
  config: Config,
  options: { families: readonly Family[]; readTextFile: (path: string) => string },
): Delivery[] {
  return config.rules.flatMap((rule, index) => {
    const { deliverPort: port } = rule;
    if (port === undefined) return [];
    const missing = config.intercept.protocols.filter((protocol) =>
      rule.protocol === undefined || rule.protocol === protocol
    ).flatMap((protocol) =>
      options.families.filter((family) => concerns(rule, family))
        .filter((family) => !hasListener({ protocol, family, port, anyAddress: true }, options.readTextFile))
        .map((family) => ({ protocol, family }))
    );
    return [{ port, rule: `rules[${index}] (${rule.name})`, missing }];
  });
}

function concerns({ from, to }: RuleConfig, family: Family): boolean {
  return [from, to].every((networks) =>
    networks === undefined || networks.some(({ address }) => address.family === family)
  );
}

/**
 * `Nobody listens on port 3129 for tcp over ipv6, where rules[0] (web cache) delivers`; undefined: somebody
 * does.
 */
export function describeMissing({ port, rule, missing }: Delivery): string | undefined {
  if (missing.length === 0) return undefined;
  const what = missing.map(({ protocol, family }) => `${protocol} over ${family}`).join(", ");
  return `Nobody listens on port ${port} for ${what}, where ${rule} delivers`;
}
