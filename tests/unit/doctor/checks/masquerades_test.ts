import assert from "node:assert/strict";
import { judgeMasquerades } from "../../../../src/doctor/checks/masquerades.ts";
import { hasMark, inputInterface, masquerade, outputInterface } from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, match, type Rule, target } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";
import { configWith } from "../../kernel/support/view.ts";

const NAT: ChainText = { hook: "postrouting", priority: 100, type: "nat" };
const factsOf = (...rules: Rule[]) => firewallsWith({ ...NAT, rules });
const FOUND = ["! warning masquerades"];

Deno.test("judgeMasquerades() finds those that ask for what the proxy's connections have not", () => {
  const judge = (...rules: Rule[]) => troubles(judgeMasquerades(factsOf(...rules), situationWith()));
  assert.deepEqual(judge([...inputInterface("br-lan"), ...masquerade()]), FOUND);
  assert.deepEqual(judge([...hasMark(0x10, { mask: 0x10 }), ...masquerade()]), FOUND);
  assert.deepEqual(judge([match("connmark"), target("MASQUERADE")]), FOUND);
  assert.deepEqual(judge([match("mark"), target("SNAT")]), FOUND);
  assert.deepEqual(judge([...outputInterface("eth0"), ...masquerade()]), []);
  assert.deepEqual(judge([target("MASQUERADE")]), []);
  assert.deepEqual(judge([...inputInterface("br-lan")]), [], "no masquerade");
});

Deno.test("judgeMasquerades() finds one in a chain that another leads to, and only at postrouting", () => {
  const further = { zone: [[...inputInterface("br-lan"), ...masquerade()]] };
  const jump: Rule = [{ kind: "verdict", verdict: { code: "jump", chain: "zone" } }];
  const judge = (text: ChainText) => troubles(judgeMasquerades(firewallsWith(text), situationWith()));
  assert.deepEqual(judge({ ...NAT, rules: [jump], further }), FOUND);
  assert.deepEqual(judge({ ...NAT, further }), [], "nobody comes there");
  assert.deepEqual(judge({ ...NAT, hook: "input", rules: [jump], further }), []);
});

Deno.test("judgeMasquerades() does not block where the router is the source, nor in the forward path", () => {
  const facts = factsOf([...inputInterface("br-lan"), ...masquerade()]);
  const router = situationWith({ config: { ...configWith(), source: "router" } });
  assert.deepEqual(troubles(judgeMasquerades(facts, router)), ["warning masquerades"]);
  assert.deepEqual(troubles(judgeMasquerades(facts, situationWith({ admission: FORWARD_PATH }))), []);
});
