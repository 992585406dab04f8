/**
 * Messages of nf_tables about objects of any program: read, told in words, and walked by packets.
 * @module
 */
import { NetworkChange } from "../../../../src/daemon/network/change.ts";
import { readFirewallNews } from "../../../../src/daemon/network/firewall_news.ts";
import type { KnownPacket } from "../../../../src/doctor/packet/known_packet.ts";
import type { KnownSet } from "../../../../src/doctor/packet/known_set.ts";
import { walkBaseChain } from "../../../../src/doctor/packet/packet_walk.ts";
import { formatRule } from "../../../../src/doctor/packet/rule_text.ts";
import { CT_STATE } from "../../../../src/netlink/nft/expr/ct.ts";
import {
  decodeAnswer,
  decodeMessages,
  encodeMessages,
  type NetlinkMessage,
} from "../../../../src/netlink/message.ts";
import { decodeChain } from "../../../../src/netlink/nft/chain.ts";
import { isNftMessage, NFT_OBJECT_KINDS, type NftObject } from "../../../../src/netlink/nft/message.ts";
import { decodeRule, type NftRule } from "../../../../src/netlink/nft/rule.ts";
import { decodeElements } from "../../../../src/netlink/nft/sets/element.ts";
import { elementRanges } from "../../../../src/netlink/nft/sets/interval.ts";
import { decodeSet } from "../../../../src/netlink/nft/sets/set.ts";
import { decodeTable } from "../../../../src/netlink/nft/table.ts";
import { CLIENT } from "../../../unit/doctor/support/packets.ts";
import { nlError } from "../../../unit/netlink/fake_transport.ts";
import { kindOf, orRefusal, type Parser } from "../../parser.ts";
import { changeMessages } from "../support/netlink_inputs.ts";
import { wireSamples } from "../support/wire_samples.ts";

const PACKETS: readonly KnownPacket[] = [
  CLIENT,
  { ...CLIENT, family: "ipv6", protocol: "udp", ctState: CT_STATE.new, destinationPort: 53 },
];
const BASE = { type: "filter", hook: "input", priority: 0, policy: "accept" } as const;

/** The kernel's refusals of a request. */
const REQUEST: NetlinkMessage = { type: 0xa06, flags: 5, sequence: 7, portId: 0, body: new Uint8Array(20) };
const REFUSALS = [{}, { text: "no such chain", offset: 24 }, { text: "whole", whole: true }].map((details) =>
  encodeMessages([nlError(REQUEST, 2, details)])
);

const SAMPLES = [...wireSamples((type) => type >> 8 === 10), ...REFUSALS];
/** sizeof(struct nfgenmsg) */
const NFGENMSG = 4;

/** Datagrams of nf_tables. */
export const nfTables: Parser = {
  name: "nf_tables",
  samples: () => SAMPLES,
  invent: (random) => changeMessages(random.one(SAMPLES), random, () => NFGENMSG),
  words: [
    "payload\0",
    "lookup\0",
    "cmp\0",
    "immediate\0",
    "match\0",
    "target\0",
    "ct\0",
    "bitwise\0",
    "nat\0",
  ],
  read(input) {
    const rules: NftRule[] = [];
    const sets = new Map<string, KnownSet>();
    const kinds = orRefusal(() =>
      decodeMessages(input).map((message) => orRefusal(() => readMessage(message, rules, sets))).join(" ")
    );
    return `${kinds} ${orRefusal(() => tell(rules, sets))}`.slice(0, 300);
  },
};

function readMessage(message: NetlinkMessage, rules: NftRule[], sets: Map<string, KnownSet>): string {
  readFirewallNews(message, false, new NetworkChange());
  const kind = NFT_OBJECT_KINDS.find((kind) => isNftMessage(message, kind));
  return kind === undefined ? `${decodeAnswer(message).errno}` : readObject(kind, message, rules, sets);
}

function readObject(
  kind: NftObject,
  { body }: NetlinkMessage,
  rules: NftRule[],
  sets: Map<string, KnownSet>,
): string {
  switch (kind) {
    case "table":
      return `table ${decodeTable(body).flags?.length}`;
    case "chain":
      return `chain ${decodeChain(body).base?.hook}`;
    case "set":
      return `set ${decodeSet(body).type.join()}`;
    case "rule": {
      const rule = decodeRule(body);
      rules.push(rule);
      return rule.expressions.map((expression) => expression.kind).join();
    }
    case "elements": {
      const elements = decodeElements(body);
      sets.set(`set${sets.size}`, { elements, interval: sets.size % 2 === 0 });
      return orRefusal(() => `${elementRanges(elements).length} ranges`);
    }
    case "generation":
    case "flowtable":
      return kind;
    default:
      throw kind satisfies never;
  }
}

/** Has packets walk through the rules, all in one chain; every set is one of those that were read. */
function tell(rules: readonly NftRule[], sets: ReadonlyMap<string, KnownSet>): string {
  const findSet = (name: string) => sets.get(`set${name.length % Math.max(sets.size, 1)}`);
  const chain = { family: "inet", table: "t", name: rules[0]?.chain ?? "c", base: BASE } as const;
  const ends = PACKETS.map((packet) => walkBaseChain({ rules, findSet }, chain, packet).verdict);
  const texts = rules.flatMap(({ expressions }) =>
    (["nft", "iptables"] as const).map((tongue) => kindOf(formatRule(expressions, { tongue, findSet })))
  );
  return [...ends, ...texts].join(" ");
}
