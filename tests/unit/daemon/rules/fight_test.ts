import assert from "node:assert/strict";
import { Fight } from "../../../../src/daemon/rules/fight.ts";

Deno.test("Fight.strike() gives up after eight repairs in a minute, for ten", () => {
  const fight = new Fight();
  for (let i = 0; i < 8; i++) assert.ok(fight.strike(i * 1000), `${i}`);
  assert.ok(!fight.strike(9_000));
  assert.ok(fight.givenUp(9_001));
  assert.ok(!fight.strike(608_000));
  assert.ok(fight.strike(610_000));
});

Deno.test("Fight.strike() minds no repairs that are far apart, and forget() forgets", () => {
  const fight = new Fight();
  for (let i = 0; i < 100; i++) assert.ok(fight.strike(i * 9_000), `${i}`);
  for (let i = 0; i < 9; i++) fight.strike(1_000_000 + i);
  assert.ok(fight.givenUp(1_000_010));
  fight.forget();
  assert.ok(fight.strike(1_000_011));
});
