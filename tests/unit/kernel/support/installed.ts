/** A kernel's table after batches that add to it: their messages, decoded. */
import { TABLE_COMMENT } from "../../../../src/kernel/nft/chains.ts";
import type { InstalledSet, InstalledTable } from "../../../../src/kernel/nft/state/state.ts";
import { NLM_F_APPEND } from "../../../../src/netlink/message.ts";
import type { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import { decodeChain } from "../../../../src/netlink/nft/chain.ts";
import { decodeElements } from "../../../../src/netlink/nft/sets/element.ts";
import { decodeRule, type NftRule } from "../../../../src/netlink/nft/rule.ts";
import { decodeSet } from "../../../../src/netlink/nft/sets/set.ts";

/** Returns the objects that a kernel would hold after the batches. */
export function installedBy(...batches: readonly NftBatch[]): InstalledTable {
  const commands = batches.flatMap((batch) => batch.commands);
  const bodies = (operation: string) =>
    commands.filter(({ purpose }) => purpose.operation === operation).map(({ request }) => request.body);
  const elements = commands.filter(({ purpose }) => purpose.operation === "add elements to set")
    .map(({ request, purpose }) => ({ set: purpose.object, list: decodeElements(request.body) }));
  // The kernel numbers anonymous sets; lookups refer to them by that number.
  let anonymous = 0;
  const number = (name: string) => name === "__set%d" ? `__set${anonymous++}` : name;
  const sets: InstalledSet[] = bodies("add set").map(decodeSet).map((set) => {
    const at = elements.findIndex((sent) => sent.set === set.name);
    return { ...set, name: number(set.name), elements: at < 0 ? [] : elements.splice(at, 1)[0].list };
  });
  anonymous = 0;
  const rules: NftRule[] = [];
  for (
    const { request: { body, flags = 0 } } of commands.filter(({ purpose }) =>
      purpose.operation === "add rule"
    )
  ) {
    const rule = decodeRule(body);
    const expressions = rule.expressions.map((expression) =>
      expression.kind === "lookup" ? { ...expression, set: number(expression.set) } : expression
    );
    const made = { ...rule, expressions, handle: BigInt(rules.length + 1) };
    if (flags & NLM_F_APPEND) rules.push(made);
    else rules.unshift(made);
  }
  const [{ table: name }] = rules;
  return {
    table: { family: "inet", name, comment: TABLE_COMMENT },
    sets,
    chains: bodies("add chain").map(decodeChain),
    rules,
  };
}
