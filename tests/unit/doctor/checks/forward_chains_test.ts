import assert from "node:assert/strict";
import { forwardChains } from "../../../../src/doctor/checks/forward_chains.ts";
import {
  conntrackState,
  destinationPort,
  inputInterface,
  outputInterface,
  reject,
  transport,
  verdict,
} from "../../../../src/netlink/nft/phrases.ts";
import { firewallsWith, FORBIDDEN, match, type Rule } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";
import { configWith } from "../../kernel/support/view.ts";

const config = configWith({ protocols: ["tcp", "udp"] });
const path = situationWith({ config, admission: FORWARD_PATH });
const early = situationWith({ config });
const LAN_TO_WAN: Rule = [...inputInterface("br-lan"), ...outputInterface("eth0"), ...verdict("accept")];
const LATER: Rule = [...conntrackState(["established"]), ...verdict("accept")];
const judge = (policy: "accept" | "drop", rules: readonly Rule[], situation = path) =>
  forwardChains.judge(firewallsWith({ hook: "forward", policy, rules }), situation);

Deno.test("forward-chains: what refuses all of a protocol is in the way, the rest may be meant so", () => {
  const [all] = judge("drop", [LATER]);
  assert.deepEqual(troubles([all]), ["! warning forward-chains"]);
  assert.equal(
    all.remedy.split(";")[0],
    "nft insert rule inet t forward iifname br-lan oifname eth0 accept",
  );
  assert.deepEqual(troubles(judge("drop", [LATER, LAN_TO_WAN])), []);
  const udp = judge("accept", [[...transport("udp"), ...verdict("drop")]]);
  assert.deepEqual(troubles(udp), ["! warning forward-chains"], "all of UDP");
  const [some] = judge("accept", [[...transport("tcp"), ...destinationPort(22), ...reject("tcp-reset")]]);
  assert.deepEqual([some.blocks, some.remedy], [false, "Nothing, if that is meant so"]);
  assert.match(some.cause, /tcp from br-lan to eth0 \(port 22\)/);
});

Deno.test("forward-chains: what cannot be judged or read is in the way", () => {
  const [unsure] = judge("drop", [[match("length"), ...verdict("accept")]]);
  assert.deepEqual([unsure.blocks, unsure.cause.slice(0, 13)], [true, "It may refuse"]);
  assert.match(unsure.remedy, /^Nothing, if it accepts those that are meant to pass; else nft insert rule/);
  // fw4, firewalld and NixOS let pass what a port is forwarded to: that is no client's.
  const translated: Rule = [
    { kind: "ct", direction: "load", key: "status", register: 1 },
    {
      kind: "bitwise",
      source: 1,
      destination: 1,
      mask: Uint8Array.of(0x20, 0, 0, 0),
      xor: new Uint8Array(4),
    },
    { kind: "cmp", operator: "neq", register: 1, value: new Uint8Array(4) },
    ...verdict("accept"),
  ];
  assert.match(judge("drop", [LATER, translated])[0].remedy, /^nft insert rule inet t forward/);
  // A captive portal: TCP surely does not pass, of UDP it is not known.
  const portal: Rule[] = [
    [...transport("tcp"), ...verdict("drop")],
    [match("set"), ...verdict("accept")],
    verdict("drop"),
  ];
  assert.match(judge("accept", portal)[0].cause, /^It may refuse clients .*, unless a rule accepts them/);
  const [unread] = forwardChains.judge(firewallsWith({ hook: "forward", unread: true }), path);
  assert.deepEqual([unread.blocks, unread.cause.slice(0, 17)], [true, "It cannot be read"]);
  assert.deepEqual(forwardChains.judge(FORBIDDEN, path), []);
});

Deno.test("forward-chains: early does not pass them, and says so where they refuse something", () => {
  const refusing: Rule = [...destinationPort(22), ...verdict("drop")];
  assert.deepEqual(troubles(judge("accept", [refusing], early)), ["warning forward-chains"]);
  assert.deepEqual(troubles(judge("accept", [LAN_TO_WAN], early)), []);
  assert.deepEqual(troubles(judge("drop", [LATER], early)), [], "the proxy is meant to be the only way");
});
