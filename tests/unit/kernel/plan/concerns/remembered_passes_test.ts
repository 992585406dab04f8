import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import type { Plan } from "../../../../../src/kernel/plan/model.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import { ROUTER } from "../../support/view.ts";

const MANY = Array.from({ length: 500 }, (_, i) => `10.${i >> 8}.${i & 255}.0/28`).join(", ");
const FLOW = "ip saddr . th sport . ip daddr . th dport";
const PASS = `meta nfproto ipv4 meta l4proto udp ${FLOW} @bypassed_ipv4 accept`;

function planOf(rules: string, more = ""): Plan {
  return planInstall(
    parseConfig(`intercept: { families: [ipv4] }\nrules: [${rules}]\n${more}`, "f"),
    ROUTER,
  );
}

function chain(plan: Plan, name: string): string[] | undefined {
  return compileTable(plan).chains.find((chain) => chain.name === name)?.rules
    .map(({ statements }) => renderRule(statements));
}

function remembers(plan: Plan): boolean {
  return compileTable(plan).sets.some(({ name }) => name === "bypassed_ipv4");
}

Deno.test("planInstall() remembers UDP flows that a long list lets pass, and asks for them first", () => {
  const plan = planOf(`{ action: bypass, to: [${MANY}] }`);
  const divert = chain(plan, "divert")!;
  assert.equal(divert[divert.indexOf("meta l4proto udp goto intercept") - 1], PASS);
  assert.equal(chain(plan, "intercept")![0], "meta nfproto ipv4 ip daddr @rule0_to_ipv4 goto bypass");
  assert.deepEqual(chain(plan, "bypass"), [
    `meta nfproto ipv4 meta l4proto udp update @bypassed_ipv4 { ${FLOW} }`,
    "accept",
  ]);
  assert.deepEqual(compileTable(plan).sets.find(({ name }) => name === "bypassed_ipv4"), {
    name: "bypassed_ipv4",
    type: "ipv4_flow",
    elements: [],
    timeoutSeconds: 60,
    size: 65536,
    reason: "UDP that the rules have let pass",
  });
});

Deno.test("planInstall() remembers, too, what no rule takes where default is bypass", () => {
  const plan = planOf(`{ action: block, to: [${MANY}] }`, "default: bypass");
  assert.ok(remembers(plan));
  assert.equal(chain(plan, "intercept")!.at(-1), "goto bypass");
});

Deno.test("planInstall() remembers no flows where that saves nothing", () => {
  assert.ok(!remembers(planOf("{ action: bypass, to: [10.0.0.0/8] }")));
  assert.ok(!remembers(planOf(`{ action: block, to: [${MANY}] }`)));
  assert.ok(!remembers(planOf(`{ action: bypass, protocol: tcp, to: [${MANY}] }`)));
  assert.equal(chain(planOf("{ action: bypass, to: [10.0.0.0/8] }"), "bypass"), undefined);
});

Deno.test("planInstall() remembers no flows where rules look at what a flow's addresses and ports do not tell", () => {
  const list = `{ action: bypass, to: [${MANY}] }`;
  assert.ok(!remembers(planOf(`${list}, { action: block, in: [br-lan] }`)));
  assert.ok(!remembers(planOf(`${list}, { action: block, mac: [02:00:5E:10:00:01] }`)));
  assert.ok(remembers(planOf(`${list}, { action: block, protocol: tcp, in: [br-lan] }`)), "of TCP");
});
