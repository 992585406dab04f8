import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { compileTable } from "../../../../src/kernel/nft/chains.ts";
import { renderRule } from "../../../../src/kernel/nft/rule_text.ts";
import { planLive } from "../../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../../src/kernel/plan/live/options.ts";
import type { Plan, PlannedChain } from "../../../../src/kernel/plan/model.ts";
import { planInstall, type PlanOptions } from "../../../../src/kernel/plan/plan.ts";
import { ROUTER } from "../support/view.ts";

const NAMED = "{ name: no, domains: [a.example], action: block }";
const WATCHED = { watching: true, watchingUdp: true };

function plan(yaml: string, options: PlanOptions = WATCHED): Plan {
  return planInstall(parseConfig(yaml, "f"), ROUTER, options);
}

function namesOf(chains: readonly PlannedChain[]): string[] {
  return chains.map(({ name }) => name);
}

function liveChains({ intent: { scope } }: Plan): string[] {
  const { intent } = planLive(scope, LIVE_OPTIONS);
  assert.ok(!intent.sets.some(({ name }) => /^(asking|known|dialled|bridged)/.test(name)));
  return namesOf(intent.chains);
}

Deno.test("planInstall() routes nothing where all flows pass, end or are watched", () => {
  const { routingRules, routes, intent } = plan(`rules: [${NAMED}]\ndefault: bypass`);
  assert.deepEqual([routingRules, routes], [[], []]);
  assert.deepEqual(namesOf(intent.chains), ["watch", "intercept", "divert", "unanswered"]);
  const divert = compileTable({ intent }).chains.find(({ name }) => name === "divert")!;
  assert.deepEqual(divert.rules.map(({ statements }) => renderRule(statements)), [
    "tcp flags != syn / fin,syn,rst,ack return",
    'iifname != "br-lan" return',
    "tcp flags syn / fin,syn,rst,ack goto intercept",
    "meta l4proto udp goto intercept",
  ]);
});

Deno.test("planLive() has only what watching needs, and nothing where nothing is watched", () => {
  assert.deepEqual(liveChains(plan(`rules: [${NAMED}]\ndefault: bypass`)), [
    "asks",
    "steer",
    "datagrams_ipv4",
    "datagrams_ipv6",
    "datagrams",
    "datagrams_untracked",
    "ask",
    "begun",
    "reused",
    "asked",
    "watch_begin",
    "held_back",
    "watched",
    "hold",
    "sent",
    "keep_route",
    "unpinned",
  ]);
  assert.deepEqual(
    liveChains(plan("rules: [{ name: no, ports: [25], action: block }]\ndefault: bypass")),
    [],
  );
});

const BLOCKED = "rules: [{ name: no, ports: [25], action: block }]";
const TCP = "intercept: { protocols: [tcp] }";
/** Policies for which something is brought to a socket of this machine. */
const BROUGHT: readonly { name: string; yaml: string; options?: PlanOptions }[] = [
  { name: "the default", yaml: BLOCKED },
  { name: "a rule", yaml: "rules: [{ name: some, ports: [80], action: direct }]\ndefault: bypass" },
  { name: "a name", yaml: `rules: [${NAMED}]` },
  {
    name: "deliver",
    yaml: "rules: [{ name: some, ports: [80], action: deliver, deliver-port: 3129 }]\ndefault: bypass",
  },
  { name: "router-traffic", yaml: `intercept: { router-traffic: true }\n${BLOCKED}\ndefault: bypass` },
  { name: "admission: early", yaml: `intercept: { admission: early }\n${BLOCKED}\ndefault: bypass` },
  { name: "what cannot be watched", yaml: `rules: [${NAMED}]\ndefault: bypass`, options: {} },
  {
    name: "UDP that cannot be watched",
    yaml: `rules: [${NAMED}]\ndefault: bypass`,
    options: { watching: true },
  },
  {
    name: "what is there already",
    yaml: `${BLOCKED}\ndefault: bypass`,
    options: { ...WATCHED, bringing: true },
  },
];

for (const { name, yaml, options } of BROUGHT) {
  Deno.test(`planInstall() routes for ${name}`, () => {
    const { routingRules, routes, intent } = plan(yaml, options);
    assert.deepEqual([routingRules.length > 0, routes.length], [true, 2]);
    assert.ok(/late|divert_replies/.test(namesOf(intent.chains).join()));
  });
}

Deno.test("planInstall() routes nothing for UDP that nobody intercepts, or that no name concerns", () => {
  for (
    const yaml of [
      `${TCP}\nrules: [${NAMED}]\ndefault: bypass`,
      `rules: [${NAMED.replace("action", "protocol: tcp, action")}]\ndefault: bypass`,
    ]
  ) {
    assert.deepEqual(plan(yaml, { watching: true }).routes, []);
  }
});
