/** Changes of policy routing, on a kernel that remembers rules and routes as they are sent. */
import assert from "node:assert/strict";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { applyRouting, removeRouting, RoutingChange } from "../../../../src/kernel/routing/apply.ts";
import { readRouting } from "../../../../src/kernel/routing/state.ts";
import { EINVAL, ENOENT } from "../../../../src/net/errno.ts";
import { OperationError } from "../../../../src/net/error.ts";
import type { NetlinkConnection } from "../../../../src/netlink/connection.ts";
import type { NetlinkMessage } from "../../../../src/netlink/message.ts";
import {
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_GETROUTE,
  RTM_GETRULE,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../../../../src/netlink/route/message.ts";
import { ack, fakeConnection, multipart, nlError } from "../../netlink/fake_transport.ts";
import { configWith, ROUTER } from "../support/view.ts";

/** The list that a message is about, and its effect there. */
const MESSAGES: Readonly<Record<number, readonly ["rule" | "route", "add" | "remove" | "list"]>> = {
  [RTM_NEWRULE]: ["rule", "add"],
  [RTM_DELRULE]: ["rule", "remove"],
  [RTM_GETRULE]: ["rule", "list"],
  [RTM_NEWROUTE]: ["route", "add"],
  [RTM_DELROUTE]: ["route", "remove"],
  [RTM_GETROUTE]: ["route", "list"],
};

/** `refuses`: the errno with which it answers a change; 0: it makes it. */
function connect(refuses: (change: string) => number = () => 0): { route: NetlinkConnection; log: string[] } {
  const held = { rule: [] as Uint8Array[], route: [] as Uint8Array[] };
  const log: string[] = [];
  const answer = (request: NetlinkMessage): NetlinkMessage[] => {
    const [what, does] = MESSAGES[request.type];
    if (does === "list") {
      const bodies = held[what].filter((body) => body[0] === request.body[0]);
      return multipart(request, { type: what === "rule" ? RTM_NEWRULE : RTM_NEWROUTE, bodies });
    }
    const change = `${does} ${what}`;
    log.push(change);
    const errno = refuses(change);
    if (errno !== 0) return [nlError(request, errno)];
    const at = held[what].findIndex((body) => body.join() === request.body.join());
    if (does === "add") held[what].push(request.body);
    else if (at >= 0) held[what].splice(at, 1);
    return [ack(request)];
  };
  return { route: fakeConnection((requests) => requests.flatMap(answer)), log };
}

/** An IPv4 plan: a rule for each of its interfaces, and a route. */
function planFor(...names: string[]) {
  const links = [...ROUTER.links, ...names.map((name) => ({ name, loopback: false }))];
  return planInstall(configWith({ families: ["ipv4"] }), { ...ROUTER, links });
}

function count(route: NetlinkConnection): [rules: number, routes: number] {
  const { rules, routes } = readRouting(route);
  return [rules.length, routes.length];
}

Deno.test("RoutingChange adds the route first, and removes what is stale when it is finished", () => {
  const { route, log } = connect();
  applyRouting(planFor("wg0"), route);
  assert.deepEqual(log.splice(0), ["add route", "add rule", "add rule", "add rule"]);
  const change = RoutingChange.begin(planFor(), { route, earlier: true });
  assert.deepEqual([log, count(route)], [[], [3, 1]]);
  change.finish();
  assert.deepEqual([log.splice(0), count(route)], [["remove rule"], [2, 1]]);
  applyRouting(planFor(), route);
  assert.deepEqual(log, []);
});

Deno.test("RoutingChange.begin() takes back what it has added when it fails", () => {
  for (
    const [earlier, outcome] of [[false, /Nothing is installed/], [
      true,
      /earlier install is in force/,
    ]] as const
  ) {
    let rules = 0;
    const { route } = connect((change) => change === "add rule" && ++rules === 2 ? EINVAL : 0);
    assert.throws(() => RoutingChange.begin(planFor(), { route, earlier }), outcome);
    assert.deepEqual(count(route), [0, 0]);
  }
});

Deno.test("RoutingChange.finish() minds no entry that has gone with its interface, and says what is left", () => {
  for (const errno of [ENOENT, EINVAL]) {
    const { route } = connect((change) => change === "remove rule" ? errno : 0);
    applyRouting(planFor("wg0"), route);
    const change = RoutingChange.begin(planFor(), { route, earlier: true });
    if (errno === ENOENT) change.finish();
    else assert.throws(() => change.finish(), /All new rules are in force; run "tproxy install" again/);
  }
});

Deno.test("removeRouting() removes all that is ours, and nothing twice", () => {
  const { route } = connect();
  applyRouting(planFor(), route);
  assert.deepEqual(removeRouting(route), [
    "ipv4 rule 500: fwmark 0x1/0x1 iif br-lan lookup 100",
    "ipv4 rule 500: fwmark 0x1/0x1 iif eth0 lookup 100",
    "ipv4 route: local default dev lo table 100",
  ]);
  assert.deepEqual([removeRouting(route), count(route)], [[], [0, 0]]);
});

Deno.test("RoutingChange.takeBack() gives errors of others on as they are", () => {
  const { route } = connect();
  const change = RoutingChange.begin(planFor(), { route, earlier: false });
  const error = change.takeBack(new OperationError({ operation: "add rule", object: "x" })) as OperationError;
  assert.equal(error.outcome, "Nothing is installed, the kernel's state is as before");
  const defect = new TypeError("x");
  assert.equal(change.takeBack(defect), defect);
});
