/**
 * The rules of iptables as the kernel has them against those that the plan wants, object by object. Pure.
 * @module
 */
import { FAMILIES } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import type { ObjectStatus } from "../../backend/object_status.ts";
import { compareRuleOrder, NOT_WANTED } from "../../backend/rule_order.ts";
import { type FamilyRules, OWNER_CHAIN, type TableRules } from "../compile/model.ts";
import { canonicalRule, type SavedTable } from "./saved.ts";

const COMMANDS: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };

/** The state of every chain and rule, in the order of the plan. */
export function compareIptables(
  wanted: readonly FamilyRules[],
  installed: Readonly<Record<Family, readonly SavedTable[]>>,
): ObjectStatus[] {
  return FAMILIES.flatMap((family) => {
    const tables = wanted.find((rules) => rules.family === family)?.tables ?? [];
    const unwanted = installed[family].filter(({ table }) => !tables.some((rules) => rules.table === table));
    return [
      ...tables.flatMap((rules) =>
        compareTable(rules, {
          saved: installed[family].find(({ table }) => table === rules.table),
          label: `${COMMANDS[family]} ${rules.table}`,
        })
      ),
      ...unwanted.map(({ table, comment }): ObjectStatus => ({
        kind: "table",
        name: `${COMMANDS[family]} ${table}`,
        ...(comment === undefined
          ? { state: "foreign", detail: "another program has chains with our prefix" }
          : NOT_WANTED),
      })),
    ];
  });
}

function compareTable(
  rules: TableRules,
  { saved, label }: { saved: SavedTable | undefined; label: string },
): ObjectStatus[] {
  const table = { kind: "table", name: label } as const;
  if (saved !== undefined && saved.comment === undefined) {
    return [{ ...table, state: "foreign", detail: "another program has chains with our prefix" }];
  }
  return [
    { ...table, state: saved === undefined ? "missing" : "present" },
    ...rules.chains.flatMap(({ name, rules }) =>
      compareChain(
        { label: `${label} ${name}`, wanted: rules.map(({ text }) => text) },
        saved?.chains.get(name),
      )
    ),
    ...compareJumps(rules, { saved, label }),
    ...findForeignChains(rules, { saved, label }),
  ];
}

function compareChain(
  { label, wanted }: { label: string; wanted: readonly string[] },
  installed: readonly string[] | undefined,
): ObjectStatus[] {
  const named = (text: string) => ({ name: `${label}: ${text}`, canonical: canonicalRule(text) });
  return [
    { kind: "chain", name: label, state: installed === undefined ? "missing" : "present" },
    ...compareRuleOrder(wanted.map(named), (installed ?? []).map(named)),
  ];
}

function compareJumps(
  { jumps }: TableRules,
  { saved, label }: { saved: SavedTable | undefined; label: string },
): ObjectStatus[] {
  const rest = [...saved?.jumps ?? []];
  const wanted = jumps.map(({ from, text }): ObjectStatus => {
    const status = { kind: "rule", name: `${label} ${from}: ${text}` } as const;
    const at = rest.findIndex((jump) => jump.from === from && jump.text === text);
    if (at < 0) return { ...status, state: "missing" };
    const [{ behind }] = rest.splice(at, 1);
    if (behind === 0) return { ...status, state: "present" };
    const others = behind === 1
      ? "a rule of another program comes"
      : `${behind} rules of other programs come`;
    return { ...status, state: "changed", detail: `${others} before it` };
  });
  return [
    ...wanted,
    ...rest.map(({ from, text }): ObjectStatus => ({
      kind: "rule",
      name: `${label} ${from}: ${text}`,
      ...NOT_WANTED,
    })),
  ];
}

function findForeignChains(
  { chains }: TableRules,
  { saved, label }: { saved: SavedTable | undefined; label: string },
): ObjectStatus[] {
  return [...saved?.chains.keys() ?? []]
    .filter((name) => name !== OWNER_CHAIN && !chains.some((chain) => chain.name === name))
    .map((name) => ({ kind: "chain", name: `${label} ${name}`, ...NOT_WANTED }));
}
