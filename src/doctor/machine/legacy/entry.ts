/**
 * One entry of iptables-legacy: struct ipt_entry or ip6t_entry, matches, a target. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { LITTLE_ENDIAN } from "../../../netlink/attribute.ts";
import { REGISTER_1, type Verdict } from "../../../netlink/nft/data.ts";
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import type { XtablesPart } from "../../packet/xtables_match.ts";
import { FRAGMENT_OFFSET } from "../../packet/known_packet.ts";
import { writeXtablesPart } from "../../packet/xtables_part.ts";

/** An entry. */
export interface LegacyEntry {
  readonly offset: number;
  readonly size: number;
  /** Set where it is no rule, but the name of the chain that begins behind it. */
  readonly label: string | undefined;
  /** The verdict of a standard target that ends the packet's way. */
  readonly verdict: "accept" | "drop" | undefined;
  /** Writes it in nf_tables' words; `nameOf` names the chain that begins at an offset. */
  expressions(nameOf: (offset: number) => string): NftExpression[];
}

/** Places of an entry's parts: struct ipt_ip and ip6t_ip6, then the entry's own fields. */
interface Layout {
  readonly address: number;
  readonly source: number;
  readonly destination: number;
  readonly interfaces: number;
  readonly protocol: number;
  readonly flags: number;
  readonly targetOffset: number;
  readonly matches: number;
}
const LAYOUTS: Readonly<Record<Family, Layout>> = {
  ipv4: {
    address: 4,
    source: 12,
    destination: 16,
    interfaces: 16,
    protocol: 80,
    flags: 82,
    targetOffset: 88,
    matches: 112,
  },
  ipv6: {
    address: 16,
    source: 8,
    destination: 24,
    interfaces: 64,
    protocol: 128,
    flags: 131,
    targetOffset: 140,
    matches: 168,
  },
};
/** IFNAMSIZ */
const NAME_SIZE = 16;
/** struct xt_entry_match and xt_entry_target: size (u16), name (29 bytes), revision (u8). */
const PART_HEADER = 32;
const PART_NAME = { offset: 2, size: 29 } as const;
/** IPT_F_FRAG, IPT_F_GOTO; IP6T_F_GOTO; IPT_INV_* and IP6T_INV_* */
const FLAGS = { ipv4: { fragment: 1, goto: 2 }, ipv6: { fragment: 0, goto: 4 } } as const;
const INVERTED = {
  input: 0x01,
  output: 0x02,
  source: 0x08,
  destination: 0x10,
  fragment: 0x20,
  protocol: 0x40,
} as const;
const LABEL = "ERROR";
/** -NF_DROP - 1, -NF_ACCEPT - 1, XT_RETURN */
const VERDICTS: Readonly<Record<number, Verdict>> = {
  [-1]: { code: "drop" },
  [-2]: { code: "accept" },
  [-4]: { code: "queue" },
  [-5]: { code: "return" },
};

/** Decodes the entry at an offset. Throws a RangeError where it is cut off, or its parts do not add up. */
export function decodeEntry(family: Family, bytes: Uint8Array, offset: number): LegacyEntry {
  const { targetOffset, flags, matches } = LAYOUTS[family];
  const cutOff = new RangeError(`Cannot decode the entry of iptables-legacy at byte ${offset}`);
  if (offset + matches > bytes.length) throw cutOff;
  const head = viewOf(bytes.subarray(offset, offset + matches));
  const target = head.getUint16(targetOffset, LITTLE_ENDIAN);
  const size = head.getUint16(targetOffset + 2, LITTLE_ENDIAN);
  const entry = bytes.subarray(offset, offset + size);
  if (entry.length < size || target < matches || target + PART_HEADER > size) throw cutOff;
  const part = readPart(entry, target);
  if (part.name === "" && target + PART_HEADER + 4 > size) throw cutOff;
  const standard = part.name === "" ? viewOf(entry).getInt32(target + PART_HEADER, LITTLE_ENDIAN) : undefined;
  const code = VERDICTS[standard ?? 0]?.code;
  const flagged = entry[flags];
  return {
    offset,
    size,
    label: part.name === LABEL ? textOf(part.info) : undefined,
    verdict: code === "accept" || code === "drop" ? code : undefined,
    expressions: (nameOf) => [
      ...matchHeader(family, entry),
      ...listMatches(entry, LAYOUTS[family].matches, target),
      ...writeTarget(part, standard, {
        nameOf,
        next: offset + size,
        jump: (flagged & FLAGS[family].goto) !== 0 ? "goto" : "jump",
      }),
    ],
  };
}

