import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { Config, Protocol } from "../../../../src/config/types.ts";
import { demandOf, largestCapacity } from "../../../../src/dataplane/sizing/demand.ts";
import { capacity } from "../../../../src/dataplane/sizing/limits.ts";

function configOf(protocols: readonly Protocol[], limits: Partial<Config["limits"]> = {}): Config {
  return {
    ...DEFAULT_CONFIG,
    intercept: { ...DEFAULT_CONFIG.intercept, protocols },
    limits: { ...DEFAULT_CONFIG.limits, ...limits },
  };
}

Deno.test("demandOf() asks for nothing for a protocol that is not intercepted", () => {
  const limits = { connections: 500, udpSessions: 100 };
  assert.deepEqual(demandOf(configOf(["tcp", "udp"], limits)), limits);
  assert.deepEqual(demandOf(configOf(["tcp"], limits)), { connections: 500, udpSessions: null });
  assert.deepEqual(demandOf(configOf(["udp"], limits)), { connections: null, udpSessions: 100 });
});

Deno.test("largestCapacity() is what the proxy takes: doctor said a third less than that for a config with TCP alone", () => {
  const machine = { descriptors: 20_000, workers: 2 };
  assert.equal(largestCapacity(configOf(["tcp"]), machine).connections, 7452);
  assert.equal(capacity({ ...machine, ...demandOf(configOf(["tcp"])) }).connections, 7452);
  assert.equal(largestCapacity(configOf(["tcp", "udp"]), machine).connections, 4968);
});

Deno.test("largestCapacity() does not go by limits.connections", () => {
  const machine = { descriptors: 20_000, workers: 2 };
  assert.equal(largestCapacity(configOf(["tcp"], { connections: 10 }), machine).connections, 7452);
  assert.equal(largestCapacity(configOf(["udp"], { connections: 10 }), machine).connections, 0);
});
