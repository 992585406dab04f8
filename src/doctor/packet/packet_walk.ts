/**
 * The way of a packet, only parts of which are known, through a base chain of nf_tables. Pure.
 * @module
 */
import type { Verdict, VerdictCode } from "../../netlink/nft/data.ts";
import type { NftChain } from "../../netlink/nft/chain.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { KnownPacket } from "./known_packet.ts";
import type { FindSet } from "./known_set.ts";
import { type Limits, matchRule, type RuleMatch } from "./packet_match.ts";

/** The rules of one table. */
export interface WalkedTable {
  /** In the kernel's order. */
  readonly rules: readonly NftRule[];
  readonly findSet: FindSet;
}

/** The end of the packet's way through a base chain. */
export interface WalkResult {
  /** The verdict if nothing matches that cannot be judged. */
  readonly verdict: "accept" | "drop";
  /** The rule that decides so; undefined: the chain's policy. */
  readonly by: NftRule | undefined;
  /** Set where it might be accepted, if rules that cannot be judged match. */
  readonly mayPass: boolean;
  /** The same for a drop. */
  readonly mayDrop: boolean;
}

/** The place of a rule on the packet's way. */
export interface Reached {
  /** Nothing before it that cannot be judged may have ended the way. */
  readonly surely: boolean;
  /** Set where it lies on the way of which `verdict` is the end. */
  readonly assumed: boolean;
}

/** `end`: the packet leaves the chain without a verdict. `next`: it goes on to the next rule. */
type Outcome = "accept" | "drop" | "end" | "next";

interface Fate {
  readonly possible: ReadonlySet<Outcome>;
  readonly assumed: Outcome;
  readonly by: NftRule | undefined;
}

/** NFT_JUMP_STACK_SIZE, linux/netfilter/nf_tables.h */
const MAX_DEPTH = 16;

/**
 * Chains that a walk goes into: a few chains that jump to each other many times make more ways than anybody
 * can walk. Behind them anything may happen.
 */
const MOST_CHAINS = 2000;
const ANYTHING: ReadonlySet<Outcome> = new Set(["accept", "drop", "next"]);

/** Options of a walk. */
export interface WalkOptions {
  /** State of limits; `unreached` without. */
  readonly limits?: Limits;
  /** Told of each rule that may match, in the order of the walk. */
  visit?(rule: NftRule, match: RuleMatch, reached: Reached): void;
}

/** Walks the packet through a base chain. */
export function walkBaseChain(
  table: WalkedTable,
  chain: NftChain,
  packet: KnownPacket,
  options: WalkOptions = {},
): WalkResult {
  const fate = walkChain(chain.name, {
    table,
    packet,
    options,
    depth: 0,
    chains: { left: MOST_CHAINS },
    reached: { surely: true, assumed: true },
  });
  const policy = chain.base?.policy ?? "accept";
  const ends = fate.assumed === "end";
  return {
    verdict: ends ? policy : fate.assumed === "drop" ? "drop" : "accept",
    by: ends ? undefined : fate.by,
    mayPass: fate.possible.has("accept") || (fate.possible.has("end") && policy === "accept"),
    mayDrop: fate.possible.has("drop") || (fate.possible.has("end") && policy === "drop"),
  };
}

interface Walk {
  readonly table: WalkedTable;
  readonly packet: KnownPacket;
  readonly options: WalkOptions;
  readonly depth: number;
  /** Chains that the whole walk may still go into. */
  readonly chains: { left: number };
  readonly reached: Reached;
}

function walkChain(name: string, walk: Walk): Fate {
  const { packet, table: { findSet, rules }, options: { limits = "unreached", visit } } = walk;
  const possible = new Set<Outcome>();
  let assumed: Outcome | undefined;
  let by: NftRule | undefined;
  for (const rule of rules) {
    if (rule.chain !== name) continue;
    const match = matchRule(rule.expressions, { packet, findSet, limits });
    if (match.sure && !match.matches) continue;
    const reached = {
      surely: walk.reached.surely && possible.size === 0,
      assumed: walk.reached.assumed && assumed === undefined,
    };
    visit?.(rule, match, reached);
    const perhaps = { ...walk, reached: { surely: false, assumed: false } };
    for (const verdict of match.others ?? []) add(possible, follow(verdict, rule, perhaps).possible);
    if (match.verdict === undefined) continue;
    const fate = follow(match.verdict, rule, {
      ...walk,
      reached: { surely: reached.surely && match.sure, assumed: reached.assumed && match.matches },
    });
    add(possible, fate.possible);
    if (assumed === undefined && match.matches && fate.assumed !== "next") {
      assumed = fate.assumed;
      by = fate.by;
    }
    if (match.sure && !fate.possible.has("next")) return { possible, assumed: assumed ?? "end", by };
  }
  possible.add("end");
  return { possible, assumed: assumed ?? "end", by };
}

function add(to: Set<Outcome>, outcomes: ReadonlySet<Outcome>): void {
  for (const outcome of outcomes) if (outcome !== "next") to.add(outcome);
}

function follow({ code, chain }: Verdict, rule: NftRule, walk: Walk): Fate {
  if ((code === "jump" || code === "goto") && chain !== undefined && walk.depth < MAX_DEPTH) {
    if (walk.chains.left-- <= 0) return { possible: ANYTHING, assumed: "next", by: rule };
    const fate = walkChain(chain, { ...walk, depth: walk.depth + 1 });
    return code === "jump" ? replaceEnd(fate) : fate;
  }
  const outcome = outcomeOf(code);
  return { possible: new Set([outcome]), assumed: outcome, by: rule };
}

/** After a jump, a packet that leaves the chain goes on where it came from. */
function replaceEnd({ possible, assumed, by }: Fate): Fate {
  const back = (outcome: Outcome): Outcome => outcome === "end" ? "next" : outcome;
  return { possible: new Set([...possible].map(back)), assumed: back(assumed), by };
}

function outcomeOf(code: VerdictCode): Outcome {
  switch (code) {
    case "drop":
      return "drop";
    case "return":
      return "end";
    case "accept":
    case "queue": // a program decides
      return "accept";
    default:
      return "next";
  }
}
