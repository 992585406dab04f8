import assert from "node:assert/strict";
import { judgeLoopback } from "../../../../src/doctor/checks/loopback.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeLoopback() wants lo to be up", () => {
  assert.deepEqual(troubles(judgeLoopback(situationWith())), []);
  const links = situationWith().links.map((link) => ({ ...link, up: false }));
  assert.deepEqual(troubles(judgeLoopback(situationWith({ links }))), ["! warning loopback"]);
  const ipv4 = judgeLoopback(situationWith({ links, families: ["ipv4"] }));
  assert.deepEqual(troubles(ipv4), ["warning loopback"]);
});
