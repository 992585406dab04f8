import assert from "node:assert/strict";
import { judgeRedirects } from "../../../../src/doctor/checks/redirects.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import { destinationPort, inputInterface, transport } from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, type Rule, target } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";
import { configWith } from "../../kernel/support/view.ts";

const NAT: ChainText = { hook: "prerouting", priority: -100, type: "nat" };
const DNAT: Rule = [{ kind: "nat", type: "dnat", family: "ip", addressRegister: 1 }];
const UDP = { config: configWith({ protocols: ["tcp", "udp"] }) };
const judge = (rule: Rule, more: Partial<ChainText> = {}) =>
  troubles(judgeRedirects(firewallsWith({ ...NAT, rules: [rule], ...more }), situationWith(UDP)));
const FOUND = ["warning redirects"];

Deno.test("judgeRedirects() finds what sends clients elsewhere", () => {
  assert.deepEqual(judge(DNAT), FOUND);
  assert.deepEqual(judge([target("DNAT")]), FOUND);
  assert.deepEqual(judge([target("REDIRECT")]), FOUND);
  assert.deepEqual(judge([{ kind: "unknown", name: "redir", data: new Uint8Array() }]), FOUND);
  // A range of addresses, which this program does not know.
  const nat = (type: number): Rule => [
    { kind: "unknown", name: "nat", data: new AttributeWriter().u32be(1, type).finish() },
  ];
  assert.deepEqual(judge(nat(1)), FOUND);
  assert.deepEqual(judge(nat(0)), [], "snat");
  assert.deepEqual(judge([...transport("udp"), ...destinationPort(53), ...DNAT]), FOUND, "forced DNS");
  assert.deepEqual(judge([...inputInterface("eth0"), ...DNAT]), [], "a port forward from the outside");
  assert.deepEqual(judge(DNAT, { hook: "output" }), []);
});

Deno.test("judgeRedirects() says that the forward path follows them, but for what stays on the router", () => {
  const facts = firewallsWith({ ...NAT, rules: [DNAT] });
  const [finding] = judgeRedirects(facts, situationWith({ admission: FORWARD_PATH }));
  assert.equal(finding.state, "works");
  assert.match(finding.cause, /^the proxy follows it; .* this router itself stays there/);
});
