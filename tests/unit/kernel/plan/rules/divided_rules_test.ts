import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { matchRules } from "../../../../../src/kernel/plan/rules/rule_matches.ts";
import { kernelShare } from "../../../../../src/policy/kernel_share.ts";
import { ROUTER } from "../../support/view.ts";

const FAMILIES = ["ipv4", "ipv6"] as const;
const NAMED = parseConfig(
  `
default: bypass
rules:
  - { action: block, domains: [a.example], to: [10.0.0.0/8], ports: [80, 443] }
  - { action: direct, ports: [80], to: [10.1.0.0/16, 11.0.0.0/8] }`,
  "f",
);

Deno.test("matchRules() names each set once, where a rule with names is divided too", () => {
  const { rules } = kernelShare(NAMED, { lan: ["lan0"], families: FAMILIES });
  assert.deepEqual(rules.map(({ index, outcome }) => `${index}: ${outcome.kind}`), [
    "0: proxy",
    "0: watch",
    "1: proxy",
  ]);
  assert.deepEqual(matchRules(rules, FAMILIES).sets.map(({ name }) => name), [
    "rule0_ports",
    "rule0_to_ipv4",
    "rule0_1_ports",
    "rule0_1_to_ipv4",
    "rule1_ports",
    "rule1_to_ipv4",
  ]);
});

Deno.test("planInstall() gives to the proxy what nobody watches yet", () => {
  const rules =
    compileTable(planInstall(NAMED, ROUTER)).chains.find(({ name }) => name === "intercept")!.rules;
  const said = rules.map(({ statements }) => renderRule(statements));
  assert.equal(said.filter((rule) => /@rule0_.*goto direct/.test(rule)).length, 2, said.join("\n"));
});

Deno.test("matchRules() asks for the family where that alone decides what an upstream carries", () => {
  const config = parseConfig(
    `
upstreams: { a: { type: socks5, address: "192.0.2.1:1", families: [ipv4] } }
rules: [{ action: proxy, upstream: a, ports: [80] }]`,
    "f",
  );
  const { rules } = matchRules(kernelShare(config, { lan: ["lan0"], families: FAMILIES }).rules, FAMILIES);
  assert.deepEqual(rules.map(({ alternatives }) => alternatives.map(([first]) => first)), [
    [{ kind: "family", family: "ipv4" }],
    [{ kind: "family", family: "ipv6" }],
  ]);
});

Deno.test("matchRules() makes one set of a list that a divided rule keeps", () => {
  const config = parseConfig(
    `
default: bypass
rules:
  - { action: block, domains: [a.example], from: [10.0.0.0/8, "fd00::/8"] }
  - { action: direct, ports: [80] }
  - { action: direct, from: [10.0.0.0/8], ports: [81] }`,
    "f",
  );
  const { rules, sets } = matchRules(
    kernelShare(config, { lan: ["lan0"], families: FAMILIES }).rules,
    FAMILIES,
  );
  assert.deepEqual(rules.map(({ index, part }) => `${index}.${part}`), ["0.0", "0.1", "0.2", "1.0", "2.0"]);
  const networks = sets.map(({ name }) => name).filter((name) => name.includes("from"));
  // The third part meets two lists, and the last rule has one of its own.
  assert.deepEqual(networks, ["rule0_from_ipv4", "rule0_from_ipv6", "rule0_1_from_ipv4", "rule2_from_ipv4"]);
  const uses = rules.map(({ alternatives }) =>
    alternatives.flatMap((all) => all.flatMap((one) => one.kind === "address" ? [one.set] : []))
  );
  assert.deepEqual(uses[0], ["rule0_from_ipv4", "rule0_from_ipv6"]);
  assert.deepEqual(uses[2], ["rule0_from_ipv4", "rule0_from_ipv6"]);
});
