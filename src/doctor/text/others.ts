/**
 * Rules of the machine, as doctor reads them: policy routing, and the chains of other firewalls.
 * @module
 */
import { formatRule } from "../packet/rule_text.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import { readFirewalls } from "../machine/firewalls.ts";
import { describeProtocol, describeRule, readRouting } from "../machine/routing.ts";
import { systemFiles } from "../machine/files.ts";
import { findPrograms } from "../../kernel/iptables/state/programs.ts";
import { isOurRule } from "../../kernel/routing/ours.ts";
import { openNetlink } from "../../netlink/transport.ts";

/** A chain of a firewall can be very long; what does not concern us is at its end more often than not. */
const MOST_RULES = 60;

/** Describes the routing rules of both families, whose they are, and the tables that hold routes. */
export function describeRouting(): string {
  using route = openNetlink("route");
  const { rules, ours, tables } = readRouting(route);
  const lines = [...ours, ...rules].toSorted((one, other) => one.priority - other.priority).map((rule) =>
    `${describeRule(rule).slice(1, -1)}  (${isOurRule(rule) ? "ours" : describeProtocol(rule.protocol)})`
  );
  const used = tables.map(({ family, table, deliversLocally }) =>
    `${family} table ${table}${deliversLocally ? " (delivers everything to this machine)" : ""}`
  );
  return `${lines.join("\n")}\nwith routes: ${used.join(", ")}\n`;
}

/** Describes the chains of others, as far as doctor can read them. `readTextFile` throws Deno's errors. */
export async function describeFirewalls(readTextFile: (path: string) => string): Promise<string> {
  const files = systemFiles(readTextFile);
  const { owner, chains, legacyChains, obstacle } = await readFirewalls({
    files,
    readTextFile,
    programs: findPrograms,
  });
  const text = [...chains ?? [], ...legacyChains].map(describeChain).join("");
  return [
    `our table: ${owner}\n`,
    obstacle === undefined ? "" : `nf_tables cannot be read: ${obstacle.message}\n`,
    text === "" ? "no chains of others\n" : text,
  ].join("");
}

/** Writes a base chain, and behind the first of a table the chains that its rules go to. */
function describeChain({ chain, program, table }: FirewallChain): string {
  const { family, base, name } = chain;
  const policy = base?.policy === undefined ? "" : ` policy ${base.policy}`;
  const head = `${program}: ${family} ${chain.table} ${name} (${base?.hook} ${base?.priority}${policy})\n`;
  if (table === undefined) return `${head}  cannot be read\n`;
  const reached = reachedFrom(name, table.rules);
  const tongue = program === "nft" ? "nft" : "iptables";
  const rules = table.rules.filter(({ chain }) => reached.has(chain)).map((rule) =>
    `  ${rule.chain}: ${formatRule(rule.expressions, { tongue, findSet: (set) => table.findSet(set) })}\n`
  );
  const more = rules.length > MOST_RULES ? `  ${rules.length - MOST_RULES} more rules\n` : "";
  return `${head}${rules.slice(0, MOST_RULES).join("")}${more}`;
}

/** Finds the chain and those that its rules go to, directly or not. */
function reachedFrom(name: string, rules: NonNullable<FirewallChain["table"]>["rules"]): Set<string> {
  const reached = new Set([name]);
  // A set may grow while it is walked.
  for (const from of reached) {
    for (const { chain, expressions } of rules) {
      if (chain !== from) continue;
      for (const e of expressions) {
        if (e.kind === "verdict" && e.verdict.chain !== undefined) reached.add(e.verdict.chain);
      }
    }
  }
  return reached;
}
