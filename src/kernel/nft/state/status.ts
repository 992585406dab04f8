/**
 * Our table as the kernel has it against what the plan wants, object by object. Pure.
 * @module
 */
import type { NftChain } from "../../../netlink/nft/chain.ts";
import { canonicalPlan, canonicalRule } from "./comparable.ts";
import type { ObjectStatus } from "../../backend/object_status.ts";
import { compareRuleOrder, NOT_WANTED } from "../../backend/rule_order.ts";
import type { Plan } from "../../plan/model.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";
import { compileTable } from "../chains.ts";
import type { CompiledChain, CompiledTable } from "../model.ts";
import { renderRule } from "../rule_text.ts";
import { type InstalledTable, isOurTable } from "./state.ts";
import { elementTexts, installedTexts, isMemory, setProperties } from "../set_elements.ts";

const SHOWN_ELEMENTS = 16;

/** Gives the state of the table and of what is in it, in the order of the plan. */
export function compareTable(plan: Plan, installed: InstalledTable | undefined): ObjectStatus[] {
  const table = compileTable(plan);
  const name = `inet ${table.name}`;
  if (installed !== undefined && !isOurTable(installed)) {
    return [{ kind: "table", name, state: "foreign", detail: "another program made it" }];
  }
  return [
    compareTableItself(name, installed),
    ...table.sets.map((set) => compareSet(set, installed)),
    ...table.chains.flatMap((chain) => compareChain(chain, installed)),
    ...findForeignObjects(table, installed),
  ];
}

function compareTableItself(name: string, installed: InstalledTable | undefined): ObjectStatus {
  if (installed === undefined) return { kind: "table", name, state: "missing" };
  if (installed.table.flags?.includes("dormant")) {
    return { kind: "table", name, state: "changed", detail: "it is dormant: no rule in it has an effect" };
  }
  return { kind: "table", name, state: "present" };
}

function compareSet(set: PlannedSet, installed: InstalledTable | undefined): ObjectStatus {
  const wanted = elementTexts(set);
  const found = installed?.sets.find(({ name }) => name === set.name);
  const status = { kind: "set", name: set.name } as const;
  if (found === undefined) return { ...status, state: "missing", detail: listShortly(wanted) };
  const type = setProperties(set).type.join(" . ");
  if (found.type.join(" . ") !== type) {
    return { ...status, state: "changed", detail: `its type is not ${type}` };
  }
  if (isMemory(set)) return { ...status, state: "present", detail: "packets fill it" };
  const actual = installedTexts(set.type, found.elements);
  const lacking = without(wanted, actual);
  const foreign = without(actual, wanted);
  if (lacking.length === 0 && foreign.length === 0) {
    return { ...status, state: "present", detail: listShortly(wanted) };
  }
  const parts = [
    ...(lacking.length === 0 ? [] : [`it lacks ${listShortly(lacking)}`]),
    ...(foreign.length === 0 ? [] : [`it also holds ${listShortly(foreign)}`]),
  ];
  return { ...status, state: "changed", detail: parts.join("; ") };
}

function without(texts: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return texts.filter((text) => !known.has(text));
}

/** A set may have a hundred thousand elements. */
function listShortly(texts: readonly string[]): string {
  if (texts.length <= SHOWN_ELEMENTS) return texts.join(", ");
  return `${texts.slice(0, SHOWN_ELEMENTS).join(", ")} and ${texts.length - SHOWN_ELEMENTS} more`;
}

function compareChain(chain: CompiledChain, installed: InstalledTable | undefined): ObjectStatus[] {
  const found = installed?.chains.find(({ name }) => name === chain.name);
  const state = found === undefined ? "missing" : isHookOf(chain, found) ? "present" : "changed";
  const rules = installed?.rules.filter((rule) => rule.chain === chain.name) ?? [];
  return [
    {
      kind: "chain",
      name: chain.name,
      state,
      ...(state === "changed" ? { detail: "its hook, priority or policy differ" } : {}),
    },
    ...compareRuleOrder(
      chain.rules.map(({ statements }) => ({
        name: `${chain.name}: ${renderRule(statements)}`,
        canonical: canonicalPlan(statements),
      })),
      rules.map(({ handle, expressions }) => ({
        name: `${chain.name}: handle ${handle}`,
        canonical: canonicalRule(expressions, installed?.sets ?? []),
      })),
    ),
  ];
}

/** Tells whether a chain of the kernel is hooked in as one of the plan. */
export function isHookOf(chain: CompiledChain, { base }: NftChain): boolean {
  if (chain.hook === undefined || base === undefined) return chain.hook === base;
  return base.type === (chain.hook.type ?? "filter") && base.policy !== "drop" &&
    base.hook === chain.hook.hook &&
    base.priority === chain.hook.priority;
}

function findForeignObjects(table: CompiledTable, installed: InstalledTable | undefined): ObjectStatus[] {
  if (installed === undefined) return [];
  const sets = installed.sets
    .filter(({ flags, name }) =>
      !flags?.includes("anonymous") && !table.sets.some((set) => set.name === name)
    );
  const chains = installed.chains
    .filter(({ name }) => !table.chains.some((chain) => chain.name === name));
  return [
    ...sets.map(({ name }) => ({ kind: "set", name, ...NOT_WANTED } as const)),
    ...chains.map(({ name }) => ({ kind: "chain", name, ...NOT_WANTED } as const)),
  ];
}
