/**
 * The addresses and marks that a rule gives a flow, as far as they can be told. Pure.
 * @module
 */
import { type Family, type IpAddress } from "../../net/ip.ts";
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";
import type { NatExpression } from "../../netlink/nft/expr/nat.ts";
import type { UnknownExpression } from "../../netlink/nft/expression.ts";
import { masquerades, redirects } from "../firewall/effects.ts";
import { type PartialBytes, whole } from "./partial.ts";
import type { Registers } from "./registers.ts";
import type { XtablesPart } from "./xtables_match.ts";

/** A translation of a flow. */
export interface Translation {
  /** The end of the flow that it changes. */
  readonly end: "source" | "destination";
  /** `given`: to `address`; `masquerade`: to that of the way out; `redirect`: to the router itself. */
  readonly how: "given" | "masquerade" | "redirect";
  /** Absent: it stays, or it is not known (`unread`). */
  readonly address?: IpAddress;
  readonly port?: number;
  /** The rule could not be read to its end. */
  readonly unread?: true;
}

/** Reads `snat` and `dnat` of nft. */
export function readNat(
  { type, family, addressRegister, portRegister }: NatExpression,
  registers: Registers,
): Translation {
  const end = type === "snat" ? "source" : "destination";
  const address = knownBytes(registers.get(addressRegister, family === "ip" ? 4 : 16));
  const port = portRegister === undefined ? undefined : knownBytes(registers.get(portRegister, 2));
  if (address === undefined || portRegister !== undefined && port === undefined) {
    return { end, how: "given", unread: true };
  }
  return {
    end,
    how: "given",
    address: { family: family === "ip" ? "ipv4" : "ipv6", bytes: address },
    ...(port === undefined ? {} : { port: port[0] << 8 | port[1] }),
  };
}

function knownBytes({ bytes, known }: PartialBytes): Uint8Array | undefined {
  return known.every((byte) => byte === 0xff) ? bytes : undefined;
}

/** Reads what a NAT is that is not one of the forms that this program knows. */
export function readUnread(name: string, expression: UnknownExpression): Translation | undefined {
  const how = name === "redir" ? "redirect" : name === "masq" ? "masquerade" : "given";
  if (masquerades([expression])) return { end: "source", how, ...(how === "given" ? UNREAD : {}) };
  return redirects([expression]) ? { end: "destination", how, unread: true } : undefined;
}

const UNREAD = { unread: true } as const;
/** linux/netfilter/nf_nat.h: NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED */
const RANGE = { address: 1, port: 2 } as const;

const TARGETS: Readonly<Record<string, Pick<Translation, "end" | "how">>> = {
  SNAT: { end: "source", how: "given" },
  MASQUERADE: { end: "source", how: "masquerade" },
  DNAT: { end: "destination", how: "given" },
  REDIRECT: { end: "destination", how: "redirect" },
  NETMAP: { end: "destination", how: "given" },
};

/** Reads a NAT of iptables: struct nf_nat_range, or nf_nat_ipv4_multi_range_compat. */
export function readTarget({ name, revision, info }: XtablesPart, family: Family): Translation | undefined {
  const target = TARGETS[name];
  if (target === undefined) return undefined;
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const compact = revision === 0 && family === "ipv4";
  const [flagsAt, width, stride] = compact ? [4, 4, 4] : [0, family === "ipv4" ? 4 : 16, 16];
  const portAt = flagsAt + 4 + 2 * stride;
  if (name === "NETMAP" || view.byteLength < portAt + 4) return { ...target, unread: true };
  const flags = view.getUint32(flagsAt, LITTLE_ENDIAN);
  const [low, high] = [0, stride].map((at) => info.slice(flagsAt + 4 + at, flagsAt + 4 + at + width));
  const [first, last] = [view.getUint16(portAt), view.getUint16(portAt + 2)];
  const ofMany = (flags & RANGE.address) !== 0 && low.some((byte, at) => byte !== high[at]) ||
    (flags & RANGE.port) !== 0 && first !== last;
  if (ofMany || (flags & ~(RANGE.address | RANGE.port)) !== 0) return { ...target, unread: true };
  return {
    ...target,
    ...((flags & RANGE.address) === 0 ? {} : { address: { family, bytes: low } }),
    ...((flags & RANGE.port) === 0 ? {} : { port: first }),
  };
}

/** Reads `-j MARK`: xt_mark_tginfo2, mark and mask. Another program's way to set a mark: undefined. */
export function markByTarget({ name, info }: XtablesPart, mark: number): PartialBytes | undefined {
  if (name !== "MARK" || info.length < 8) return undefined;
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const value = (mark & ~view.getUint32(4, LITTLE_ENDIAN)) ^ view.getUint32(0, LITTLE_ENDIAN);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, LITTLE_ENDIAN);
  return whole(bytes);
}
