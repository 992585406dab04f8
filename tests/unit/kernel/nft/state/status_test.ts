import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { replaceTable } from "../../../../../src/kernel/nft/batch.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import type { Plan } from "../../../../../src/kernel/plan/model.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import type { InstalledSet, InstalledTable } from "../../../../../src/kernel/nft/state/state.ts";
import { isOurTable } from "../../../../../src/kernel/nft/state/state.ts";
import { toRoute, toRoutingRule } from "../../../../../src/kernel/routing/state.ts";
import { compareTable } from "../../../../../src/kernel/nft/state/status.ts";
import type { ObjectStatus } from "../../../../../src/kernel/backend/object_status.ts";
import { compareRouting } from "../../../../../src/kernel/routing/compare.ts";
import type { InstalledRouting } from "../../../../../src/kernel/routing/state.ts";
import { parsePrefix } from "../../../../../src/net/ip.ts";
import { intervalElements, prefixRange } from "../../../../../src/netlink/nft/sets/interval.ts";
import { installedBy } from "../../support/installed.ts";
import { configWith, ROUTER } from "../../support/view.ts";

const PLAN = planInstall({
  ...configWith({ ports: [{ first: 80, last: 90 }] }),
  rules: parseConfig(
    `rules:
      - { to: [10.0.0.0/8, "fc00::/7", 192.0.2.1], from: [0.0.0.0/0, "::/1"], in: [br-lan], action: bypass }
      - { mac: [02:00:5e:10:00:01], ports: [80, 82], action: deliver, deliver-port: 3129 }`,
    "f",
  ).rules,
}, ROUTER);

interface InstalledState {
  readonly table: InstalledTable | undefined;
  readonly routing: InstalledRouting;
}

/** Gives the state of all objects, as `readStatus()` puts it together. */
function compareState(plan: Plan, { table, routing }: InstalledState): ObjectStatus[] {
  return [...compareTable(plan, table), ...compareRouting(plan, routing)];
}

function installed(): InstalledState & { table: InstalledTable } {
  return {
    table: installedBy(replaceTable(compileTable(PLAN))),
    routing: { rules: PLAN.routingRules.map(toRoutingRule), routes: PLAN.routes.map(toRoute) },
  };
}

function bad(objects: readonly ObjectStatus[]): string[] {
  return objects.filter(({ state }) => state !== "present").map(({ state, kind, name }) =>
    `${state} ${kind} ${name}`
  );
}

Deno.test("compareState() finds everything present after the batch", () => {
  assert.deepEqual(bad(compareState(PLAN, installed())), []);
});

Deno.test("compareState() finds everything missing in an empty kernel", () => {
  const objects = compareState(PLAN, { table: undefined, routing: { rules: [], routes: [] } });
  assert.equal(bad(objects).length, objects.length);
  assert.ok(objects.every(({ state }) => state === "missing"));
});

Deno.test("compareState() does not mind a counter that somebody put into a rule", () => {
  const state = installed();
  const rules = state.table.rules.map((rule) => ({
    ...rule,
    expressions: [{ kind: "counter", packets: 7n, bytes: 9n } as const, ...rule.expressions],
  }));
  assert.deepEqual(bad(compareState(PLAN, { ...state, table: { ...state.table, rules } })), []);
});

Deno.test("compareState() sees an anonymous set with other elements", () => {
  const state = installed();
  const sets = state.table.sets.map((set) =>
    set.flags?.includes("anonymous") ? { ...set, elements: set.elements.slice(1) } : set
  );
  const objects = bad(compareState(PLAN, { ...state, table: { ...state.table, sets } }));
  assert.ok(
    objects.some((line) => line.startsWith("missing rule intercept: fib daddr type")),
    objects.join("\n"),
  );
});

Deno.test("compareState() sees in a set what is too much, too little, and of another type, shortly", () => {
  const state = installed();
  const change = (name: string, change: (set: InstalledSet) => InstalledSet) => {
    const sets = state.table.sets.map((set) => set.name === name ? change(set) : set);
    const objects = compareState(PLAN, { ...state, table: { ...state.table, sets } });
    return objects.filter(({ state }) => state !== "present").map(({ state, name, detail }) =>
      `${state} ${name}: ${detail}`
    );
  };
  const nets = intervalElements(
    ["10.0.0.0/8", "192.0.2.0/31"].map((text) => prefixRange(parsePrefix(text)!)),
  );
  assert.deepEqual(change("rule0_to_ipv4", (set) => ({ ...set, elements: nets })), [
    "changed rule0_to_ipv4: it lacks 192.0.2.1; it also holds 192.0.2.0/31",
  ]);
  const macs = Array.from({ length: 200 }, (_, i) => ({ key: Uint8Array.of(2, 0, 0, 0, 0, i) }));
  const [many] = change("rule1_mac", (set) => ({ ...set, elements: [...set.elements, ...macs] }));
  assert.match(many, /^changed rule1_mac: it also holds 02:00:00:00:00:00, .* and 184 more$/);
  assert.deepEqual(change("rule1_mac", (set) => ({ ...set, type: ["ifname"] })), [
    "changed rule1_mac: its type is not ether_addr",
  ]);
});

Deno.test("compareState() sees rules in another order, a dormant table, a chain with another hook", () => {
  const state = installed();
  const { table } = state;
  const reversed = { ...table, rules: table.rules.toReversed() };
  assert.notDeepEqual(bad(compareState(PLAN, { ...state, table: reversed })), []);
  const dormant = { ...table, table: { ...table.table, flags: ["dormant"] as const } };
  assert.deepEqual(bad(compareState(PLAN, { ...state, table: dormant })), [
    "changed table inet transparent_proxy",
  ]);
  const chains = table.chains.map((chain) =>
    chain.name === "divert" ? { ...chain, base: { ...chain.base!, priority: 0 } } : chain
  );
  assert.deepEqual(bad(compareState(PLAN, { ...state, table: { ...table, chains } })), [
    "changed chain divert",
  ]);
});

Deno.test("isOurTable() goes by the comment and, where the kernel keeps none, by the chains", () => {
  const { table } = installed();
  assert.equal(isOurTable(table), true);
  const { comment: _, ...plain } = table.table;
  assert.equal(isOurTable({ ...table, table: plain }), true);
  assert.equal(isOurTable({ ...table, table: plain, chains: [] }), false);
  assert.equal(isOurTable({ ...table, table: { ...plain, comment: "mine" } }), false);
});
