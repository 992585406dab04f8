/**
 * Writes rules that have alternatives as chains of plain rules. Pure.
 *
 * iptables has no sets: "one of these sources and one of these destinations" becomes a chain of the sources,
 * from which one goes to a chain of the destinations. All ways are `-g`, so that a packet that reaches the
 * end of any of our chains returns to the rule after the jump: other programs' rules see it as well.
 * @module
 */
import { type Fragment, joinFragments, type Match } from "./fragment.ts";
import { CHAIN_PREFIX, type IptablesChain, type IptablesRule } from "./model.ts";

/** Up to so many alternatives stand in the chain itself. */
const INLINE = 4;

/** A rule before its alternatives are written out. */
export interface SourceRule {
  readonly matches: readonly Match[];
  /** `-g TPROXY_OURS`: it ends the packet's way through the chain. */
  readonly target: string;
  readonly reason: string;
}

interface Draft {
  readonly name: string;
  readonly reason: string;
  readonly rules: IptablesRule[];
}

/** Writes the chains for one planned chain; the first has its name, `divert` → `TPROXY_DIVERT`. */
export function writeChains(
  chain: { readonly name: string; readonly reason: string },
  rules: readonly SourceRule[],
): IptablesChain[] {
  const writer = new ChainWriter(chain);
  for (const rule of rules) writer.add(rule);
  return writer.chains;
}

/** Names the chain for a planned one. */
export function chainName(planned: string): string {
  return `${CHAIN_PREFIX}${planned.toUpperCase()}`;
}

class ChainWriter {
  readonly chains: Draft[] = [];
  readonly #base: string;
  /** The chains at whose end the next rule must be met. */
  #open: Draft[];

  constructor({ name, reason }: { readonly name: string; readonly reason: string }) {
    this.#base = chainName(name);
    this.#open = [this.#makeChain(this.#base, reason)];
  }

  add(rule: SourceRule): void {
    if (rule.matches.some(({ any, negate }) => any.length === 0 && negate !== true)) return;
    const negated = rule.matches.find(({ negate }) => negate);
    if (negated !== undefined) this.#addNegated(rule, negated);
    else this.#addPositive(rule);
  }

  #addPositive({ matches, target, reason }: SourceRule): void {
    const single = matches.filter(({ any }) => any.length === 1).flatMap(({ any }) => any[0]);
    const several = matches.filter(({ any }) => any.length > 1);
    const current = this.#currentChain();
    const put = (chain: Draft, fragments: readonly Fragment[], to: string) =>
      chain.rules.push({ text: joinFragments(fragments, to), reason });
    if (several.length === 0) return void put(current, single, target);
    if (several.length === 1 && several[0].any.length <= INLINE) {
      for (const fragments of several[0].any) put(current, [...single, ...fragments], target);
      return;
    }
    const steps = several.map(() => this.#makeChain(this.#nextName(), reason));
    put(current, single, `-g ${steps[0].name}`);
    for (const [index, { any }] of several.entries()) {
      const to = index === several.length - 1 ? target : `-g ${steps[index + 1].name}`;
      for (const fragments of any) put(steps[index], fragments, to);
    }
    this.#open = [current, ...steps];
  }

  /** "If none of these: return" is "if one of these: go on"; a packet at the end has returned. */
  #addNegated({ matches, target, reason }: SourceRule, negated: Match): void {
    const current = this.#currentChain();
    if (matches.length > 1 || target !== "-j RETURN") {
      throw new TypeError(`Cannot write a negation that is not all of a rule: ${reason}`);
    }
    const [first] = negated.any;
    if (negated.any.length === 1 && first.length === 1) {
      current.rules.push({ text: `! ${first[0].text} ${target}`, reason });
      return;
    }
    const next = this.#makeChain(this.#nextName(), reason);
    for (const fragments of negated.any) {
      current.rules.push({ text: joinFragments(fragments, `-g ${next.name}`), reason });
    }
    this.#open = [next];
  }

  #currentChain(): Draft {
    if (this.#open.length > 1) {
      const reason = "What none of the above has met";
      const next = this.#makeChain(this.#nextName(), reason);
      for (const chain of this.#open) chain.rules.push({ text: `-g ${next.name}`, reason });
      this.#open = [next];
    }
    return this.#open[0];
  }

  #nextName(): string {
    return `${this.#base}_${this.chains.length}`;
  }

  #makeChain(name: string, reason: string): Draft {
    const chain = { name, reason, rules: [] };
    this.chains.push(chain);
    return chain;
  }
}
