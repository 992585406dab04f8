/** Upstreams as destinations, in the plan: who dials one himself is not led there through it. */
import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { compileLive, compileTable } from "../../../../src/kernel/nft/chains.ts";
import type { CompiledTable } from "../../../../src/kernel/nft/model.ts";
import { renderRule } from "../../../../src/kernel/nft/rule_text.ts";
import { planLive } from "../../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../../src/kernel/plan/live/options.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { ROUTER } from "../support/view.ts";

const CONFIG = `
intercept: { router-traffic: true }
rules: [{ action: block, ports: [25] }, { action: proxy, upstream: office }]
upstreams:
  office: { type: socks5, address: "192.0.2.7:1080" }
  home: { type: socks5, address: "[2001:db8::7]:1080" }
  edge: { type: forward, address: "192.0.2.8:0" }
  named: { type: http-connect, address: "proxy.example:3128" }
`;

function ruleTexts(table: CompiledTable, chain: string): string[] {
  return table.chains.find(({ name }) => name === chain)!.rules.map(({ statements }) =>
    renderRule(statements)
  );
}

const spared = (family: string, set: string) => (text: string) =>
  text.includes(`th dport @${set}_port`) && text.includes(`daddr @${set}_${family}`);

for (const admission of ["forward-path", "early"] as const) {
  Deno.test(`Flows to upstreams with an address pass where the proxy would get them (${admission})`, () => {
    const config = parseConfig(`${CONFIG}`, "f");
    const table = compileTable(planInstall(config, ROUTER, { admission }));
    for (const chain of ["direct", "router_direct"]) {
      const texts = ruleTexts(table, chain);
      for (const [family, word] of [["ipv4", "ip"], ["ipv6", "ip6"]]) {
        const at = texts.findIndex(spared(family, "upstreams_1080"));
        assert.ok(at >= 0 && at <= 2, `${word} in ${chain}:\n${texts.join("\n")}`);
        assert.match(texts[at], /(accept|return)$/);
      }
    }
    const names = table.sets.map(({ name }) => name).filter((name) => name.startsWith("upstreams_"));
    assert.deepEqual(names, ["upstreams_1080_port", "upstreams_1080_ipv4", "upstreams_1080_ipv6"]);
    assert.ok(!ruleTexts(table, "block").some(spared("ipv4", "upstreams_1080")), "what is blocked, is");
  });
}

Deno.test("Flows to upstreams with a name do not ask the running proxy, once it knows their addresses", () => {
  const { intent: { scope } } = planInstall(parseConfig(CONFIG, "f"), ROUTER);
  const live = (...places: string[]) =>
    compileLive(planLive(scope, { ...LIVE_OPTIONS, upstreams: places.map((text) => parseEndpoint(text)!) }));
  assert.ok(!live().sets.some(({ name }) => name.startsWith("named_")));
  const table = live("192.0.2.9:3128", "192.0.2.10:3128");
  for (const chain of ["asks", "router_steer"]) {
    const texts = ruleTexts(table, chain);
    assert.ok(texts.some(spared("ipv4", "named_3128")), `${chain}:\n${texts.join("\n")}`);
  }
  assert.equal(table.sets.find(({ name }) => name === "named_3128_ipv4")!.elements.length, 1, "one range");
});
