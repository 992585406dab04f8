/**
 * The check of what a proxy may send to the kernel: all that its code sends passes, and nothing of others'
 * firewall and routing can be touched.
 */
import assert from "node:assert/strict";
import { type AttributeWriter, AttributeWriter as Writer } from "../../../../src/netlink/attribute.ts";
import { extensionRequest } from "../../../../src/netlink/nft/compat.ts";
import { encodeMessages, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST } from "../../../../src/netlink/message.ts";
import { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import { packetRequest } from "../../../../src/netlink/packet_socket.ts";
import { addRoute, deleteRoute } from "../../../../src/netlink/route/route.ts";
import { addRule, deleteRule } from "../../../../src/netlink/route/rule.ts";
import { checkObstacle, loadCheck, type Protocol } from "./support/check.ts";
import { assertOwn } from "./support/claims.ts";
import { caught, LIMITS, netfilterDatagrams, ROUTE, routeDatagrams, RULE } from "./support/own_messages.ts";

const ignore = checkObstacle() !== undefined;
if (!ignore) loadCheck(); // before a test that looks for what it leaves open
const OURS = "transparent_proxy";

function test(name: string, run: () => void): void {
  Deno.test({ name, ignore, fn: run });
}

function mayNetfilter(
  type: number,
  family: number,
  fill: (writer: AttributeWriter) => void,
  resource = 0,
): boolean {
  const writer = new Writer().structure(Uint8Array.of(family, 0, resource >> 8, resource & 0xff));
  fill(writer);
  return may("netfilter", message(type, writer.finish()));
}

function message(type: number, body: Uint8Array, flags = NLM_F_REQUEST): Uint8Array {
  return encodeMessages([{ type, flags, sequence: 1, portId: 0, body }]);
}

function may(protocol: Protocol, datagram: Uint8Array): boolean {
  return loadCheck()(protocol, datagram, LIMITS);
}

test("the check lets pass all that a proxy sends, and that is its own", () => {
  for (
    const [protocol, datagrams] of [["netfilter", netfilterDatagrams()], ["route", routeDatagrams()]] as const
  ) {
    for (const { what, datagram } of datagrams) {
      assert.ok(may(protocol, datagram), what);
      assertOwn(protocol, datagram, LIMITS);
    }
  }
});

test("the check lets nothing pass without limits but what needs none", () => {
  const none = { marks: 0, table: 0, port: 0 };
  for (const { what, datagram } of routeDatagrams().filter(({ what }) => what.startsWith("add"))) {
    assert.ok(!loadCheck()("route", datagram, none), what);
  }
});

test("the check keeps a proxy from tables of others, and from all of them at once", () => {
  const table = (type: number, fill: (writer: AttributeWriter) => void, family = 1) =>
    mayNetfilter(0xa00 | type, family, fill);
  assert.ok(table(2, (writer) => writer.string(1, OURS)));
  const others = [
    "filter",
    "transparent_proxy2",
    "transparent",
    "transparent_proxy_trial_",
    "transparent_proxy_trial_x",
    "",
  ];
  for (const name of others) {
    for (const type of [0, 2, 3, 5, 6, 8, 9, 11, 12, 14]) {
      assert.ok(!table(type, (writer) => writer.string(1, name)), `${type} of ${name}`);
    }
  }
  assert.ok(!table(2, () => {}), "nft flush ruleset");
  assert.ok(!table(2, (writer) => writer.string(1, OURS), 2), "a table of the same name in family ip");
  assert.ok(!table(2, (writer) => writer.string(1, OURS).u64be(4, 1n)), "by a handle");
  assert.ok(!table(2, (writer) => writer.string(1, OURS).string(1, "filter")), "the kernel takes the last");
  assert.ok(!table(2, (writer) => writer.string(1, "filter").string(1, OURS)), "nothing comes twice");
  assert.ok(!table(2, (writer) => writer.string(0x4001, "filter")), "flags of a type do not count");
  assert.ok(!table(2, (writer) => writer.bytes(1, new TextEncoder().encode(`${OURS}\0x\0`))));
  for (const type of [18, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33]) {
    assert.ok(!table(type, (writer) => writer.string(1, OURS)), `message ${type}`);
  }
});

test("the check keeps a proxy from expressions that lead out of its tables", () => {
  const rule = (name: string) =>
    mayNetfilter(
      0xa06,
      1,
      (writer) =>
        writer.string(1, OURS).string(2, "c").nest(
          4,
          (list) => list.nest(1, (expression) => expression.string(1, name)),
        ),
    );
  assert.ok(rule("meta"));
  for (const name of ["target", "match", "fwd", "dup", "flow_offload", "meta2", ""]) {
    assert.ok(!rule(name), name);
  }
});

test("the check keeps a proxy from other parts of nfnetlink", () => {
  assert.ok(mayNetfilter(16, 0, () => {}, 10));
  for (const subsystem of [0, 1, 6, 11, 10 << 8]) {
    assert.ok(!mayNetfilter(16, 0, () => {}, subsystem), `${subsystem}`);
  }
  for (let subsystem = 0; subsystem < 256; subsystem++) {
    if ([1, 3, 4, 10].includes(subsystem)) continue;
    for (const kind of [0, 1, 2, 3]) {
      assert.ok(!mayNetfilter(subsystem << 8 | kind, 2, () => {}), `${subsystem} ${kind}`);
    }
  }
  const { type, body } = extensionRequest({ family: "ipv4", type: "target", name: "TPROXY", revision: 1 });
  assert.ok(!may("netfilter", message(type, body)), "it loads modules");
});

test("the check keeps a proxy from all flows, and from those of others' logs and queues", () => {
  const nowhere = (writer: AttributeWriter) => writer.nest(1, () => {});
  assert.ok(mayNetfilter(0x102, 2, nowhere));
  assert.ok(!mayNetfilter(0x102, 2, () => {}), "conntrack -F");
  for (const kind of [3, 4, 6, 7]) assert.ok(!mayNetfilter(0x100 | kind, 2, nowhere), `${kind}`);
  const log = (number: number, command: number) =>
    may("netfilter", message(0x401, packetRequest(0x401, number, (writer) => writer.u8(1, command)).body));
  assert.ok(log(LIMITS.port, 1));
  assert.ok(!log(0, 1) && !log(LIMITS.port - 1, 1) && !log(LIMITS.port + 256, 1), "groups of others");
  for (const command of [0, 2, 3, 4]) assert.ok(!log(LIMITS.port, command), `command ${command}`);
});

test("the check keeps a proxy from rules and routes that are not for packets of its own", () => {
  const adds = (change: Partial<typeof RULE>) =>
    may("route", caught((connection) => addRule(connection, { ...RULE, ...change })));
  assert.ok(adds({}));
  assert.ok(!adds({ priority: 0 }), "before the kernel's own");
  assert.ok(!adds({ protocol: 3 }));
  assert.ok(!adds({ mark: 0, mask: 0 }), "for all packets");
  assert.ok(!adds({ mark: 0, mask: RULE.mask }), "for all packets without our mark");
  assert.ok(!adds({ mark: 0x10000, mask: 0x10000 }), "for a mark of others");
  assert.ok(!adds({ mark: RULE.mark | 0x80, mask: 0x80 }), "whose mask leaves our bits out");
  assert.ok(!adds({ inverted: true }));
  assert.ok(!may("route", caught((connection) => deleteRule(connection, { ...RULE, protocol: 3 }))));

  const routes = (change: Partial<typeof ROUTE>, work = addRoute) =>
    may("route", caught((connection) => work(connection, { ...ROUTE, ...change })));
  assert.ok(routes({}));
  for (const table of [254, 255, 253, 101, 1000]) assert.ok(!routes({ table }), `table ${table}`);
  assert.ok(!routes({ protocol: 4 }) && !routes({ type: "unicast" }) && !routes({ outLinkIndex: 2 }));
  assert.ok(!routes({ protocol: 4 }, deleteRoute));
  assert.ok(!routes({ destination: { address: { family: "ipv4", bytes: new Uint8Array(4) }, length: 1 } }));

  for (const type of [16, 17, 19, 20, 21, 28, 29, 36, 37, 40, 64, 66, 78, 80, 88, 104]) {
    assert.ok(
      !may("route", message(type, new Uint8Array(32))),
      `type ${type}: links, addresses, neighbours, qdiscs`,
    );
  }
  const replaced = caught((connection) => addRoute(connection, ROUTE));
  new DataView(replaced.buffer).setUint16(6, NLM_F_REQUEST | NLM_F_CREATE | 0x100, true);
  assert.ok(!may("route", replaced), "in the place of another's");
  new DataView(replaced.buffer).setUint16(6, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, true);
  assert.ok(may("route", replaced));
});

test("the check refuses what does not add up, and all for the sake of one", () => {
  const good = caught((connection) => addRule(connection, RULE));
  const bad = message(16, new Uint8Array(16));
  const two = (one: Uint8Array, other: Uint8Array) => Uint8Array.of(...one, ...other);
  assert.ok(may("route", two(good, good)));
  assert.ok(!may("route", two(good, bad)) && !may("route", two(bad, good)));
  assert.ok(!may("route", new Uint8Array(0)));
  for (let cut = 1; cut < good.length; cut++) assert.ok(!may("route", good.subarray(0, cut)), `${cut} bytes`);
  for (const extra of [1, 4, 15, 16]) {
    assert.ok(!may("route", two(good, new Uint8Array(extra))), `${extra} more`);
  }
  const beyond = good.slice();
  new DataView(beyond.buffer).setUint16(16 + 12, 0xff, true);
  assert.ok(!may("route", beyond), "an attribute beyond the end");
  const batch = caught((connection) =>
    new NftBatch().deleteTable({ family: "inet", name: OURS }).commit(connection)
  );
  assert.ok(may("netfilter", batch));
  for (const length of [0, 15, 0xffffffff, 0x7fffffff]) {
    const lying = batch.slice();
    new DataView(lying.buffer).setUint32(0, length, true);
    assert.ok(!may("netfilter", lying), `length ${length}`);
  }
});
