/**
 * Upstreams, groups and checks from the keys as they are written.
 * @module
 */
import type { ConfigFile } from "../schema/schema.ts";
import type { CheckConfig, GroupConfig, Source, UpstreamConfig } from "./types.ts";
import { defined } from "../values/defined.ts";

type Given = NonNullable<ConfigFile["upstreams"]>[string];

/** Fills in the defaults of `checks`, or of an upstream's `check`. */
export function resolveChecks(given: ConfigFile["checks"], defaults: CheckConfig): CheckConfig {
  const { interval, timeout, rise, fall, target } = given ?? {};
  return { ...defaults, ...defined({ intervalMs: interval, timeoutMs: timeout, rise, fall, target }) };
}

/** Completes the groups. */
export function resolveGroups(given: NonNullable<ConfigFile["groups"]>): Record<string, GroupConfig> {
  return Object.fromEntries(
    Object.entries(given).map(([name, { members, strategy, "when-down": whenDown }]) => {
      if (members === undefined) throw new TypeError("A group without members passed the schema");
      return [name, { members, strategy: strategy ?? "failover", whenDown: whenDown ?? "block" }];
    }),
  );
}

/** Completes the upstreams. `source`: how `direct` dials where an upstream does not say. */
export function resolveUpstreams(
  given: NonNullable<ConfigFile["upstreams"]>,
  checks: CheckConfig,
  source: Source,
): Record<string, UpstreamConfig> {
  return Object.fromEntries(
    Object.entries(given).map(([name, upstream]) => [name, resolveUpstream(upstream, checks, source)]),
  );
}

function resolveUpstream(given: Given, checks: CheckConfig, source: Source): UpstreamConfig {
  const check = resolveChecks(given.check, checks);
  const common = { families: [...new Set(given.families ?? ["ipv4", "ipv6"] as const)], check };
  const { type, address, username, udp = type !== "direct" } = given;
  if (type === "direct") {
    const { interface: out, mark } = given;
    return { type, ...common, udp, ...defined({ interface: out, mark }), source: given.source ?? source };
  }
  if (type === undefined || address === undefined) {
    throw new TypeError("An incomplete upstream passed the schema");
  }
  const proxyProtocol = given["proxy-protocol"];
  if (type === "forward") {
    const target = "none"; // it is the server
    return {
      type,
      ...common,
      address,
      check: { ...check, target },
      udp: udp && proxyProtocol !== "v1",
      ...defined({ proxyProtocol }),
      source: given.source ?? "router",
    };
  }
  const asked = {
    ...common,
    address,
    ...defined({ username, passwordFile: given["password-file"] }),
    send: given.send ?? "address",
  };
  return type === "socks5"
    ? { type, ...asked, udp, ...defined({ udpAddress: given["udp-address"] }) }
    : { type, ...asked, udp: false };
}
