/**
 * A router as pieces that can be left out one by one, and the text of its rules.
 * @module
 */
import type { Flow } from "./calls.ts";

/** Places of rules in the administrator's table, in nft's words, and what always stands first there. */
export const CHAINS = {
  raw: { type: "filter hook prerouting priority raw", first: "" },
  marking: { type: "filter hook prerouting priority mangle", first: "" },
  dstnat: { type: "nat hook prerouting priority dstnat", first: "" },
  input: { type: "filter hook input priority filter", first: "iif lo accept" },
  innat: { type: "nat hook input priority 100", first: "" },
  mangling: { type: "filter hook forward priority mangle", first: "" },
  forward: { type: "filter hook forward priority filter", first: "" },
  later: { type: "filter hook forward priority 10", first: "" },
  rerouting: { type: "route hook output priority mangle", first: "" },
  outnat: { type: "nat hook output priority -100", first: "" },
  output: { type: "filter hook output priority filter", first: "oif lo accept" },
  leaving: { type: "filter hook postrouting priority mangle", first: "" },
  srcnat: { type: "nat hook postrouting priority srcnat", first: "" },
} as const;

/** A place of {@linkcode CHAINS}. */
export type ChainName = keyof typeof CHAINS;

/** Chains whose rules see new flows alone, as firewalls have it. */
const STATEFUL: readonly ChainName[] = ["input", "forward", "later", "output"];

/** A part of what the administrator has done. */
export type Piece =
  | { readonly kind: "rule"; readonly chain: ChainName; readonly rule: string; readonly sets?: string }
  | { readonly kind: "policy"; readonly chain: ChainName }
  /** Commands on the router (`sh`), before the rules; `links`: before these too. */
  | { readonly kind: "links" | "commands"; readonly commands: string }
  /** Commands in a host's namespace. */
  | { readonly kind: "host"; readonly place: string; readonly commands: string };

/** A router, and what is tried there. */
export interface RandomRouter {
  readonly seed: number;
  readonly pieces: readonly Piece[];
  readonly flows: readonly Flow[];
  /** Rules of tproxy's config. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Tells whether r0 is a port of a bridge. */
export function hasBridge({ pieces }: RandomRouter): boolean {
  return pieces.some((piece) => piece.kind === "links" && piece.commands.includes("br-lan"));
}

/** Names the LAN's interface as it is. */
export function withLan(router: RandomRouter, text: string): string {
  return hasBridge(router) ? text.replace(/\br0\b/g, "br-lan") : text;
}

/** The administrator's table as nft reads it. */
export function rulesText(router: RandomRouter): string {
  const untracked = router.pieces.some((piece) => piece.kind === "rule" && piece.rule.includes("notrack"));
  const chains = Object.keys(CHAINS).map((name) => chainText(router, name as ChainName, untracked));
  const sets = router.pieces.flatMap((piece) =>
    piece.kind === "rule" && piece.sets ? [`  ${piece.sets}\n`] : []
  );
  return withLan(router, `table inet admin {\n${[...new Set(sets)].join("")}${chains.join("")}}\n`);
}

function chainText({ pieces }: RandomRouter, chain: ChainName, untracked: boolean): string {
  const rules = pieces.flatMap((piece) => piece.kind === "rule" && piece.chain === chain ? [piece.rule] : []);
  const drops = pieces.some((piece) => piece.kind === "policy" && piece.chain === chain);
  if (rules.length === 0 && !drops) return "";
  const { type, first } = CHAINS[chain];
  const heads = !STATEFUL.includes(chain) ? [] : [
    `ct state established,related${untracked ? ",untracked" : ""} accept`,
    "meta l4proto { icmp, ipv6-icmp } accept",
  ];
  const lines = [`type ${type}; policy ${drops ? "drop" : "accept"};`, ...heads, first, ...rules];
  return `  chain ${chain} {\n${
    lines.filter((line) => line !== "").map((line) => `    ${line}\n`).join("")
  }  }\n`;
}

/** The whole router in words, for a report. */
export function describeRouter(router: RandomRouter): string {
  const words = router.pieces.flatMap((piece) => {
    if (piece.kind === "links") return [piece.commands];
    if (piece.kind === "commands") return [withLan(router, piece.commands)];
    return piece.kind === "host" ? [`(${piece.place}) ${piece.commands}`] : [];
  });
  return [...words, rulesText(router), `config ${JSON.stringify(router.config)}`].join("\n");
}
