import assert from "node:assert/strict";
import { comparePlans, judgePresence } from "../../../src/kernel/presence.ts";
import { planInstall } from "../../../src/kernel/plan/plan.ts";
import type { ObjectState, ObjectStatus } from "../../../src/kernel/backend/object_status.ts";
import { configWith, ROUTER } from "./support/view.ts";

function objects(rules: ObjectState, routing: ObjectState): ObjectStatus[] {
  return [
    { kind: "table", name: "t", state: rules },
    { kind: "rule", name: "r", state: rules },
    { kind: "routing-rule", name: "x", state: routing },
    { kind: "route", name: "y", state: routing },
    { kind: "route", name: "z", state: "present", detail: "made by another program" },
  ];
}

Deno.test("judgePresence() tells a whole install from none, from flushed rules, and from anything else", () => {
  assert.equal(judgePresence(objects("present", "present")), "whole");
  assert.equal(judgePresence(objects("missing", "missing")), "none");
  assert.equal(judgePresence(objects("missing", "present")), "flushed");
  assert.equal(judgePresence(objects("changed", "present")), "other");
  assert.equal(judgePresence(objects("present", "missing")), "damaged");
  const extra: ObjectStatus = { kind: "set", name: "s", state: "foreign" };
  assert.equal(judgePresence([...objects("present", "present"), extra]), "other");
});

const config = configWith();
const plan = planInstall(config, ROUTER);
const view = (more: readonly string[], wan = ["eth0"]) => ({
  ...ROUTER,
  links: [...ROUTER.links, ...more.map((name) => ({ name, loopback: false }))],
  defaultRouteLinks: wan,
});

Deno.test("comparePlans() finds no difference in the same network, whatever the order of its interfaces", () => {
  assert.equal(comparePlans(plan, planInstall(config, ROUTER)), undefined);
  const turned = { ...ROUTER, links: ROUTER.links.toReversed() };
  assert.equal(comparePlans(plan, planInstall(config, turned)), undefined);
});

Deno.test("comparePlans() names the sides that interfaces come to", () => {
  assert.deepEqual(comparePlans(plan, planInstall(config, view(["br-guest"]))), {
    lanAdded: ["br-guest"],
    lanRemoved: [],
    othersAdded: [],
    othersRemoved: [],
    table: true,
  });
  const moved = comparePlans(
    planInstall(config, view(["wwan0"])),
    planInstall(config, view(["wwan0"], ["wwan0"])),
  )!;
  assert.deepEqual([moved.lanAdded, moved.lanRemoved], [["eth0"], ["wwan0"]]);
});

Deno.test("comparePlans() leaves the table alone where an interface is no side of clients", () => {
  const named = configWith({ interfaces: ["br-lan"] });
  const change = comparePlans(planInstall(named, ROUTER), planInstall(named, view(["wg0"])))!;
  assert.deepEqual([change.table, change.othersAdded], [false, ["wg0"]]);
});
