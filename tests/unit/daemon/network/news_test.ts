import assert from "node:assert/strict";
import { NetworkChange } from "../../../../src/daemon/network/change.ts";
import { NetworkNews } from "../../../../src/daemon/network/news.ts";
import { parseIp } from "../../../../src/net/ip.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import {
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../../../../src/netlink/route/message.ts";
import { encodeRoute, type Route } from "../../../../src/netlink/route/route.ts";
import { encodeRoutingRule, type RoutingRule } from "../../../../src/netlink/route/rule.ts";

const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;

function link(
  index: number,
  options: { name: string; mtu?: number; master?: number; family?: number; carrier?: boolean },
): Uint8Array {
  const header = new Uint8Array(16);
  header[0] = options.family ?? 0;
  header[4] = index;
  if (options.carrier === true) header[10] = 1; // IFF_LOWER_UP
  const writer = new AttributeWriter().structure(header).string(IFLA_IFNAME, options.name);
  writer.u32(IFLA_MTU, options.mtu ?? 1500);
  if (options.master !== undefined) writer.u32(IFLA_MASTER, options.master);
  return writer.finish();
}

const route = (more: Partial<Route>): Uint8Array =>
  encodeRoute({
    family: "ipv4",
    table: 254,
    type: "unicast",
    protocol: 3,
    scope: 0,
    outLinkIndex: 2,
    ...more,
  });

function teller(): (type: number, body: Uint8Array) => boolean {
  const news = new NetworkNews();
  return (type, body) => {
    const change = new NetworkChange();
    news.read({ type, flags: 0, sequence: 0, portId: 0, body }, false, change);
    return change.plan;
  };
}

Deno.test("NetworkNews takes interfaces that come, go, or get another name or master", () => {
  const matters = teller();
  assert.ok(matters(RTM_NEWLINK, link(2, { name: "eth0" })));
  assert.ok(matters(RTM_NEWLINK, link(2, { name: "wan" })), "another name");
  assert.ok(matters(RTM_NEWLINK, link(2, { name: "wan", master: 5 })), "another master");
  assert.ok(matters(RTM_DELLINK, link(2, { name: "wan" })));
  assert.ok(matters(RTM_NEWLINK, link(2, { name: "wan" })), "back again");
});

Deno.test("NetworkNews passes over what an interface repeats, and what a bridge says of its ports", () => {
  const matters = teller();
  matters(RTM_NEWLINK, link(2, { name: "eth0" }));
  assert.ok(!matters(RTM_NEWLINK, link(2, { name: "eth0", mtu: 1400 })));
  assert.ok(!matters(RTM_NEWLINK, link(2, { name: "eth0", family: 7, master: 9 })));
  assert.ok(!matters(RTM_DELLINK, link(2, { name: "eth0", family: 7, master: 9 })));
});

Deno.test("NetworkNews takes default routes and halves of one, and no other", () => {
  const matters = teller();
  const prefix = (address: string, length: number) => ({
    destination: { address: parseIp(address)!, length },
  });
  for (const type of [RTM_NEWROUTE, RTM_DELROUTE]) {
    assert.ok(matters(type, route({})));
    assert.ok(matters(type, route({ family: "ipv6" })));
    assert.ok(matters(type, route(prefix("128.0.0.0", 1))));
    assert.ok(!matters(type, route(prefix("10.0.0.0", 8))));
    assert.ok(!matters(type, route({ type: "local", table: 100 })), "our own");
    assert.ok(!matters(type, route({ type: "unreachable" })));
  }
});

Deno.test("NetworkNews tells rules that others change from pins of workers, and passes over what this process does", () => {
  const told = (type: number, rule: Partial<RoutingRule>, own: boolean) => {
    const change = new NetworkChange();
    const body = encodeRoutingRule({
      family: "ipv4",
      priority: 500,
      mark: 1,
      mask: 1,
      table: 100,
      protocol: 50,
      ...rule,
    });
    new NetworkNews().read({ type, flags: 0, sequence: 0, portId: 0, body }, own, change);
    return { rules: change.rules, pins: change.pins, urgent: change.isUrgent };
  };
  const nothing = { rules: false, pins: false, urgent: false };
  for (const type of [RTM_NEWRULE, RTM_DELRULE]) {
    assert.deepEqual(told(type, { iifname: "lan0" }, false), { ...nothing, rules: true, urgent: true });
    assert.deepEqual(told(type, { iifname: "lan0" }, true), nothing);
  }
  assert.deepEqual(told(RTM_NEWRULE, { oifname: "wan0" }, false), { ...nothing, pins: true, urgent: true });
  assert.deepEqual(told(RTM_DELRULE, { oifname: "wan0" }, false), { ...nothing, rules: true, urgent: true });
});

Deno.test("NetworkNews takes what it cannot read for a change", () => {
  const matters = teller();
  const strange = route({});
  strange[7] = 99; // a type of route that is not known yet
  assert.ok(matters(RTM_NEWROUTE, strange));
  assert.ok(matters(RTM_NEWLINK, new Uint8Array(3)));
});

Deno.test("NetworkNews takes a cable that goes, by which routes lead nowhere now", () => {
  const news = new NetworkNews();
  const tell = (carrier: boolean): [plan: boolean, carrier: boolean] => {
    const change = new NetworkChange();
    const body = link(2, { name: "wan", carrier });
    news.read({ type: RTM_NEWLINK, flags: 0, sequence: 0, portId: 0, body }, false, change);
    assert.equal(change.isUrgent, change.carrier);
    return [change.plan, change.carrier];
  };
  assert.deepEqual(tell(true), [true, false], "a new interface");
  assert.deepEqual(tell(true), [false, false], "a repetition");
  assert.deepEqual(tell(false), [false, true]);
  assert.deepEqual(tell(false), [false, false]);
  assert.deepEqual(tell(true), [false, true]);
});
