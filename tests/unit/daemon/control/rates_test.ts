import assert from "node:assert/strict";
import { ratesBetween } from "../../../../src/daemon/control/rates.ts";

const NOTHING = { at: 5000, accepted: 3, udpSessions: 1, bytesUp: 100, bytesDown: 0 };

Deno.test("rates are what lies between two looks, by their time", () => {
  const now = { at: 15_000, accepted: 8, udpSessions: 1, bytesUp: 1100, bytesDown: 5e9 };
  assert.deepEqual(ratesBetween(NOTHING, now), {
    overMs: 10_000,
    accepted: 0.5,
    udpSessions: 0,
    bytesUp: 100,
    bytesDown: 5e8,
  });
  assert.equal(ratesBetween(NOTHING, { ...now, at: 5000 }).accepted, 0, "at once");
});
