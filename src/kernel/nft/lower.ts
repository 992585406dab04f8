/**
 * Statements as expressions of nf_tables: register for register what nft 1.0.6 makes of the same text, so that
 * `nft list ruleset` prints both alike. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { REGISTER_1, REGISTER_2 } from "../../netlink/nft/data.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { ICMPX_PORT_UNREACHABLE } from "../../netlink/nft/expr/reject.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import { hostKey, hostKey16, ifnameKey, type NftDataType, portKey } from "../../netlink/nft/sets/set_type.ts";
import type { Endpoint, Family } from "../../net/ip.ts";
import type { AddressType } from "../plan/condition.ts";
import type { Statement } from "./model.ts";

/** Makes a set for one rule, and gives what its lookup holds. */
export type AnonymousSetMaker = (
  type: NftDataType,
  keys: readonly Uint8Array[],
) => { readonly set: string; readonly setId?: number };

// linux/in.h: IPPROTO_*; linux/netfilter.h: NFPROTO_*; linux/rtnetlink.h: RTN_*; linux/tcp.h: the flags' byte
const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };
const FAMILY_NUMBERS: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };
const ADDRESS_TYPES: Readonly<Record<AddressType, number>> = {
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
};
const ICMP_NUMBERS: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 };
/** The type, or type and code: RFC 792, RFC 4443. */
const ICMP_ERRORS = {
  ipv4: { "too-big": [3, 4], unreachable: [3] },
  ipv6: { "too-big": [2], unreachable: [1] },
} as const;
const TCP_FLAGS_OFFSET = 13;
const TCP_FIN_SYN_RST_ACK = 0x17;
const TCP_SYN = 0x02;
const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
/** Parts of a concatenation lie one after another; nft calls those that begin a 16-byte register by its number. */
const FLOW_REGISTERS: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [1, 9, 10, 11],
  ipv6: [1, 2, 13, 17],
};
// linux/netfilter/nf_conntrack_tuple_common.h
const IP_CT_DIR_ORIGINAL = 0;
/** The user id that nobody has: (uid_t) -1. */
const NO_USER = 0xffffffff;
// linux/if_arp.h; linux/if_ether.h: struct ethhdr; linux/ip.h: struct iphdr; linux/ipv6.h: struct ipv6hdr
const ARPHRD_ETHER = 1;
const HARDWARE_SOURCE = { offset: 6, length: 6 };
const ADDRESS_PLACES = {
  ipv4: { source: { offset: 12, length: 4 }, destination: { offset: 16, length: 4 } },
  ipv6: { source: { offset: 8, length: 16 }, destination: { offset: 24, length: 16 } },
} as const;

const register = REGISTER_1;

/** The expressions of a rule. */
export function lowerRule(statements: readonly Statement[], makeSet: AnonymousSetMaker): NftExpression[] {
  return statements.flatMap((statement) => lowerStatement(statement, makeSet));
}

