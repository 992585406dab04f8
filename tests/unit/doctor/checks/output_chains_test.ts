import assert from "node:assert/strict";
import { outputChains } from "../../../../src/doctor/checks/output_chains.ts";
import { conntrackState, hasMark, outputInterface, verdict } from "../../../../src/netlink/nft/phrases.ts";
import { firewallsWith, FORBIDDEN, type Rule } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const ACCEPT = verdict("accept");
const LATER: Rule = [...conntrackState(["established", "related"]), ...ACCEPT];
const LOOP: Rule = [...outputInterface("lo"), ...ACCEPT];
const path = situationWith({ admission: FORWARD_PATH });
const judge = (rules: readonly Rule[], situation = path) =>
  outputChains.judge(firewallsWith({ hook: "output", policy: "drop", rules }), situation);

Deno.test("output-chains: the forward path needs the loopback and what is established alone", () => {
  assert.deepEqual(troubles(judge([LOOP, LATER])), []);
  assert.match(judge([LATER])[0].remedy, /^nft insert rule inet t output oif lo accept; to keep it/);
  assert.match(
    judge([LOOP])[0].remedy,
    /^nft insert rule inet t output ct state established,related accept;/,
  );
});

Deno.test("output-chains: early, the proxy answers with a mark and dials anew", () => {
  const early = situationWith();
  const [finding] = judge([LOOP, LATER], early);
  assert.deepEqual(troubles([finding]), ["! warning output-chains"]);
  const commands = finding.remedy.split("; to keep")[0].split("; and ");
  assert.equal(commands.length, 2, finding.remedy);
  assert.match(commands[0], /meta mark and (0x\w+) == \1 accept$/);
  assert.match(commands[1], /oifname eth0 ct state new accept$/);
  const clients: Rule = [...outputInterface("br-lan"), ...ACCEPT];
  const servers: Rule = [...outputInterface("eth0"), ...ACCEPT];
  assert.deepEqual(troubles(judge([clients, servers], early)), []);
  assert.deepEqual(troubles(judge([[...hasMark(0x1, { mask: 0x1 }), ...ACCEPT]], early)).length, 1);
});

Deno.test("output-chains: nothing is said twice where nothing may be read", () => {
  assert.deepEqual(outputChains.judge(FORBIDDEN, path), []);
});
