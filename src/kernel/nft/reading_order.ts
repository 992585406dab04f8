/**
 * The order in which chains are shown, and made. Pure.
 * @module
 */
import type { CompiledChain } from "./model.ts";

/** Orders: each chain with a hook, followed by those that it goes to: as a packet meets them. */
export function inReadingOrder(chains: readonly CompiledChain[]): CompiledChain[] {
  const ordered = new Set<CompiledChain>();
  function visit(chain: CompiledChain): void {
    if (ordered.has(chain)) return;
    ordered.add(chain);
    for (const { statements } of chain.rules) {
      for (const statement of statements) {
        const next = statement.kind === "goto" && chains.find(({ name }) => name === statement.chain);
        if (next) visit(next);
      }
    }
  }
  for (const chain of chains) if (chain.hook !== undefined) visit(chain);
  // What nothing goes to is shown as well.
  for (const chain of chains) visit(chain);
  return [...ordered];
}
