import assert from "node:assert/strict";
import { judgeWaysOut } from "../../../../src/doctor/checks/ways_out.ts";
import { ROUTER } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeWaysOut() says that there is no default route, which blocks nothing", () => {
  const judge = (...defaultRouteLinks: string[]) =>
    troubles(judgeWaysOut(situationWith({ network: { ...ROUTER, defaultRouteLinks } })));
  assert.deepEqual(judge("eth0"), []);
  assert.deepEqual(judge(), ["warning ways-out"]);
});