function writeTarget(
  part: XtablesPart,
  standard: number | undefined,
  { nameOf, next, jump }: { nameOf: (offset: number) => string; next: number; jump: "jump" | "goto" },
): NftExpression[] {
  if (standard === undefined) return [writeXtablesPart("target", part)];
  const verdict = VERDICTS[standard];
  if (verdict !== undefined) return [{ kind: "verdict", verdict }];
  // A rule without a target leads to the next.
  return standard === next ? [] : [{ kind: "verdict", verdict: { code: jump, chain: nameOf(standard) } }];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the part at `at`, behind which there are as many bytes as its header has. */
function readPart(entry: Uint8Array, at: number): XtablesPart & { readonly size: number } {
  const size = viewOf(entry).getUint16(at, LITTLE_ENDIAN);
  return {
    size,
    name: textOf(entry.subarray(at + PART_NAME.offset, at + PART_NAME.offset + PART_NAME.size)),
    revision: entry[at + PART_HEADER - 1],
    info: entry.slice(at + PART_HEADER, at + size),
  };
}

function listMatches(entry: Uint8Array, from: number, to: number): NftExpression[] {
  const matches: NftExpression[] = [];
  for (let at = from; at + PART_HEADER <= to;) {
    const { size, ...part } = readPart(entry, at);
    if (size < PART_HEADER) break;
    matches.push(writeXtablesPart("match", part));
    at += size;
  }
  return matches;
}

/** `-i`, `-o`, `-s`, `-d`, `-p` and `-f`. */
function matchHeader(family: Family, entry: Uint8Array): NftExpression[] {
  const { address, source, destination, interfaces, protocol, flags } = LAYOUTS[family];
  const inverted = entry[flags + 1];
  const slice = (at: number, size: number) => entry.slice(at, at + size);
  const number = viewOf(entry).getUint16(protocol, LITTLE_ENDIAN);
  const names = interfaces;
  const masks = interfaces + 2 * NAME_SIZE;
  return [
    ...matchName("iifname", slice(names, NAME_SIZE), slice(masks, NAME_SIZE), inverted & INVERTED.input),
    ...matchName(
      "oifname",
      slice(names + NAME_SIZE, NAME_SIZE),
      slice(masks + NAME_SIZE, NAME_SIZE),
      inverted & INVERTED.output,
    ),
    ...matchAddress(source, slice(0, address), slice(2 * address, address), inverted & INVERTED.source),
    ...matchAddress(
      destination,
      slice(address, address),
      slice(3 * address, address),
      inverted & INVERTED.destination,
    ),
    ...number === 0 ? [] : compareWith(
      { kind: "meta", direction: "load", key: "l4proto", register: REGISTER_1 },
      Uint8Array.of(number),
      inverted & INVERTED.protocol,
    ),
    ...(entry[flags] & FLAGS[family].fragment) === 0 ? [] : matchFragment(inverted & INVERTED.fragment),
  ];
}

/** `-f`: the offset of the fragment is not 0. */
function matchFragment(inverted: number): NftExpression[] {
  const { offset, mask } = FRAGMENT_OFFSET;
  const [load, compare] = compareWith(
    { kind: "payload", base: "network", offset, length: mask.length, register: REGISTER_1 },
    new Uint8Array(mask.length),
    inverted === 0 ? INVERTED.fragment : 0,
  );
  return [load, maskWith(mask), compare];
}

function matchName(
  key: "iifname" | "oifname",
  name: Uint8Array,
  mask: Uint8Array,
  inverted: number,
): NftExpression[] {
  const length = mask.filter((byte) => byte !== 0).length;
  if (length === 0) return [];
  return compareWith(
    { kind: "meta", direction: "load", key, register: REGISTER_1 },
    name.slice(0, length),
    inverted,
  );
}

function matchAddress(
  offset: number,
  address: Uint8Array,
  mask: Uint8Array,
  inverted: number,
): NftExpression[] {
  if (mask.every((byte) => byte === 0)) return [];
  const length = mask.length;
  const [load, compare] = compareWith(
    { kind: "payload", base: "network", offset, length, register: REGISTER_1 },
    address,
    inverted,
  );
  return [
    load,
    maskWith(mask),
    compare,
  ];
}

function maskWith(mask: Uint8Array): NftExpression {
  return {
    kind: "bitwise",
    source: REGISTER_1,
    destination: REGISTER_1,
    mask,
    xor: new Uint8Array(mask.length),
  };
}

function compareWith(load: NftExpression, value: Uint8Array, inverted: number): NftExpression[] {
  return [load, { kind: "cmp", operator: inverted === 0 ? "eq" : "neq", register: REGISTER_1, value }];
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
