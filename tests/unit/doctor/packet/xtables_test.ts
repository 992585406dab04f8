/** Rules of iptables-nft as the kernel has told them: what they match, and how they are named. */
import assert from "node:assert/strict";
import { XTABLES_RULES } from "../../../../scripts/lib/record/cases/xtables_matches.ts";
import type { KnownPacket } from "../../../../src/doctor/packet/known_packet.ts";
import { type Limits, matchRule } from "../../../../src/doctor/packet/packet_match.ts";
import { formatRule } from "../../../../src/doctor/packet/rule_text.ts";
import { CT_STATE } from "../../../../src/netlink/nft/expr/ct.ts";
import { decodeRule, type NftRule } from "../../../../src/netlink/nft/rule.ts";
import { recordedMessages } from "../../netlink/wire.ts";
import { CLIENT } from "../support/packets.ts";

/** NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE */
const NEW_RULE = 0x0a06;
const findSet = () => undefined;

const RULES: ReadonlyMap<string, NftRule> = new Map(
  recordedMessages("dump-iptables-matches").filter(({ type }) => type === NEW_RULE)
    .map(({ body }) => decodeRule(body)).filter((rule) => rule !== undefined)
    .map((rule) => [XTABLES_RULES[Number(rule.chain.replace("rule", ""))], rule]),
);

/** The first packet of a client that is taken early. */
const EARLY: KnownPacket = { ...CLIENT, source: { bytes: Uint8Array.of(192, 168, 1, 1), length: 24 } };
/** A later one in the forward path. */
const LATER: KnownPacket = { ...EARLY, mark: 0, ctState: CT_STATE.established };

function says(rule: string, packet: KnownPacket, limits: Limits = "unreached"): string {
  const found = RULES.get(rule);
  assert.ok(found !== undefined, rule);
  const { sure, matches } = matchRule(found.expressions, { packet, findSet, limits });
  return sure ? matches ? "yes" : "no" : matches ? "perhaps yes" : "perhaps no";
}

/** A rule, and what becomes of both packets. */
const ANSWERS: Readonly<Record<string, readonly [early: string, later: string]>> = {
  "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": ["no", "yes"],
  "-m conntrack ! --ctstate NEW -j ACCEPT": ["yes", "yes"],
  "-m conntrack --ctstate UNTRACKED -j ACCEPT": ["yes", "no"],
  "-m state --state ESTABLISHED -j ACCEPT": ["no", "yes"],
  "-m mark --mark 0x1/0x1 -j ACCEPT": ["yes", "no"],
  "-m mark ! --mark 0x1/0x1 -j ACCEPT": ["no", "yes"],
  "-m addrtype --dst-type LOCAL -j ACCEPT": ["no", "no"],
  "-m addrtype ! --dst-type LOCAL -j ACCEPT": ["yes", "yes"],
  "-p tcp -m multiport --dports 22,80,400:500 -j ACCEPT": ["yes", "yes"],
  "-p tcp -m multiport ! --dports 22,443 -j ACCEPT": ["no", "no"],
  "-p tcp -m multiport --sports 22 -j ACCEPT": ["perhaps no", "perhaps no"],
  "-p tcp --dport 443 -j ACCEPT": ["yes", "yes"],
  "-s 192.168.1.0/24 -j ACCEPT": ["yes", "yes"],
  "-s 192.168.2.0/24 -j ACCEPT": ["no", "no"],
  "-i br-lan -m comment --comment lan -j ACCEPT": ["yes", "yes"],
  "-i br+ -j ACCEPT": ["yes", "yes"],
  "-m limit --limit 25/sec -j ACCEPT": ["perhaps yes", "perhaps yes"],
  "-m hashlimit --hashlimit-above 25/sec --hashlimit-name n -j ACCEPT": ["perhaps no", "perhaps no"],
  "-m recent --name n --update --seconds 60 --hitcount 4 -j ACCEPT": ["perhaps no", "perhaps no"],
  "-m length --length 40:80 -j ACCEPT": ["perhaps no", "perhaps no"],
  "-j REJECT": ["yes", "yes"],
};

Deno.test("matchRule() decides by what iptables-nft has written", () => {
  assert.deepEqual(Object.keys(ANSWERS), XTABLES_RULES);
  const seen = XTABLES_RULES.map((rule) => [rule, [says(rule, EARLY), says(rule, LATER)]]);
  assert.deepEqual(Object.fromEntries(seen), ANSWERS);
});

Deno.test("matchRule() turns its answer about a limit when that is reached", () => {
  const limited = XTABLES_RULES.filter((rule) => / (limit|hashlimit|recent) /.test(rule));
  assert.equal(limited.length, 3);
  const opposite: Readonly<Record<string, string>> = {
    "perhaps yes": "perhaps no",
    "perhaps no": "perhaps yes",
  };
  for (const rule of limited) assert.equal(says(rule, EARLY, "exceeded"), opposite[says(rule, EARLY)], rule);
});

/** Rules that are named otherwise, and how. */
const IN_OTHER_WORDS: Readonly<Record<string, string>> = {
  "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT":
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
  // It has been translated.
  "-m state --state ESTABLISHED -j ACCEPT": "-m conntrack --ctstate ESTABLISHED -j ACCEPT",
  "-i br-lan -m comment --comment lan -j ACCEPT": '-i br-lan -m comment --comment "lan" -j ACCEPT',
};

Deno.test("formatRule() names a rule of iptables as its administrator has written it", () => {
  const texts = XTABLES_RULES.map((rule) =>
    formatRule(RULES.get(rule)!.expressions, { tongue: "iptables", findSet })
  );
  assert.deepEqual(
    texts.slice(0, 16),
    XTABLES_RULES.slice(0, 16).map((rule) => IN_OTHER_WORDS[rule] ?? rule),
  );
});
