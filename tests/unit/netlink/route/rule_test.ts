/** Routing rules with all that they can ask for, and what becomes of a packet then. */
import assert from "node:assert/strict";
import { parsePrefix } from "../../../../src/net/ip.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import { RTM_NEWRULE } from "../../../../src/netlink/route/message.ts";
import { RULE_ACTIONS } from "../../../../src/netlink/route/rule_action.ts";
import { isNarrow } from "../../../../src/netlink/route/rule_selectors.ts";
import { formatAction, formatSelectors } from "../../../../src/netlink/route/rule_text.ts";
import {
  decodeRoutingRule,
  encodeRoutingRule,
  type RoutingRule,
} from "../../../../src/netlink/route/rule.ts";
import { assertRecorded, recordedCommand, recordedMessages } from "../wire.ts";

const PLAIN: RoutingRule = { family: "ipv4", priority: 500, mark: 0, mask: 0, table: 0, protocol: 50 };

const RECORDED: Readonly<Record<string, RoutingRule>> = {
  "routing-rule-selectors": {
    ...PLAIN,
    inverted: true,
    from: parsePrefix("10.0.0.0/8")!,
    to: parsePrefix("192.0.2.0/24")!,
    tos: 0x10,
    mark: 1,
    mask: 3,
    iifname: "lan0",
    oifname: "wan0",
    users: { first: 100, last: 200 },
    ipProtocol: 17,
    sourcePorts: { first: 1000, last: 2000 },
    destinationPorts: { first: 53, last: 53 },
    table: 1000,
  },
  "routing-rule-suppress": { ...PLAIN, table: 254, suppressPrefixLength: 0, suppressInterfaceGroup: 7 },
  "routing-rule-realms": { ...PLAIN, table: 100, realms: { source: 3, destination: 4 } },
  "routing-rule-goto": { ...PLAIN, action: RULE_ACTIONS.goto, goto: 600 },
  "routing-rule-l3mdev": { ...PLAIN, l3mdev: true },
  "routing-rule-blackhole": { ...PLAIN, family: "ipv6", iifname: "lan0", action: RULE_ACTIONS.blackhole },
};

for (const [name, rule] of Object.entries(RECORDED)) {
  Deno.test(`encodeRoutingRule() and decodeRoutingRule() agree with ip: ${name}`, () => {
    const [recorded] = recordedMessages(name);
    assertRecorded([{ type: recorded.type, body: encodeRoutingRule(rule) }], [recorded]);
    assert.deepEqual(decodeRoutingRule(recorded.body), rule);
  });
}

Deno.test("formatSelectors() and formatAction() use the words of ip", () => {
  for (const [name, rule] of Object.entries(RECORDED)) {
    const typed = recordedCommand(name).replace(/^ip (-6 )?rule add /, "").replace(/ protocol 50$/, "")
      .replace(/priority 500 ?/, "").replace("lookup main", "lookup 254").replace(/ +$/, "");
    const told = [formatSelectors(rule), formatAction(rule)].filter(Boolean).join(" ");
    const normal = (text: string) =>
      text.replace("fwmark 1/3", "fwmark 0x1/0x3").replace(" lookup [l3mdev-table]", "")
        .replace("realms 3/4 lookup 100", "lookup 100 realms 3/4");
    assert.equal(normal(told), normal(typed));
  }
});

Deno.test("decodeRoutingRule() reads what the kernel tells of each selector and action", () => {
  const rules = recordedMessages("dump-rule-selectors").filter(({ type }) => type === RTM_NEWRULE)
    .map(({ body }) => decodeRoutingRule(body)!);
  const told = rules.map((rule) => `${rule.priority}: ${formatSelectors(rule)} ${formatAction(rule)}`);
  assert.deepEqual(told, [
    "0:  lookup 255",
    "1: tos 0x10 lookup 100",
    "2: uidrange 100-200 lookup 100",
    "3: ipproto udp sport 1000-2000 dport 53 lookup 100",
    "4:  lookup 254 suppress_prefixlength 0 suppress_ifgroup 7",
    "5:  lookup 100 realms 3/4",
    "6:  goto 32766",
    "7: oif wan0 blackhole",
    "8: l3mdev lookup [l3mdev-table]",
    "32766:  lookup 254",
    "32767:  lookup 253",
  ]);
  const narrow = rules.filter(isNarrow).map(({ priority }) => priority);
  assert.deepEqual(narrow, [1, 2, 3, 7, 8]);
});

Deno.test("decodeRoutingRule() keeps what it does not know, and encodeRoutingRule() writes it back", () => {
  const known: RoutingRule = { ...PLAIN, table: 100, mark: 1, mask: 1 };
  const newer = new AttributeWriter().u32(77, 5).finish();
  const body = Uint8Array.of(...encodeRoutingRule(known), ...newer);
  const rule = decodeRoutingRule(body)!;
  assert.deepEqual(rule, { ...known, others: [{ type: 77, data: newer.slice(4) }] });
  assert.ok(isNarrow(rule) && !isNarrow(known));
  assert.equal(formatSelectors(rule), "fwmark 0x1/0x1 attribute-77");
  assert.deepEqual(decodeRoutingRule(encodeRoutingRule(rule)), rule);
});

Deno.test("encodeRoutingRule() and decodeRoutingRule() agree on what iproute2 6.1 cannot say", () => {
  const rules: RoutingRule[] = [
    { ...PLAIN, table: 100, dscp: { value: 46 } },
    { ...PLAIN, table: 100, dscp: { value: 46, mask: 0x38 } },
    { ...PLAIN, family: "ipv6", table: 100, flowLabel: { value: 0x12345 } },
    { ...PLAIN, family: "ipv6", table: 100, flowLabel: { value: 0x12000, mask: 0xff000 } },
    { ...PLAIN, table: 100, sourcePorts: { first: 0x1000, last: 0x1000, mask: 0xf000 } },
    { ...PLAIN, table: 100, tunnelId: 0x1234567890n },
  ];
  for (const rule of rules) {
    assert.deepEqual(decodeRoutingRule(encodeRoutingRule(rule)), rule);
    assert.ok(isNarrow(rule));
  }
  assert.deepEqual(rules.map(formatSelectors), [
    "dscp 0x2e",
    "dscp 0x2e/0x38",
    "flowlabel 0x12345",
    "flowlabel 0x12000/0xff000",
    "sport 4096/0xf000",
    "tun_id 78187493520",
  ]);
});