function lowerStatement(statement: Statement, makeSet: AnonymousSetMaker): NftExpression[] {
  switch (statement.kind) {
    case "input-interface":
      return [load("iifname"), lookup(statement.set, statement.negate)];
    case "input-interface-name":
      return [
        load("iifname"),
        {
          kind: "cmp",
          operator: statement.negate ? "neq" : "eq",
          register,
          value: ifnameKey(statement.name),
        },
      ];
    case "output-interface":
      return [load("oifname"), lookup(statement.set, false)];
    case "output-interface-name":
      return [load("oifname"), equals(ifnameKey(statement.name))];
    case "family":
      return [load("nfproto"), equals(Uint8Array.of(FAMILY_NUMBERS[statement.family]))];
    case "protocol":
      return [load("l4proto"), ...oneOf("inet_proto", statement.protocols.map(protocolKey), { makeSet })];
    case "bare-syn":
      return [
        load("l4proto"),
        equals(protocolKey("tcp")),
        { kind: "payload", base: "transport", offset: TCP_FLAGS_OFFSET, length: 1, register },
        masked(Uint8Array.of(TCP_FIN_SYN_RST_ACK), new Uint8Array(1)),
        equals(Uint8Array.of(TCP_SYN)),
      ];
    case "destination-port":
      return [
        { kind: "payload", base: "transport", offset: DESTINATION_PORT_OFFSET, length: 2, register },
        lookup(statement.set, statement.negate),
      ];
    case "address": {
      const { offset, length } = ADDRESS_PLACES[statement.family][statement.side];
      return [{ kind: "payload", base: "network", offset, length, register }, lookup(statement.set, false)];
    }
    case "hardware-address":
      return [
        load("iiftype"),
        equals(hostKey16(ARPHRD_ETHER)),
        { kind: "payload", base: "link", ...HARDWARE_SOURCE, register },
        lookup(statement.set, false),
      ];
    case "destination-type": {
      const keys = statement.types.map((type) => hostKey(ADDRESS_TYPES[type]));
      return [
        { kind: "fib", flags: ["daddr"], result: "type", register },
        ...oneOf("fib_addrtype", keys, { makeSet, negate: statement.negate }),
      ];
    }
    case "transparent-socket":
      return [{ kind: "socket", key: "transparent", register }, equals(Uint8Array.of(1))];
    case "icmp-error": {
      const value = ICMP_ERRORS[statement.family][statement.error];
      return [
        load("nfproto"),
        equals(Uint8Array.of(FAMILY_NUMBERS[statement.family])),
        load("l4proto"),
        equals(Uint8Array.of(ICMP_NUMBERS[statement.family])),
        { kind: "payload", base: "transport", offset: 0, length: value.length, register },
        equals(Uint8Array.from(value)),
      ];
    }
    case "known-flow":
      return [
        { kind: "ct", direction: "load", key: "state", register },
        masked(hostKey(CT_STATE.established | CT_STATE.related), hostKey(0)),
        { kind: "cmp", operator: "neq", register, value: hostKey(0) },
      ];
    case "original-direction":
      return [
        { kind: "ct", direction: "load", key: "direction", register },
        equals(Uint8Array.of(IP_CT_DIR_ORIGINAL)),
      ];
    case "remembered-flow":
      return [...loadFlow(statement.family, { answer: true }), lookup(statement.set, false)];
    case "remember-flow":
      return [
        ...loadFlow(statement.family, statement),
        { kind: "dynset", operation: "update", set: statement.set, register },
      ];
    case "foreign-source":
      return [
        { kind: "fib", flags: ["saddr"], result: "type", register },
        differs(hostKey(ADDRESS_TYPES.local)),
      ];
    case "of-program":
      return [load("skuid"), differs(hostKey(NO_USER))];
    case "marked":
      return [load("mark"), differs(hostKey(0))];
    case "mark-bits": {
      const bits = hostKey(statement.mask);
      return [load("mark"), masked(bits, hostKey(0)), statement.negate ? differs(bits) : equals(bits)];
    }
    case "new-flow":
      return [
        { kind: "ct", direction: "load", key: "state", register },
        masked(hostKey(CT_STATE.new), hostKey(0)),
        differs(hostKey(0)),
      ];
    case "flow-bits": {
      const bits = hostKey(statement.mask);
      return [
        { kind: "ct", direction: "load", key: "mark", register },
        masked(bits, hostKey(0)),
        equals(bits),
      ];
    }
    case "set-flow-bits":
      return [
        { kind: "ct", direction: "load", key: "mark", register },
        masked(hostKey(~statement.mask >>> 0), hostKey(statement.clear ? 0 : statement.mask)),
        { kind: "ct", direction: "set", key: "mark", register },
      ];
    case "packet-length":
      return [load("length"), equals(hostKey(statement.bytes))];
    case "proxy-runs":
      return [load("nfproto"), lookup(statement.set, false)];
    case "proxy-shows":
      return [load("nfproto"), { kind: "dynset", operation: "update", set: statement.set, register }];
    case "socket-mark":
      return [{ kind: "socket", key: "mark", register }, equals(hostKey(statement.mark))];
    case "mark":
      return [load("mark"), equals(hostKey(statement.mark))];
    case "tproxy":
      return lowerTproxy(statement.to);
    case "set-mark":
      return [
        load("mark"),
        masked(hostKey(~statement.mask >>> 0), hostKey(statement.mask)),
        { kind: "meta", direction: "set", key: "mark", register },
      ];
    case "notrack":
      return [{ kind: "notrack" }];
    case "reject":
      return statement.answer === "tcp-reset"
        ? [{ kind: "reject", type: "tcp-reset", code: 0 }]
        : [{ kind: "reject", type: "icmpx", code: ICMPX_PORT_UNREACHABLE }];
    case "verdict":
      return [{ kind: "verdict", verdict: { code: statement.verdict } }];
    case "goto":
      return [{ kind: "verdict", verdict: { code: "goto", chain: statement.chain } }];
    default:
      return statement satisfies never;
  }
}

function lowerTproxy(to: Endpoint): NftExpression[] {
  return [
    { kind: "immediate", register: REGISTER_1, value: to.address.bytes },
    { kind: "immediate", register: REGISTER_2, value: portKey(to.port) },
    {
      kind: "tproxy",
      family: to.address.family === "ipv4" ? "ip" : "ip6",
      addressRegister: REGISTER_1,
      portRegister: REGISTER_2,
    },
  ];
}

/** The addresses and ports of a packet, as those of an answer, in registers one after another. */
function loadFlow(family: Family, { answer }: { answer: boolean }): NftExpression[] {
  const ends = [
    [ADDRESS_PLACES[family].source, SOURCE_PORT_OFFSET],
    [ADDRESS_PLACES[family].destination, DESTINATION_PORT_OFFSET],
  ] as const;
  const registers = FLOW_REGISTERS[family];
  return (answer ? ends : ends.toReversed()).flatMap(([address, port], end): NftExpression[] => [
    { kind: "payload", base: "network", ...address, register: registers[2 * end] },
    { kind: "payload", base: "transport", offset: port, length: 2, register: registers[2 * end + 1] },
  ]);
}

type LoadedKey = "iifname" | "oifname" | "iiftype" | "nfproto" | "l4proto" | "mark" | "skuid" | "length";

function load(key: LoadedKey): NftExpression {
  return { kind: "meta", direction: "load", key, register };
}

function equals(value: Uint8Array): NftExpression {
  return { kind: "cmp", operator: "eq", register, value };
}

function differs(value: Uint8Array): NftExpression {
  return { kind: "cmp", operator: "neq", register, value };
}

function masked(mask: Uint8Array, xor: Uint8Array): NftExpression {
  return { kind: "bitwise", source: register, destination: register, mask, xor };
}

function lookup(set: string, inverted: boolean): NftExpression {
  return { kind: "lookup", set, register, ...(inverted ? { inverted } : {}) };
}

function oneOf(
  type: NftDataType,
  keys: readonly Uint8Array[],
  { makeSet, negate = false }: { makeSet: AnonymousSetMaker; negate?: boolean },
): NftExpression[] {
  if (keys.length === 1) return [{ kind: "cmp", operator: negate ? "neq" : "eq", register, value: keys[0] }];
  return [{ kind: "lookup", register, ...makeSet(type, keys), ...(negate ? { inverted: true } : {}) }];
}

function protocolKey(protocol: Protocol): Uint8Array {
  return Uint8Array.of(PROTOCOL_NUMBERS[protocol]);
}
