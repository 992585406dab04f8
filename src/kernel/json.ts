/**
 * A plan as JSON, for `install --dry-run --format json`. The shape is stable: keys are only ever added. Pure.
 * @module
 */
import type { CompiledRules } from "./backend/compiler.ts";
import { compileShownLive, compileTable } from "./nft/chains.ts";
import type { CompiledTable } from "./nft/model.ts";
import type { Plan } from "./plan/model.ts";
import type { PlannedSet } from "./plan/rules/set.ts";
import { elementTexts } from "./nft/set_elements.ts";
import { renderRule } from "./nft/rule_text.ts";

/** Renders the document, with a newline at its end. `rules`: of the backend; `boot`: of the start at boot. */
export function renderJson(
  plan: Plan,
  options: { origin: string; rules?: CompiledRules["document"]; boot?: unknown },
): string {
  const live = compileShownLive(plan);
  const document = {
    version: 1,
    config: options.origin,
    interfaces: { lan: plan.lan, others: plan.others },
    families: plan.families,
    warnings: plan.warnings,
    table: renderTable(compileTable(plan)),
    ...(live === undefined ? {} : { live: renderTable(live) }),
    ...options.rules,
    routingRules: plan.routingRules,
    routes: plan.routes.map((route) => ({ ...route, type: "local", destination: "default", device: "lo" })),
    sysctls: [],
    ...(options.boot === undefined ? {} : { boot: options.boot }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function renderTable(table: CompiledTable): Record<string, unknown> {
  return {
    family: "inet",
    name: table.name,
    comment: table.comment,
    ...(table.flags === undefined ? {} : { flags: table.flags }),
    sets: table.sets.map(renderSet),
    chains: table.chains.map((chain) => ({
      name: chain.name,
      ...(chain.hook === undefined ? {} : { type: "filter" as const, ...chain.hook, policy: "accept" }),
      reason: chain.reason,
      rules: chain.rules.map((rule) => ({ nft: renderRule(rule.statements), reason: rule.reason })),
    })),
  };
}

function renderSet(set: PlannedSet): Record<string, unknown> {
  const isAddresses = set.type === "ipv4_addr" || set.type === "ipv6_addr";
  return isAddresses ? { ...set, elements: elementTexts(set) } : { ...set };
}
