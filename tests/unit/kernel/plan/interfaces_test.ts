import assert from "node:assert/strict";
import { chooseInterfaces } from "../../../../src/kernel/plan/interfaces.ts";
import { ROUTER } from "../support/view.ts";

Deno.test("chooseInterfaces() takes by itself what holds no default route, without bridge ports and lo", () => {
  assert.deepEqual(chooseInterfaces("auto", ROUTER), { lan: ["br-lan"], others: ["eth0"], warnings: [] });
});

Deno.test("chooseInterfaces() says what to do when every interface holds a default route", () => {
  const view = { ...ROUTER, defaultRouteLinks: ["eth0", "br-lan"] };
  assert.throws(() => chooseInterfaces("auto", view), {
    name: "OperationError",
    usage: false,
    message: 'Cannot choose interfaces "auto": every interface holds a default route (eth0, br-lan). ' +
      "Name the LAN interface in the config: intercept: { interfaces: [br-lan] }",
  });
});

Deno.test("chooseInterfaces() does not guess where there is no default route", () => {
  const view = { ...ROUTER, defaultRouteLinks: [] };
  assert.throws(() => chooseInterfaces("auto", view), {
    usage: false,
    message: /there is no default route, which would tell the side of the internet from that of the clients/,
  });
  assert.deepEqual(chooseInterfaces(["br-lan"], view).lan, ["br-lan"]);
});

Deno.test("chooseInterfaces() takes a name that is not there yet, where it may come later", () => {
  const { lan, warnings } = chooseInterfaces(["br-lan", "lan9"], ROUTER, { absent: true });
  assert.deepEqual([lan, warnings], [["br-lan", "lan9"], ["lan9 is not there yet"]]);
});

Deno.test("chooseInterfaces() says so on a machine with a loopback only", () => {
  const view = { ...ROUTER, links: [{ name: "lo", loopback: true }] };
  assert.throws(() => chooseInterfaces("auto", view), /there is no interface besides the loopback/);
});

Deno.test("chooseInterfaces() takes the named ones once each", () => {
  const chosen = chooseInterfaces(["br-lan", "br-lan"], ROUTER);
  assert.deepEqual(chosen, { lan: ["br-lan"], others: ["eth0"], warnings: [] });
});

Deno.test("chooseInterfaces() refuses a name that does not exist, and lists those that do", () => {
  assert.throws(() => chooseInterfaces(["br-lan", "lan9"], ROUTER), {
    usage: false,
    message: 'Cannot intercept on interface "lan9": there is no such interface. ' +
      "This machine has eth0, eth1, wlan0, br-lan",
  });
});

Deno.test("chooseInterfaces() refuses the loopback", () => {
  assert.throws(() => chooseInterfaces(["lo"], ROUTER), /"lo": it is the loopback/);
});

Deno.test("chooseInterfaces() refuses a bridge's port, which no packet ever names", () => {
  assert.throws(
    () => chooseInterfaces(["eth1"], ROUTER),
    /"eth1": it is a port of br-lan.*Intercept on br-lan/,
  );
});

Deno.test("chooseInterfaces() warns of the upstream side", () => {
  const { warnings } = chooseInterfaces(["eth0"], ROUTER);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /eth0 holds a default route/);
});

Deno.test("chooseInterfaces() takes all that a pattern matches, and no port of a bridge", () => {
  const links = ["ppp0", "ppp1", "pppoe-wan"].map((name) => ({ name, loopback: false }));
  const view = { ...ROUTER, links: [...ROUTER.links, ...links] };
  const chosen = chooseInterfaces(["br-lan", "ppp*", "eth1*", "wg*"], view);
  assert.deepEqual(chosen.lan, ["br-lan", "ppp0", "ppp1", "pppoe-wan"]);
  assert.deepEqual(chosen.others, ["eth0"]);
  assert.deepEqual(chosen.warnings, ["no interface matches eth1* yet", "no interface matches wg* yet"]);
  assert.throws(() => chooseInterfaces(["wg*"], view, { absent: true }), /no interface has such a name/);
});
