import assert from "node:assert/strict";
import { NetworkChange } from "../../../../src/daemon/network/change.ts";

Deno.test("NetworkChange.name() keeps the program that has changed what is ours", () => {
  const change = new NetworkChange();
  change.name("bystander (1)", false);
  assert.equal(change.by, "bystander (1)");
  change.name("nft (2)", true);
  change.name("bystander (3)", false);
  assert.equal(change.by, "nft (2)");
  change.name("nft (4)", true);
  assert.equal(change.by, "nft (4)");
});
