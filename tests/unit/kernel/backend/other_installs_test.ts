import assert from "node:assert/strict";
import { foreignObject, refuseOthers } from "../../../../src/kernel/backend/other_installs.ts";

const TABLE = {
  name: "inet transparent_proxy",
  words: "the table inet transparent_proxy of the backend netlink",
};

Deno.test("refuseOthers() names what is there, and does nothing where nothing is", () => {
  refuseOthers([], "iptables");
  assert.throws(() => refuseOthers([TABLE, { name: "x", words: "chains x" }], "iptables"), {
    message: 'Cannot install with backend "iptables": an earlier install is there: ' +
      "the table inet transparent_proxy of the backend netlink, chains x. " +
      'Run "tproxy uninstall" first; clients are not intercepted in between',
  });
});

Deno.test("foreignObject() is a table that nobody wants", () => {
  const { kind, name, state } = foreignObject(TABLE);
  assert.deepEqual([kind, name, state], ["table", "inet transparent_proxy", "foreign"]);
});
