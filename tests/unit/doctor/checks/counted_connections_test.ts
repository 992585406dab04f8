import assert from "node:assert/strict";
import { judgeCountedConnections } from "../../../../src/doctor/checks/counted_connections.ts";
import { conntrackState, inputInterface, masquerade, verdict } from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, match, type Rule } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const FOUND = ["warning counted-connections"];
const NAT: ChainText = { hook: "postrouting", type: "nat", rules: [masquerade()] };
const COUNT: Rule = [
  ...conntrackState(["new"]),
  { kind: "unknown", name: "connlimit", data: new Uint8Array() },
  ...verdict("drop"),
];
const judge = (rule: Rule, ...more: readonly ChainText[]) =>
  judgeCountedConnections(
    firewallsWith({ hook: "forward", rules: [rule] }, ...more),
    situationWith({ admission: FORWARD_PATH }),
  );

Deno.test("judgeCountedConnections() finds rules that count connections behind NAT", () => {
  assert.deepEqual(troubles(judge(COUNT, NAT)), FOUND);
  assert.deepEqual(troubles(judge([match("connlimit"), ...verdict("drop")], NAT)), FOUND);
  assert.match(judge(COUNT, NAT)[0].cause, /^With NAT it does not count/);
});

Deno.test("judgeCountedConnections() says that they count without NAT, and passes over rules for others", () => {
  assert.deepEqual(troubles(judge(COUNT)), []);
  assert.match(judge(COUNT)[0].what, /connlimit/);
  assert.deepEqual(troubles(judge([...inputInterface("nowhere0"), ...COUNT], NAT)), []);
  assert.deepEqual(troubles(judge(verdict("accept"), NAT)), []);
  const early = judgeCountedConnections(firewallsWith({ hook: "forward", rules: [COUNT] }), situationWith());
  assert.deepEqual(troubles(early), FOUND);
});
