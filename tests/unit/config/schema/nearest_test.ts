import assert from "node:assert/strict";
import { editDistance, nearest } from "../../../../src/config/schema/nearest.ts";

Deno.test("nearest() finds what was meant", () => {
  const known = ["interfaces", "protocols", "ports", "families", "router-traffic", "on-failure"];
  assert.equal(nearest("interfacs", known), "interfaces");
  assert.equal(nearest("port", known), "ports");
  assert.equal(nearest("router_traffic", known), "router-traffic");
  assert.equal(nearest("onFailure", known), "on-failure");
  assert.equal(nearest("inter", known), "interfaces");
  assert.equal(nearest("porst", known), "ports");
});

Deno.test("nearest() proposes nothing for what looks like nothing", () => {
  assert.equal(nearest("zzzzz", ["ports", "families"]), undefined);
  assert.equal(nearest("x", ["ports"]), undefined);
  assert.equal(nearest("y".repeat(1_000_000), ["ports"]), undefined);
});

Deno.test("editDistance() counts inserted, deleted, replaced and swapped letters", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("ab", "ba"), 1);
  assert.equal(editDistance("same", "same"), 0);
});
