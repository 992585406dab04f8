/** Properties of every intent, for every config. */
import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import type { Intent, Plan } from "../../../../src/kernel/plan/model.ts";
import { planLive } from "../../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../../src/kernel/plan/live/options.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { ROUTER } from "../support/view.ts";

const LONG = Array.from({ length: 600 }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`);
const RULES = [
  { to: LONG, action: "bypass" },
  { from: ["192.0.2.0/24", "2001:db8::/32"], protocol: "udp", action: "block" },
  { ports: [25], action: "block", silent: true },
  { ports: [80], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
  { ports: [443], action: "direct" },
];

function plan(config: Record<string, unknown>): Plan {
  return planInstall(parseConfig(JSON.stringify({ version: 1, ...config }), "test"), BRIDGED, {
    absentInterfaces: true,
  });
}

const CONFIGS: readonly (Record<string, unknown> & { intercept?: Record<string, unknown> })[] = [
  {},
  { intercept: { interfaces: ["br-lan", "guest"] } },
  { intercept: { interfaces: ["eth0"], protocols: ["tcp"] } },
  { rules: RULES, default: "block", intercept: { "on-failure": "drop" } },
  { rules: RULES, intercept: { "router-traffic": true, "on-failure": "reset", ports: [25, 80, 443] } },
  { rules: RULES, intercept: { "router-traffic": true, interfaces: ["br-lan", "guest"] } },
  { rules: RULES, default: "bypass", intercept: { protocols: ["udp"], families: ["ipv6"] } },
  { rules: [{ ports: [80], action: "deliver", "deliver-port": 3129 }], intercept: { protocols: ["udp"] } },
];
// All interfaces are bridges, so that each set that may be needed is.
const BRIDGED = { ...ROUTER, filteredBridges: ["br-lan", "guest"] };

const INTENTS: readonly Intent[] = CONFIGS.flatMap(({ intercept, ...config }) => {
  const planOf = (admission: string) => plan({ ...config, intercept: { ...intercept, admission } }).intent;
  const { scope } = planOf("forward-path");
  const live = [
    LIVE_OPTIONS,
    { ...LIVE_OPTIONS, workers: 3 },
    { ...LIVE_OPTIONS, accepting: false },
  ].map((options) => planLive(scope, options).intent);
  return [planOf("early"), planOf("forward-path"), ...live];
});

Deno.test("planIntent() has every chain once, after those that it goes to", () => {
  for (const { chains } of INTENTS) {
    const seen = new Set<string>();
    for (const { name, rules } of chains) {
      for (const { effect } of rules) {
        if (effect.kind === "go") assert.ok(seen.has(effect.to), `${name} goes to ${effect.to}`);
      }
      assert.ok(!seen.has(name), name);
      seen.add(name);
    }
  }
});

Deno.test("planIntent() has every set that a rule asks, and none that no rule asks", () => {
  for (const { chains, sets } of INTENTS) {
    const asked = new Set(
      chains.flatMap(({ rules }) =>
        rules.flatMap(({ conditions, effect }) =>
          [...conditions, effect].flatMap((part) => "set" in part ? [part.set] : [])
        )
      ),
    );
    assert.deepEqual([...asked].toSorted(), sets.map(({ name }) => name).toSorted());
  }
});

Deno.test("planIntent() has one chain for each place at which packets enter, and one decision", () => {
  const several = ["end", "listener", "router-step", "live-step"];
  for (const { chains } of INTENTS) {
    const places = chains.map(({ place }) => place).filter((place) => !several.includes(place));
    assert.deepEqual(places, [...new Set(places)]);
    const starts = ["decision", "from-clients"].every((place) => places.some((other) => other === place));
    assert.ok(starts || places.includes("steer"));
  }
});
