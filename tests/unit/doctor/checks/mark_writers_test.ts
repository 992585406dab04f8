import assert from "node:assert/strict";
import { judgeMarkWriters } from "../../../../src/doctor/checks/mark_writers.ts";
import { hasMark, inputInterface, setMarkBits } from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, type Rule, setMark } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const MANGLE: ChainText = { hook: "prerouting", priority: -150, table: "mangle", family: "ip" };
const judge = (rule: Rule, more: Partial<ChainText> = {}) =>
  judgeMarkWriters(firewallsWith({ ...MANGLE, ...more, rules: [rule] }), situationWith());

/** `meta mark set 2` */
const WHOLE: Rule = [
  { kind: "immediate", register: 1, value: Uint8Array.of(2, 0, 0, 0) },
  { kind: "meta", direction: "set", key: "mark", register: 1 },
];
/** `meta mark set ct mark` */
const RESTORED: Rule = [
  { kind: "ct", direction: "load", key: "mark", register: 1 },
  { kind: "meta", direction: "set", key: "mark", register: 1 },
];
const FOUND = ["! warning mark-writers"];

Deno.test("judgeMarkWriters() finds rules that take our bit from clients' packets", () => {
  assert.deepEqual(troubles(judge(WHOLE)), FOUND);
  assert.deepEqual(troubles(judge([setMark(2, 0xffffffff)])), FOUND, "--set-mark 2");
  assert.deepEqual(troubles(judge([setMark(0, 1)])), FOUND, "--and-mark 0xfffffffe");
  assert.deepEqual(troubles(judge([setMark(0x20000, 0xff0000)])), [], "bits of its own");
  assert.deepEqual(troubles(judge(setMarkBits(0x100))), [], "meta mark set meta mark | 0x100");
  assert.deepEqual(troubles(judge(RESTORED)), [], "what is untracked has no flow with a mark");
  assert.deepEqual(troubles(judge([])), []);
});

Deno.test("judgeMarkWriters() passes over rules that no client's packet comes to, or that come before ours", () => {
  assert.deepEqual(troubles(judge([...inputInterface("eth0"), ...WHOLE])), []);
  assert.deepEqual(troubles(judge([...inputInterface("br-lan"), ...WHOLE])), FOUND);
  assert.deepEqual(troubles(judge([...hasMark(2, { mask: 2 }), ...WHOLE])), []);
  assert.deepEqual(troubles(judge(WHOLE, { priority: -310 })), []);
  assert.deepEqual(troubles(judge(WHOLE, { hook: "postrouting" })), []);
});

Deno.test("judgeMarkWriters() names the rule, and says that it does no harm in the forward path", () => {
  const text: ChainText = { ...MANGLE, name: "PREROUTING", program: "iptables-nft" };
  const facts = firewallsWith({ ...text, rules: [[setMark(2, 0xffffffff)]] });
  const [finding] = judgeMarkWriters(facts, situationWith({ admission: FORWARD_PATH }));
  assert.equal(
    finding.what,
    'the rule "-j MARK --set-xmark 0x2/0xffffffff", chain PREROUTING of table ip mangle',
  );
  assert.deepEqual([finding.state, finding.blocks], ["works", false]);
  assert.match(judgeMarkWriters(facts, situationWith())[0].cause, /; iptables-nft made it$/);
  assert.equal(
    judgeMarkWriters(firewallsWith({ ...MANGLE, rules: [WHOLE] }), situationWith())[0].what,
    'the rule "meta mark set 0x2", chain prerouting of table ip mangle',
  );
});
