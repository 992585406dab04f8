import assert from "node:assert/strict";
import { renderJson } from "../../../src/kernel/json.ts";
import { compileTable } from "../../../src/kernel/nft/chains.ts";
import { renderNft } from "../../../src/kernel/nft/render.ts";
import { planInstall } from "../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "./support/view.ts";

Deno.test("renderJson() holds the same rules", () => {
  const plan = planInstall(configWith(), ROUTER);
  const document = JSON.parse(renderJson(plan, { origin: "test.yaml" }));
  const rules = document.table.chains.flatMap((chain: { rules: { nft: string }[] }) => chain.rules);
  const text = renderNft(compileTable(plan)).split("\n").map((line) => line.trim());
  for (const { nft } of rules) assert.ok(text.includes(nft), nft);
  assert.equal(rules.length, 23);
  assert.deepEqual(document.interfaces, { lan: ["br-lan"], others: ["eth0"] });
  assert.deepEqual(document.sysctls, []);
});
