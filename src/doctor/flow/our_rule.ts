/**
 * The rule of an install that decides on a flow. Pure.
 * @module
 */
import { DIVERT_PRIORITY } from "../../constants.ts";
import { INTERCEPT_CHAIN } from "../../kernel/plan/concerns/decision.ts";
import { type Marks, withBits } from "../../marks.ts";
import type { Outcome } from "../../policy/outcome.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import { rejects } from "../firewall/effects.ts";
import { formatRule } from "../packet/rule_text.ts";
import type { RuleMatch } from "../packet/packet_match.ts";
import { walkBaseChain } from "../packet/packet_walk.ts";
import { type FlowPacket, markOf } from "./packet.ts";

/** The rule, and what it does. */
export interface OurDecision {
  /** Unset: the end of the chain decides. */
  readonly rule?: { readonly chain: string; readonly handle: number; readonly text: string };
  readonly outcome: Outcome;
  /** Set where the proxy gets it from client to client too. */
  readonly insists: boolean;
  /** Unset where a fact is missing, such as the hardware address. */
  readonly certain: boolean;
}

/** Tells whether a chain is where new flows of clients are decided on. */
export function isDeciding({ chain: { base } }: FirewallChain): boolean {
  return base?.hook === "prerouting" && base.priority === DIVERT_PRIORITY;
}

interface Met extends RuleMatch {
  readonly rule: NftRule;
  readonly surely: boolean;
}

/** The facts of an install that rules are read by. */
export interface InstallFacts {
  readonly marks: Marks;
  readonly listenerPort: number;
}

/** Finds it. The packet is left as it is: an install takes its own marks back. */
export function decideByRules(of: FirewallChain, packet: FlowPacket, facts: InstallFacts): OurDecision {
  const met: Met[] = [];
  // A flow that begins has no socket here.
  walkBaseChain(of.table!, of.chain, { ...packet, hasSocket: false }, {
    visit(rule, match, { surely, assumed }) {
      if (match.matches && assumed) met.push({ ...match, rule, surely });
    },
  });
  const inside = met.findIndex(({ rule }) => rule.chain === INTERCEPT_CHAIN);
  const decided = met.slice(inside < 0 ? 0 : inside);
  const first = decided.at(0);
  return {
    ...(first === undefined ? {} : { rule: describe(first.rule, of) }),
    outcome: outcomeOf(decided, facts),
    insists: insists(decided, facts),
    certain: first?.surely ?? true,
  };
}

function describe(rule: NftRule, { table }: FirewallChain): NonNullable<OurDecision["rule"]> {
  const text = formatRule(rule.expressions, { tongue: "nft", findSet: (name) => table?.findSet(name) });
  return { chain: rule.chain, handle: Number(rule.handle ?? 0n), text };
}

/** Tells the effect of the rules on the assumed way, the first of which decides. */
function outcomeOf(rules: readonly Met[], { marks, listenerPort }: InstallFacts): Outcome {
  for (const { rule: { expressions }, mark, verdict } of rules) {
    const port = listenerOf(expressions);
    if (port !== undefined) return port === listenerPort ? { kind: "proxy" } : { kind: "program", port };
    const bits = mark === undefined ? 0 : markOf(mark);
    if (hasBits(bits, marks.watch)) return { kind: "watch" };
    if (hasBits(bits, marks.asks)) return { kind: "proxy" };
    if (rejects(expressions)) return { kind: "refuse", silently: false };
    if (verdict?.code === "drop") return { kind: "refuse", silently: true };
  }
  return { kind: "pass" };
}

/** Tells whether the first rule that gives a mark gives that of what asks from client to client too. */
function insists(rules: readonly Met[], { marks }: InstallFacts): boolean {
  const first = rules.find(({ mark }) => mark !== undefined)?.mark;
  return first !== undefined && hasBits(markOf(first), marks.insists);
}

function hasBits(mark: number, bits: number): boolean {
  return withBits(mark, bits) === mark;
}

/** The port that `tproxy` of a rule leads to. */
function listenerOf(expressions: readonly NftExpression[]): number | undefined {
  const steer = expressions.find((expression) => expression.kind === "tproxy");
  if (steer?.portRegister === undefined) return undefined;
  const loaded = expressions.find((expression) =>
    expression.kind === "immediate" && expression.register === steer.portRegister
  );
  return loaded?.kind === "immediate" ? loaded.value[0] << 8 | loaded.value[1] : undefined;
}
