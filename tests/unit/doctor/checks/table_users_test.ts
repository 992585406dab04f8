import assert from "node:assert/strict";
import { judgeTableUsers } from "../../../../src/doctor/checks/table_users.ts";
import { ROUTER } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeTableUsers() names routes of others in our table", () => {
  const judge = (deliversLocally: boolean) =>
    judgeTableUsers(
      situationWith({
        network: {
          ...ROUTER,
          foreignRoutes: [{ family: "ipv6", destination: "default", protocol: 12, deliversLocally }],
        },
      }),
    );
  assert.deepEqual(troubles(judge(false)), ["! warning table-users"]);
  assert.match(judge(false).at(-1)!.cause, /made by BIRD/);
  assert.match(judge(false).at(-1)!.remedy, /ip -6 route show table 100/);
  assert.deepEqual(troubles(judge(true)), ["warning table-users"]);
});
