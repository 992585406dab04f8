import assert from "node:assert/strict";
import { listXtablesNeeds, XTABLES_PARTS } from "../../../../src/doctor/probes/xtables_parts.ts";
import { compileIptables } from "../../../../src/kernel/iptables/compile/compile.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../../kernel/support/view.ts";

Deno.test("listXtablesNeeds() knows every match and target that rules can use", () => {
  const builtIn = ["ACCEPT", "DROP", "RETURN"];
  const intercept = {
    protocols: ["tcp", "udp"] as const,
    ports: [{ first: 1, last: 9 }, { first: 20, last: 21 }],
    onFailure: "reset" as const,
  };
  for (const onFailure of ["open", "reset", "drop"] as const) {
    const config = configWith({ ...intercept, onFailure }, { backend: "iptables" });
    const plan = planInstall(config, ROUTER);
    const needs = listXtablesNeeds(config, plan);
    for (const { family, tables } of compileIptables(plan)) {
      const texts = tables.flatMap(({ chains }) =>
        chains.flatMap(({ rules }) => rules.map(({ text }) => text))
      );
      const words = new Set(texts.flatMap((text) => text.match(/(?<=-[mj] )\S+/g) ?? []));
      const tried = needs[family].map((name) => XTABLES_PARTS[name].option) as string[];
      const untried = [...words].filter((word) => !builtIn.includes(word) && !tried.includes(word));
      assert.deepEqual(untried, [], `${family}, ${onFailure}`);
      assert.ok(tried.length >= 10);
    }
  }
});
