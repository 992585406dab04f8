/** Rules of iptables on trial beside the former ones: each generation is as it would be without the other. */
import assert from "node:assert/strict";
import type { FamilyRules, TableRules } from "../../../../../src/kernel/iptables/compile/model.ts";
import { type SavedTable } from "../../../../../src/kernel/iptables/state/saved.ts";
import { joinGenerations, tablesInForce } from "../../../../../src/kernel/iptables/trial/generations.ts";

/** A chain that leads to another, and rules that only look as if they did. */
function table(name: TableRules["table"], port: number): TableRules {
  const rule = (text: string) => ({ text, reason: "" });
  return {
    table: name,
    chains: [
      {
        name: "TPROXY_DIVERT",
        reason: "",
        rules: [rule(`-p udp --dport ${port} -g TPROXY_BLOCK_SILENTLY_12`)],
      },
      {
        name: "TPROXY_BLOCK_SILENTLY_12",
        reason: "",
        rules: [
          rule(`-p tcp -j TPROXY --on-port ${port} --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1`),
          rule("-j DROP"),
        ],
      },
    ],
    jumps: [{ from: "PREROUTING", text: "-j TPROXY_DIVERT" }],
  };
}

/** The table as iptables-save would show it. */
function saved({ table, chains, jumps }: TableRules): SavedTable {
  const texts = chains.map(({ name, rules }) => [name, rules.map(({ text }) => text)] as const);
  return {
    table,
    chains: new Map(texts),
    jumps: jumps.map((jump) => ({ ...jump, behind: 0 })),
    comment: "made by tproxy install",
  };
}

const OWNER = { name: "TPROXY_OWNER", reason: "", rules: [{ text: "-m comment --comment x", reason: "" }] };
const FORMER = saved({ ...table("raw", 1), chains: [OWNER, ...table("raw", 1).chains] });
const ON_TRIAL: FamilyRules = { family: "ipv4", tables: [table("filter", 2), table("raw", 2)] };

function join(former: readonly SavedTable[]) {
  return joinGenerations(ON_TRIAL, former, { seconds: 60, made: () => ["table"] });
}

Deno.test("joined tables hold both generations, and each jump asks whose turn it is", () => {
  const joined = join([FORMER]);
  assert.deepEqual(joined.map(({ table }) => table), ["filter", "raw"]);
  const gate = (not: string) =>
    `-m recent ${not}--rcheck --seconds 60 --name tproxy_trial_ipv4 --mask 0.0.0.0 --rsource`;
  assert.deepEqual(joined[1].jumps.map(({ from, text }) => [from, text]), [
    ["PREROUTING", `${gate("")} -j TPROXY_T_DIVERT`],
    ["PREROUTING", `${gate("! ")} -j TPROXY_DIVERT`],
  ]);
  for (const { chains } of joined) {
    for (const { name } of chains) assert.ok(name.length <= 28, name);
  }
  const rules = joined[1].chains.flatMap(({ rules }) => rules.map(({ text }) => text));
  assert.ok(rules.includes("-p udp --dport 2 -g TPROXY_T_BLOCK_SILENTLY_12"));
  assert.ok(rules.includes("-p tcp -j TPROXY --on-port 2 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1"));
});

Deno.test("of joined tables each generation can be told as if it were alone", () => {
  const joined = join([FORMER]).map(saved);
  assert.deepEqual(tablesInForce(joined, { onTrial: false }), [FORMER]);
  const onTrial = tablesInForce(joined, { onTrial: true });
  const wanted = ON_TRIAL.tables.map((rules) => saved(rules));
  assert.deepEqual(onTrial.map(({ jumps }) => jumps), wanted.map(({ jumps }) => jumps));
  for (const [index, { chains }] of wanted.entries()) {
    for (const [name, rules] of chains) assert.deepEqual(onTrial[index].chains.get(name), rules);
  }
  // A table that the rules on trial do not need has no jump of theirs.
  const alone = joinGenerations({ family: "ipv4", tables: [] }, [FORMER], { seconds: 60, made: () => [] });
  assert.deepEqual(tablesInForce(alone.map(saved), { onTrial: false }), [FORMER]);
  assert.deepEqual(tablesInForce(alone.map(saved), { onTrial: true }), []);
});

Deno.test("without a trial tables are as they are", () => {
  assert.deepEqual(tablesInForce([FORMER], { onTrial: false }), [FORMER]);
});
