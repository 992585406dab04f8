/**
 * Words of a config, and of the machine, that a published text must not have. Pure.
 * @module
 */
import type { Config, HostAndPort, UpstreamConfig } from "../../config/types.ts";
import type { KnownWord, WordKind } from "./masker.ts";

/** Lists them. `host`: the machine's name. */
export function listKnownWords(config: Config, host: string): KnownWord[] {
  const { rules, upstreams, groups, checks } = config;
  const of = (kind: WordKind, words: readonly (string | undefined)[]) =>
    words.flatMap((word) => word === undefined || word === "" ? [] : [{ kind, word }]);
  return [
    ...of("host", [host, host.split(".")[0]]),
    ...of("name", rules.flatMap(({ domains = [] }) => domains.map((name) => name.replace(/^\*?\./, "")))),
    ...of("name", [hostOf(checks.target), ...Object.values(upstreams).flatMap(hostsOf)]),
    ...of(
      "user",
      Object.values(upstreams).map((upstream) => "username" in upstream ? upstream.username : ""),
    ),
    ...of("rule", rules.map(({ name }) => name)),
    ...of("upstream", [...Object.keys(upstreams), ...Object.keys(groups)]),
  ];
}

function hostsOf(upstream: UpstreamConfig): (string | undefined)[] {
  return [hostOf(upstream.check.target), "address" in upstream ? hostOf(upstream.address) : undefined];
}

function hostOf(place: "none" | HostAndPort): string | undefined {
  return typeof place === "object" && "host" in place ? place.host : undefined;
}
