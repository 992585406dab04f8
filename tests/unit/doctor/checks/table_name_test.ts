import assert from "node:assert/strict";
import { judgeTableOwner } from "../../../../src/doctor/checks/table_name.ts";
import { troubles } from "../support/machine.ts";

Deno.test("judgeTableOwner() refuses a table of our name that another program made", () => {
  assert.deepEqual(troubles([judgeTableOwner("nobody"), judgeTableOwner("tproxy")]), []);
  const foreign = judgeTableOwner("another program");
  assert.deepEqual(troubles([foreign]), ["! warning table-name"]);
  assert.match(foreign.remedy, /nft list table inet transparent_proxy/);
});
