/**
 * Words of administrators: tables of nft as shell commands. Pure.
 * @module
 */

/** A chain at a hook: `forward 0`, `prerouting dstnat`. A policy may come first in the rules. */
export function chain(kind: "filter" | "nat" | "route", hook: string, rules: string): string {
  const [name, priority] = hook.split(" ");
  return `  chain ${name} {
    type ${kind} hook ${name} priority ${priority};
    ${rules}
  }
`;
}

/** A table inet of these chains, as nft reads it. */
export function tableText(name: string, ...chains: readonly string[]): string {
  return `table inet ${name} {\n${chains.join("")}}\n`;
}

/** The command that makes such a table. */
export function table(name: string, ...chains: readonly string[]): string {
  return `nft -f - <<END\n${tableText(name, ...chains)}END\n`;
}
