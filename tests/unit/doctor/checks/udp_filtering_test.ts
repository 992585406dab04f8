import assert from "node:assert/strict";
import { judgeUdpFiltering } from "../../../../src/doctor/checks/udp_filtering.ts";
import type { Config } from "../../../../src/config/types.ts";
import { masquerade, outputInterface } from "../../../../src/netlink/nft/phrases.ts";
import { configWith } from "../../kernel/support/view.ts";
import { firewallsWith } from "../support/firewall.ts";
import { situationWith, troubles } from "../support/machine.ts";

const FACTS = firewallsWith({
  hook: "postrouting",
  type: "nat",
  rules: [[...outputInterface("eth0"), ...masquerade()]],
});
const config = configWith({ protocols: ["tcp", "udp"] });
const OPEN: Config = { ...config, udp: { ...config.udp, filtering: "endpoint-independent" } };

Deno.test("judgeUdpFiltering() finds strangers let in where masquerade keeps them out", () => {
  const judge = (config: Config, facts = FACTS) => judgeUdpFiltering(facts, situationWith({ config }));
  const [finding] = judge(OPEN);
  assert.deepEqual(troubles([finding]), ["warning udp-filtering"]);
  assert.match(
    finding.cause,
    /the rule "oifname "eth0" masquerade", chain postrouting of table inet t, gives/,
  );
  assert.deepEqual(troubles(judge(OPEN, firewallsWith())), []);
  assert.deepEqual(troubles(judge(config)), [], "nobody asks for it");
  assert.deepEqual(troubles(judge({ ...OPEN, source: "router" })), []);
  const tcp = { ...OPEN, intercept: { ...OPEN.intercept, protocols: ["tcp"] as const } };
  assert.deepEqual(troubles(judge(tcp)), []);
});
