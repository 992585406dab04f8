/**
 * The policy's part of what `tproxy explain` says. Pure.
 * @module
 */
import type { DomainLists } from "../../config/files/domain_lists.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Protocol } from "../../config/types.ts";
import { canonicalName } from "../../names/canonical.ts";
import { findName } from "../../names/set.ts";
import type { Explanation } from "../../policy/explain.ts";
import { nameSources } from "../../policy/name_sets.ts";
import { NAME_NEEDED } from "../../policy/policy.ts";
import { upstreamAt } from "../../policy/routes/upstream_places.ts";
import type { Endpoint } from "../../net/ip.ts";
import { isDown, statesOf, type UpstreamReport } from "./upstreams.ts";

/** The policy's answer, as `--json` prints it. */
export interface PolicyAnswer {
  /** Number of the rule; null: the default, or nobody can tell yet. */
  readonly rule: number | null;
  readonly why: string;
  /** The kernel's treatment: pass, refuse, program, proxy or watch; null: not intercepted, or unknown. */
  readonly kernel: string | null;
  readonly action: string | null;
  /** Set where a block tells the client nothing. */
  readonly silent: boolean;
  /** Upstreams that can carry the flow, in their order. */
  readonly upstreams: readonly string[];
  readonly whenDown: string | null;
  /** Tells whether the flow waits for a name, and why. */
  readonly waits: { readonly forName: boolean; readonly why: string };
  /** The place of the entry that has the name: `FILE:LINE`. */
  readonly entry: string | null;
  readonly passedOver: Explanation["passedOver"];
  /** Rules that the name decides on. */
  readonly byName: Explanation["byName"];
}

/** Facts that the answer is made of. */
export interface AnswerParts {
  readonly loaded: LoadedConfig;
  readonly lists: DomainLists;
  readonly protocol: Protocol;
  readonly server: Endpoint;
  readonly domain: string | undefined;
  readonly explanation: Explanation;
  /** The same before the flow's name is known: all that the kernel goes by. */
  readonly unasked: Explanation;
  /** The running proxy; undefined: none tells of its upstreams. */
  readonly proxy: UpstreamReport | undefined;
}

/** The kernel lets pass what goes to an upstream itself, where it would have come to the proxy. */
const TO_UPSTREAM = {
  rule: null,
  kernel: "pass",
  action: "bypass",
  silent: false,
  upstreams: [],
  whenDown: null,
  waits: { forName: false, why: "nobody is led there through an upstream" },
  entry: null,
  byName: [],
} as const;

/** Makes the answer. */
export function answerByPolicy(parts: AnswerParts): PolicyAnswer {
  const { loaded, lists, domain, explanation, unasked } = parts;
  const { decision, why, route, passedOver, byName } = explanation;
  const proxied = route?.action === "proxy";
  const names = Object.keys(loaded.config.upstreams);
  const itself = unasked.outcome?.kind === "proxy" ? upstreamAt(loaded.config, parts.server) : undefined;
  if (itself !== undefined) return { ...TO_UPSTREAM, why: `this is upstream ${itself} itself`, passedOver };
  return {
    rule: decision >= 0 ? decision : null,
    why,
    kernel: unasked.outcome?.kind ?? null,
    action: route?.action ?? null,
    silent: route?.silent ?? false,
    upstreams: proxied ? route.upstreams.map((number) => names[number]) : [],
    whenDown: proxied ? route.whenDown : null,
    waits: waitOf(parts),
    entry: domain === undefined || decision < 0 ? null : findEntry(loaded, lists, decision, domain),
    passedOver,
    byName,
  };
}

function waitOf(parts: AnswerParts): PolicyAnswer["waits"] {
  const { decision, outcome, byName, dialsAhead } = parts.unasked;
  if (decision !== NAME_NEEDED) {
    const teller = upstreamToldNames(parts);
    if (teller !== undefined) {
      const why = `upstream ${teller} is told names (send: name): the proxy reads the name before it dials`;
      return { forName: true, why };
    }
    const why = byName.length === 0
      ? "no name decides on it"
      : "it ends in the same way whatever its name is";
    return { forName: false, why };
  }
  const rules = byName.map(({ rule, name }) => `rules[${rule}] (${name})`).join(", ");
  const way = outcome?.kind === "watch"
    ? "it is forwarded at once, and what completes the name is held until that is read"
    : dialsAhead
    ? "its server is dialled at once, for no name leads elsewhere, and hears nothing before the name is read"
    : "the proxy reads the name before it dials, for it may have to go elsewhere";
  return { forName: true, why: `${rules}: ${way}` };
}

/** Finds the first upstream that a flow may be led through and that is told its name. */
function upstreamToldNames(
  { loaded: { config }, protocol, unasked, proxy }: AnswerParts,
): string | undefined {
  const { route } = unasked;
  if (protocol !== "tcp" || route?.action !== "proxy") return undefined;
  const all = Object.keys(config.upstreams);
  const names = route.upstreams.map((number) => all[number]);
  // Then it is dialled at once.
  if (route.whenDown === "direct" && statesOf(names, proxy).every(isDown)) return undefined;
  return names.find((name) => {
    const upstream = config.upstreams[name];
    return "send" in upstream && upstream.send === "name";
  });
}

/** Finds the place of the name in a rule's domains, or in one of its files. */
function findEntry(
  { config, origin, locate }: LoadedConfig,
  lists: DomainLists,
  rule: number,
  domain: string,
): string | null {
  const { entry } = findName(nameSources(config.rules[rule], lists), canonicalName(domain) ?? domain);
  if (entry === undefined) return null;
  if ("path" in entry) return `${entry.path}:${entry.line.number}`;
  const place = locate(["rules", rule, "domains", entry.domain]);
  return place === undefined ? origin : `${origin}:${place.line}:${place.column}`;
}

const KERNEL_WORDS: Readonly<Record<string, string>> = {
  pass: "forwards it",
  refuse: "refuses it",
  program: "gives it to the other program",
  proxy: "gives it to the proxy",
  watch: "forwards it, and watches for its name",
};

/** Words it, a line for each part. */
export function wordPolicy(answer: PolicyAnswer): string[] {
  const { passedOver, byName, kernel, why, entry, waits } = answer;
  const found = entry === null ? "" : `, by ${entry}`;
  return [
    ...passedOver.map(({ rule, name, why }) => `rules[${rule}] (${name}): no, ${why}`),
    ...byName.map(({ rule, name }) => `rules[${rule}] (${name}): if the name is among its domains`),
    `decides: ${why}${byName.length > 0 && waits.forName ? ", where no name does" : ""}${found}`,
    `kernel: ${kernel === null ? "cannot be told from this" : KERNEL_WORDS[kernel]}`,
    `waits: ${waits.forName ? "yes" : "no"}, ${waits.why}`,
  ];
}
