import assert from "node:assert/strict";
import { judgePathChains } from "../../../../src/doctor/checks/path_chains.ts";
import { inputInterface, transport, verdict } from "../../../../src/netlink/nft/phrases.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import { type ChainText, firewallsWith, match, type Rule, target } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

const path = situationWith({ admission: FORWARD_PATH });
const DROP: Rule = [...inputInterface("br-lan"), ...verdict("drop")];
const judge = (text: ChainText, situation = path) => judgePathChains(firewallsWith(text), situation);

Deno.test("path-chains: what drops clients where they come in or leave is in the way", () => {
  const [before] = judge({ hook: "prerouting", priority: -300, rules: [DROP] });
  assert.deepEqual(troubles([before]), ["! warning prerouting-chains"]);
  assert.match(before.remedy, /^nft insert rule inet t prerouting iifname br-lan accept;/);
  const behind = judge({ hook: "postrouting", policy: "drop", priority: -150 });
  assert.deepEqual(troubles(behind), ["! warning postrouting-chains"]);
  assert.match(
    behind[0].remedy,
    /oifname eth0 accept; and .*oifname lo accept; and .*oifname br-lan accept;/,
  );
  assert.deepEqual(troubles(judge({ hook: "prerouting" })), []);
});

Deno.test("path-chains: chains behind the question, and at postrouting what is taken early, do not count", () => {
  assert.deepEqual(troubles(judge({ hook: "postrouting", policy: "drop", priority: 300 })), []);
  assert.deepEqual(troubles(judge({ hook: "postrouting", policy: "drop" }, situationWith())), []);
  const early = judge({ hook: "prerouting", rules: [DROP] }, situationWith());
  assert.deepEqual(troubles(early), ["! warning prerouting-chains"]);
});

Deno.test("path-chains: at ingress only what comes in by the chain's own device counts", () => {
  const guard = (device: string): ChainText => ({
    hook: "ingress",
    family: "netdev",
    device,
    rules: [[...transport("tcp"), ...verdict("drop")]],
  });
  assert.deepEqual(troubles(judge(guard("br-lan"))), ["! warning ingress-chains"]);
  assert.match(judge(guard("eth0"))[0].cause, /\(tcp from servers on eth0\)/);
  assert.deepEqual(troubles(judge(guard("tun0"))), []);
});

Deno.test("path-chains: the answers of servers count as well", () => {
  const [finding] = judge({ hook: "prerouting", rules: [[...inputInterface("eth0"), ...verdict("drop")]] });
  assert.deepEqual(troubles([finding]), ["! warning prerouting-chains"]);
  assert.match(finding.cause, /from servers on eth0/);
});

Deno.test("path-chains: the check of the reverse path lets clients pass", () => {
  const fib = (...rest: NftExpression[]): Rule => [
    { kind: "fib", flags: ["saddr", "mark", "iif"], result: "oif", present: true, register: 1 },
    ...rest,
  ];
  const is = (value: number): NftExpression => ({
    kind: "cmp",
    operator: "eq",
    register: 1,
    value: Uint8Array.of(value, 0, 0, 0),
  });
  const nixos = fib(is(1), ...verdict("accept"));
  assert.deepEqual(troubles(judge({ hook: "prerouting", policy: "drop", rules: [nixos] })), []);
  const firewalld = fib(is(0), ...verdict("drop"));
  assert.deepEqual(troubles(judge({ hook: "prerouting", rules: [firewalld] })), []);
  const iptables: Rule[] = [[match("rpfilter", [2]), ...verdict("return")], verdict("drop")];
  const further = { check: iptables };
  const rules: Rule[] = [[{ kind: "verdict", verdict: { code: "jump", chain: "check" } }]];
  assert.deepEqual(troubles(judge({ hook: "prerouting", rules, further })), []);
  const inverted: Rule = [match("rpfilter", [8]), ...verdict("drop")];
  assert.deepEqual(troubles(judge({ hook: "prerouting", rules: [inverted] })), []);
});

Deno.test("path-chains: another transparent proxy is named as such", () => {
  const tcp = transport("tcp");
  const [finding] = judge({ hook: "prerouting", rules: [[...tcp, target("TPROXY")]] });
  assert.deepEqual([finding.blocks, finding.cause.slice(0, 28)], [true, "It takes flows of clients (t"]);
  assert.match(finding.remedy, /only one can have these flows/);
  // Of nft, only where somebody listens.
  const nft: Rule = [...tcp, { kind: "tproxy", family: "ip", portRegister: 1 }, ...verdict("accept")];
  assert.match(judge({ hook: "prerouting", rules: [nft] })[0].cause, /^It may take flows of clients/);
});
