/**
 * The way of a packet, only parts of which are known, through a base chain of nf_tables. Pure.
 * @module
 */
import type { Verdict, VerdictCode } from "../../netlink/nft/data.ts";
import type { NftChain } from "../../netlink/nft/chain.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { KnownPacket } from "./known_packet.ts";
import { type FindSet, matchRule } from "./packet_match.ts";

/** The chains and rules of one table. */
export interface WalkedTable {
  readonly chains: readonly NftChain[];
  /** In the kernel's order. */
  readonly rules: readonly NftRule[];
  readonly findSet: FindSet;
}

/** The end of the packet's way through a base chain. */
export interface WalkResult {
  /** The verdict if nothing matches that cannot be judged. */
  readonly verdict: "accept" | "drop";
  /** The rule that decides so: `its policy`, or `rule 7 of chain handle_reject`. */
  readonly by: string;
  /** Set where it might be accepted, if rules that cannot be judged match. */
  readonly mayPass: boolean;
}

/** `end`: the packet leaves the chain without a verdict. `next`: it goes on to the next rule. */
type Outcome = "accept" | "drop" | "end" | "next";

interface Fate {
  readonly possible: ReadonlySet<Outcome>;
  readonly assumed: Outcome;
  readonly by: string;
}

/** NFT_JUMP_STACK_SIZE, linux/netfilter/nf_tables.h */
const MAX_DEPTH = 16;

/** Walks the packet through a base chain. */
export function walkBaseChain(table: WalkedTable, chain: NftChain, packet: KnownPacket): WalkResult {
  const fate = walkChain(chain.name, { table, packet, depth: 0 });
  const policy = chain.base?.policy ?? "accept";
  const ends = fate.assumed === "end";
  return {
    verdict: ends ? policy : fate.assumed === "drop" ? "drop" : "accept",
    by: ends ? "its policy" : fate.by,
    mayPass: fate.possible.has("accept") || (fate.possible.has("end") && policy === "accept"),
  };
}

interface Walk {
  readonly table: WalkedTable;
  readonly packet: KnownPacket;
  readonly depth: number;
}

function walkChain(name: string, walk: Walk): Fate {
  const possible = new Set<Outcome>();
  let assumed: Outcome | undefined;
  let by = "";
  for (const rule of walk.table.rules.filter(({ chain }) => chain === name)) {
    const match = matchRule(rule.expressions, walk.packet, walk.table.findSet);
    if (match.sure && !match.matches) continue;
    for (const verdict of match.others ?? []) add(possible, follow(verdict, rule, walk).possible);
    if (match.verdict === undefined) continue;
    const fate = follow(match.verdict, rule, walk);
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
    const fate = walkChain(chain, { ...walk, depth: walk.depth + 1 });
    return code === "jump" ? replaceEnd(fate) : fate;
  }
  const outcome = outcomeOf(code);
  return { possible: new Set([outcome]), assumed: outcome, by: `rule ${rule.handle} of chain ${rule.chain}` };
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
