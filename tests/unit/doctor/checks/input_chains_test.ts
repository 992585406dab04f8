import assert from "node:assert/strict";
import { inputChains } from "../../../../src/doctor/checks/input_chains.ts";
import { conntrackState, hasMark, inputInterface, verdict } from "../../../../src/netlink/nft/phrases.ts";
import { firewallsWith, FORBIDDEN, match, type Rule } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const ACCEPT = verdict("accept");
const LATER: Rule = [...conntrackState(["established", "related"]), ...ACCEPT];
const LOOP: Rule = [...inputInterface("lo"), ...ACCEPT];
const FOUND = ["! warning input-chains"];
const path = situationWith({ admission: FORWARD_PATH });
const judge = (rules: readonly Rule[], situation = path) =>
  inputChains.judge(firewallsWith({ hook: "input", policy: "drop", rules }), situation);

Deno.test("input-chains: the forward path needs the loopback and what is established, early needs the mark", () => {
  const early = situationWith();
  assert.deepEqual(troubles(judge([LOOP, LATER])), []);
  assert.deepEqual(troubles(judge([LATER])), FOUND);
  assert.deepEqual(troubles(judge([LOOP])), FOUND);
  assert.deepEqual(troubles(judge([LOOP, LATER], early)), FOUND);
  assert.deepEqual(troubles(judge([[...hasMark(1, { mask: 1 }), ...ACCEPT]], early)), []);
});

Deno.test("input-chains: the remedy accepts all that is dropped, and says once how to keep it", () => {
  const [{ remedy }] = judge([]);
  assert.equal(
    remedy,
    "nft insert rule inet t input iif lo accept; and nft insert rule inet t input ct state established,related accept; " +
      "to keep them, put it into that firewall's configuration (/etc/nftables.conf)",
  );
});

Deno.test("input-chains: what cannot be read or judged is in the way", () => {
  const [unread] = inputChains.judge(firewallsWith({ hook: "input", unread: true }), path);
  assert.deepEqual([unread.blocks, unread.cause.slice(0, 17)], [true, "It cannot be read"]);
  const [unsure] = judge([LOOP, LATER, [match("length"), ...ACCEPT]], situationWith());
  assert.deepEqual([unsure.blocks, unsure.cause.slice(0, 11)], [true, "It may drop"]);
  assert.deepEqual(troubles(inputChains.judge(FORBIDDEN, path)), ["not permitted input-chains"]);
});

Deno.test("input-chains: iptables-legacy has a name of its own, and chains of NAT filter nothing", () => {
  const { chains } = firewallsWith({ hook: "input", policy: "drop", program: "iptables-legacy" });
  const facts = { ...firewallsWith(), legacyChains: chains! };
  assert.deepEqual(troubles(inputChains.judge(facts, path)), ["! warning legacy-input"]);
  const nat = firewallsWith({ hook: "input", policy: "drop", type: "nat" });
  assert.deepEqual(troubles(inputChains.judge(nat, path)), []);
});
