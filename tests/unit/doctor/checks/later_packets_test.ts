import assert from "node:assert/strict";
import { judgeLaterPackets } from "../../../../src/doctor/checks/later_packets.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import {
  conntrackState,
  counter,
  hasMark,
  inputInterface,
  outputInterface,
  verdict,
} from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, match, type Rule, target } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const FOUND = ["warning later-packets"];
const DROP = verdict("drop");
const unknown = (name: string, type: number, value: number): Rule => [
  { kind: "unknown", name, data: new AttributeWriter().u32be(type, value).finish() },
];
const QUOTA = [...unknown("quota", 1, 0), ...DROP];
const LENGTH: Rule = [
  { kind: "meta", direction: "load", key: "length", register: 1 },
  { kind: "cmp", operator: "gt", register: 1, value: Uint8Array.of(0, 0, 0, 1) },
  ...DROP,
];

const judge = (rules: readonly Rule[], more: Partial<ChainText> = {}) =>
  judgeLaterPackets(
    firewallsWith({ hook: "forward", rules, ...more }),
    situationWith({ admission: FORWARD_PATH }),
  );
const isFound = (rule: Rule) => assert.deepEqual(troubles(judge([rule])), FOUND);
const isNone = (...rules: readonly Rule[]) => assert.deepEqual(troubles(judge(rules)), []);

Deno.test("judgeLaterPackets() finds rules that count or look at what a flow carries", () => {
  for (const name of ["string", "length", "quota", "connbytes", "hashlimit", "u32"]) {
    isFound([match(name), ...DROP]);
  }
  isFound(QUOTA);
  isFound(LENGTH);
  isFound([...unknown("ct", 2, 15), ...DROP]);
  isFound([...unknown("objref", 1, 2), ...DROP]);
  isFound([{ kind: "payload", base: "inner", offset: 0, length: 1, register: 1 }, ...DROP]);
});

Deno.test("judgeLaterPackets() finds rules that change packets, give them away or only count them", () => {
  isFound([target("TTL")]);
  isFound([{ kind: "queue", number: 1, bypass: true }]);
  isFound([{ kind: "payload-write", base: "network", offset: 8, length: 1, register: 1 }]);
  isFound(counter());
  isFound([...outputInterface("br-lan"), ...counter()]);
  isFound(unknown("objref", 1, 1));
});

Deno.test("judgeLaterPackets() passes over rules that later packets never come to, and those by first packets", () => {
  isNone([...conntrackState(["established", "related"]), ...verdict("accept")], QUOTA, LENGTH);
  isNone([...conntrackState(["new"]), ...QUOTA]);
  isNone([...inputInterface("nowhere0"), ...QUOTA]);
  isNone([...counter(), ...DROP], [match("conntrack"), ...verdict("accept")]);
  assert.deepEqual(troubles(judge([QUOTA], { hook: "input" })), []);
});

Deno.test("judgeLaterPackets() names a few rules in their firewall's words, and says what to do", () => {
  const rule = [match("string"), target("LOG")];
  const [finding] = judge([rule], { program: "iptables-nft", family: "ip", name: "FORWARD" });
  assert.equal(finding.what, "firewall: chain FORWARD of table ip t");
  assert.match(
    finding.cause,
    /first packet alone passes it.*the rule "-m string … -j LOG"; iptables-nft made it$/,
  );
  assert.match(finding.remedy, /action: bypass/);
  assert.equal(finding.blocks, false);
  const hosts = [1, 2, 3, 4, 5].map((
    mark,
  ): Rule => [...hasMark(mark, { mask: 1, negate: true }), ...counter()]);
  assert.match(judge(hosts)[0].cause, /("[^"]*", the rule ){2}"[^"]*" and 2 more$/);
  const early = judgeLaterPackets(firewallsWith({ hook: "forward", rules: [QUOTA] }), situationWith());
  assert.match(early[0].cause, /^No packet/);
});
