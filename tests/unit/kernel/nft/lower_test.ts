/**
 * Planned statements against what nft writes for their text: the same bytes, and the text that we print is
 * the text that nft read.
 */
import assert from "node:assert/strict";
import { lowerRule } from "../../../../src/kernel/nft/lower.ts";
import type { Statement } from "../../../../src/kernel/nft/model.ts";
import { renderRule } from "../../../../src/kernel/nft/rule_text.ts";
import { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import { decodeRule } from "../../../../src/netlink/nft/rule.ts";
import { assertRecorded, recordedBatch, recordedCommand } from "../../netlink/wire.ts";

const WHERE = { family: "inet", table: "t" } as const;
const DROP: Statement = { kind: "verdict", verdict: "drop" };
const ACCEPT: Statement = { kind: "verdict", verdict: "accept" };
const OTHER: Statement = { kind: "goto", chain: "other" };
const TCP: Statement = { kind: "protocol", protocols: ["tcp"] };
const UDP: Statement = { kind: "protocol", protocols: ["udp"] };

const RULES: Readonly<Record<string, readonly Statement[]>> = {
  "interface-name": [
    { kind: "input-interface-name", name: "lan0", negate: true },
    { kind: "destination-type", types: ["local"], negate: true },
    { kind: "verdict", verdict: "return" },
  ],
  addresses: [
    { kind: "family", family: "ipv4" },
    { kind: "address", side: "source", family: "ipv4", set: "nets" },
    { kind: "address", side: "destination", family: "ipv4", set: "nets" },
    { kind: "goto", chain: "other" },
  ],
  addresses6: [
    { kind: "family", family: "ipv6" },
    { kind: "address", side: "source", family: "ipv6", set: "nets6" },
    { kind: "address", side: "destination", family: "ipv6", set: "nets6" },
    ACCEPT,
  ],
  "hardware-address": [{ kind: "hardware-address", set: "macs" }, DROP],
  "socket-mark": [
    TCP,
    { kind: "transparent-socket" },
    { kind: "socket-mark", mark: 4 },
    { kind: "notrack" },
    ACCEPT,
  ],
  mark: [{ kind: "mark", mark: 4 }, { kind: "notrack" }],
  "every-matcher": [
    { kind: "family", family: "ipv4" },
    TCP,
    { kind: "destination-port", set: "ports", negate: false },
    { kind: "input-interface", set: "lan", negate: false },
    { kind: "hardware-address", set: "macs" },
    { kind: "address", side: "source", family: "ipv4", set: "nets" },
    DROP,
  ],
  "icmp-too-big": [
    { kind: "icmp-error", family: "ipv4", error: "too-big" },
    { kind: "transparent-socket" },
    ACCEPT,
  ],
  "icmp6-too-big": [
    { kind: "icmp-error", family: "ipv6", error: "too-big" },
    { kind: "transparent-socket" },
    ACCEPT,
  ],
  "icmp-unreachable": [{ kind: "icmp-error", family: "ipv4", error: "unreachable" }, ACCEPT],
  "icmp6-unreachable": [{ kind: "icmp-error", family: "ipv6", error: "unreachable" }, ACCEPT],
  "remember-flow": [
    { kind: "output-interface-name", name: "lan0" },
    { kind: "family", family: "ipv4" },
    UDP,
    { kind: "original-direction" },
    { kind: "remember-flow", family: "ipv4", set: "flows", answer: false },
  ],
  "remember-flow6": [
    { kind: "family", family: "ipv6" },
    UDP,
    { kind: "remember-flow", family: "ipv6", set: "flows6", answer: false },
  ],
  "known-flow-set": [
    { kind: "family", family: "ipv4" },
    UDP,
    { kind: "remembered-flow", family: "ipv4", set: "flows" },
    { kind: "remember-flow", family: "ipv4", set: "flows", answer: true },
    ACCEPT,
  ],
  "router-marked": [{ kind: "marked" }, { kind: "foreign-source" }, { kind: "verdict", verdict: "return" }],
  "router-flow": [
    { kind: "original-direction" },
    { kind: "flow-bits", mask: 3 },
    { kind: "set-mark", mask: 3 },
    ACCEPT,
  ],
  "router-forget": [{ kind: "flow-bits", mask: 3 }, { kind: "set-flow-bits", mask: 3, clear: true }],
  "router-take": [
    { kind: "proxy-runs", set: "running" },
    { kind: "set-flow-bits", mask: 3, clear: false },
    ACCEPT,
  ],
  "router-loopback": [
    { kind: "mark-bits", mask: 3, negate: true },
    { kind: "verdict", verdict: "return" },
  ],
  "router-show": [
    { kind: "output-interface-name", name: "lo" },
    { kind: "mark", mark: 4 },
    UDP,
    { kind: "packet-length", bytes: 68 },
    { kind: "proxy-shows", set: "running" },
  ],
  acknowledges: [{ kind: "family", family: "ipv4" }, TCP, { kind: "acknowledges" }, ACCEPT],
  "resets-alone": [{ kind: "family", family: "ipv4" }, TCP, { kind: "resets-alone" }, DROP],
  "label-flow": [{ kind: "set-label", label: 120 }],
  "reset-option": [TCP, { kind: "tcp-option", option: 34 }, { kind: "reset-tcp-option", option: 34 }],
  "tcp-option": [
    { kind: "mark-bits", mask: 4, negate: false },
    TCP,
    { kind: "tcp-option", option: 29 },
    { kind: "counter" },
    { kind: "clear-mark", mask: 4, set: 0 },
    ACCEPT,
  ],
  "wildcard-socket": [{ kind: "wildcard-socket" }, ACCEPT],
  "client-zone": [
    { kind: "priority", priority: 0x74700000 },
    { kind: "set-zone", zone: 50080 },
    ACCEPT,
  ],
  "restore-mark": [{ kind: "priority", priority: 0x74710000 }, { kind: "restore-mark" }, ACCEPT],
  "take-own": [{ kind: "zone", zone: 50080 }, { kind: "clear-mark", mask: 4, set: 3 }, ACCEPT],
  unmark: [
    { kind: "zone", zone: 50080 },
    { kind: "marked" },
    { kind: "clear-mark", mask: 0xffffffff, set: 0 },
    ACCEPT,
  ],
  ttl: [
    { kind: "family", family: "ipv4" },
    { kind: "ttl", family: "ipv4", ttl: 2 },
    { kind: "reject", answer: "host-unreachable" },
  ],
  "hop-limit": [
    { kind: "family", family: "ipv6" },
    { kind: "ttl", family: "ipv6", ttl: 3 },
    { kind: "reject", answer: "no-route" },
  ],
  "original-flow": [
    { kind: "family", family: "ipv4" },
    TCP,
    { kind: "original-flow", family: "ipv4", set: "flows" },
    OTHER,
  ],
  "original-flow6": [
    { kind: "family", family: "ipv6" },
    UDP,
    { kind: "original-flow", family: "ipv6", set: "flows6" },
    OTHER,
  ],
  question: [
    { kind: "source-port-share", original: false, mask: 510, first: 128, last: 254 },
    { kind: "log", prefix: "p", group: 50081 },
    DROP,
  ],
  "question-translated": [
    TCP,
    { kind: "source-port-share", original: true, mask: 510, first: 0, last: 126 },
    { kind: "log", prefix: "s", group: 50080 },
    DROP,
  ],
  "keep-destination": [
    { kind: "zone", zone: 50080 },
    { kind: "family", family: "ipv4" },
    { kind: "nat-to-itself", family: "ipv4", side: "destination" },
  ],
  "keep-source": [
    { kind: "zone", zone: 50080 },
    { kind: "family", family: "ipv6" },
    { kind: "nat-to-itself", family: "ipv6", side: "source" },
  ],
  "block-tcp": [{ kind: "bare-syn" }, { kind: "reject", answer: "tcp-reset" }],
  "block-udp": [UDP, { kind: "reject", answer: "port-unreachable" }],
};

const SETS = ["ports", "lan", "nets", "nets6", "macs", "flows", "flows6", "running"];
/** nft 1.0.6 cannot write how a flow of IPv6 is put into a map. */
const MARK_RULES: Readonly<Record<string, readonly Statement[]>> = {
  "note-mark": [
    { kind: "family", family: "ipv4" },
    TCP,
    { kind: "marked-flow", negate: false },
    { kind: "note-mark", family: "ipv4", set: "marks", original: false },
  ],
  "forget-mark": [
    { kind: "family", family: "ipv4" },
    UDP,
    { kind: "forget-mark", family: "ipv4", set: "marks", original: false },
  ],
  "note-original-mark": [
    { kind: "family", family: "ipv4" },
    TCP,
    { kind: "note-mark", family: "ipv4", set: "marks", original: true },
  ],
  "recall-mark": [
    { kind: "family", family: "ipv4" },
    TCP,
    { kind: "recall-mark", family: "ipv4", set: "marks", answer: false },
  ],
  "recall-mark6": [
    { kind: "family", family: "ipv6" },
    UDP,
    { kind: "recall-mark", family: "ipv6", set: "marks6", answer: true },
  ],
};

for (
  const [name, statements, sets] of [
    ...Object.entries(RULES).map(([name, statements]) => [name, statements, SETS] as const),
    ...Object.entries(MARK_RULES).map(([name, statements]) =>
      [name, statements, ["marks", "marks6"]] as const
    ),
  ]
) {
  const recording = `rule-planned-${name}`;

  Deno.test(`lowerRule() makes of statements what nft makes of their text: ${name}`, () => {
    const batch = new NftBatch();
    // The sets that were there before, in the order in which nft numbers them.
    for (const set of sets) {
      batch.addSet({ ...WHERE, name: set, type: ["ifname"] });
    }
    const expressions = lowerRule(statements, () => assert.fail("no anonymous set is needed"));
    batch.addRule({ ...WHERE, chain: "c", expressions });
    assertRecorded([batch.commands.at(-1)!.request], recordedBatch(recording));
    const withoutIds = decodeRule(recordedBatch(recording)[0].body).expressions.map((expression) => {
      if (expression.kind !== "lookup" && expression.kind !== "dynset") return expression;
      const { setId: _, ...lookup } = expression;
      return lookup;
    });
    assert.deepEqual(withoutIds, expressions);
  });

  Deno.test(`renderRule() writes what nft has read: ${name}`, () => {
    assert.equal(`nft add rule inet t c ${renderRule(statements)}`, recordedCommand(recording));
  });
}

const STATES: Readonly<Record<string, readonly Statement[]>> = {
  "watched-flow": [
    { kind: "flow-label", label: 120, negate: false },
    { kind: "flow-label", label: 121, negate: true },
    { kind: "original-direction" },
    { kind: "carries-data" },
    OTHER,
  ],
  "no-bare-syn": [{ kind: "no-bare-syn" }, { kind: "unknown-flow" }, OTHER],
  untracked: [{ kind: "untracked" }, ACCEPT],
  related: [{ kind: "related-flow" }, ACCEPT],
  translated: [{ kind: "translated-flow" }, OTHER],
  redirected: [{ kind: "redirected-flow" }, OTHER],
  helped: [{ kind: "helped-flow" }, ACCEPT],
  "known-flow": [UDP, { kind: "known-flow" }, ACCEPT],
  "router-new": [
    { kind: "bare-syn" },
    { kind: "new-flow" },
    { kind: "of-program" },
    { kind: "goto", chain: "other" },
  ],
};

for (const [name, statements] of Object.entries(STATES)) {
  const title =
    "lowerRule() makes of a flow's state what nft means, which leaves the kind of its bitwise operation out";
  Deno.test(`${title}: ${name}`, () => {
    const recording = `rule-planned-${name}`;
    const { expressions } = decodeRule(recordedBatch(recording)[0].body);
    assert.deepEqual(lowerRule(statements, () => assert.fail("no anonymous set is needed")), expressions);
    assert.equal(`nft add rule inet t c ${renderRule(statements)}`, recordedCommand(recording));
  });
}
