/**
 * The bytes of a routing rule's conditions. Pure.
 * @module
 */
import { type AttributeMap, type AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import { readPrefix, withoutAbsent } from "./message.ts";
import type { MaskedNumber, NumberRange, PortSelector, RuleSelectors } from "./rule_selectors.ts";

// linux/fib_rules.h: offsets of struct fib_rule_hdr, attributes, flags
const DESTINATION_LENGTH = 1;
const SOURCE_LENGTH = 2;
const TOS = 3;
const FLAGS = 8;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_FWMARK = 10;
const FRA_TUN_ID = 12;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;
const FRA_DSCP = 25;
const FRA_FLOWLABEL = 26;
const FRA_FLOWLABEL_MASK = 27;
const FRA_SPORT_MASK = 28;
const FRA_DPORT_MASK = 29;
const FRA_DSCP_MASK = 30;
const FIB_RULE_INVERT = 2;
const WHOLE_MARK = 0xffffffff;
const WHOLE_PORT = 0xffff;
const WHOLE_DSCP = 0x3f;
const WHOLE_FLOW_LABEL = 0xfffff;

/** The attributes of {@linkcode RuleSelectors}. */
export const SELECTOR_ATTRIBUTES: readonly number[] = [
  FRA_DST,
  FRA_SRC,
  FRA_IIFNAME,
  FRA_FWMARK,
  FRA_TUN_ID,
  FRA_FWMASK,
  FRA_OIFNAME,
  FRA_L3MDEV,
  FRA_UID_RANGE,
  FRA_IP_PROTO,
  FRA_SPORT_RANGE,
  FRA_DPORT_RANGE,
  FRA_DSCP,
  FRA_FLOWLABEL,
  FRA_FLOWLABEL_MASK,
  FRA_SPORT_MASK,
  FRA_DPORT_MASK,
  FRA_DSCP_MASK,
];

/** Writes what is in the header. */
export function fillSelectorHeader(structure: Uint8Array, selectors: RuleSelectors): void {
  structure[DESTINATION_LENGTH] = selectors.to?.length ?? 0;
  structure[SOURCE_LENGTH] = selectors.from?.length ?? 0;
  structure[TOS] = selectors.tos ?? 0;
  if (selectors.inverted) new DataView(structure.buffer).setUint32(FLAGS, FIB_RULE_INVERT, LITTLE_ENDIAN);
}

/** Writes the addresses, which ip puts first. */
export function writeAddresses(writer: AttributeWriter, { from, to }: RuleSelectors): void {
  if (from !== undefined) writer.bytes(FRA_SRC, from.address.bytes);
  if (to !== undefined) writer.bytes(FRA_DST, to.address.bytes);
}

/** Writes all but the addresses. */
export function writeSelectors(writer: AttributeWriter, selectors: RuleSelectors): void {
  const { iifname, oifname, users, ipProtocol, tunnelId, dscp, flowLabel } = selectors;
  if (selectors.mask !== 0) writer.u32(FRA_FWMARK, selectors.mark).u32(FRA_FWMASK, selectors.mask);
  if (iifname !== undefined) writer.string(FRA_IIFNAME, iifname);
  if (oifname !== undefined) writer.string(FRA_OIFNAME, oifname);
  if (selectors.l3mdev) writer.u8(FRA_L3MDEV, 1);
  if (users !== undefined) writer.bytes(FRA_UID_RANGE, pair(Uint32Array, users));
  if (ipProtocol !== undefined) writer.u8(FRA_IP_PROTO, ipProtocol);
  writePorts(writer, [FRA_SPORT_RANGE, FRA_SPORT_MASK], selectors.sourcePorts);
  writePorts(writer, [FRA_DPORT_RANGE, FRA_DPORT_MASK], selectors.destinationPorts);
  if (tunnelId !== undefined) writer.u64be(FRA_TUN_ID, tunnelId);
  if (dscp !== undefined) writer.u8(FRA_DSCP, dscp.value);
  if (dscp?.mask !== undefined) writer.u8(FRA_DSCP_MASK, dscp.mask);
  if (flowLabel !== undefined) writer.u32be(FRA_FLOWLABEL, flowLabel.value);
  if (flowLabel?.mask !== undefined) writer.u32be(FRA_FLOWLABEL_MASK, flowLabel.mask);
}

function writePorts(writer: AttributeWriter, types: readonly [number, number], ports?: PortSelector): void {
  if (ports === undefined) return;
  writer.bytes(types[0], pair(Uint16Array, ports));
  if (ports.mask !== undefined) writer.u16(types[1], ports.mask);
}

/** Two numbers in the machine's byte order. */
function pair(kind: typeof Uint16Array | typeof Uint32Array, { first, last }: NumberRange): Uint8Array {
  return new Uint8Array(kind.of(first, last).buffer);
}

/** Reads the header and the attributes. */
export function readSelectors(structure: DataView, attributes: AttributeMap): RuleSelectors {
  const tos = structure.getUint8(TOS);
  const mark = attributes.u32(FRA_FWMARK) ?? 0;
  return withoutAbsent<RuleSelectors>({
    mark,
    mask: attributes.u32(FRA_FWMASK) ?? (mark === 0 ? 0 : WHOLE_MARK),
    iifname: attributes.string(FRA_IIFNAME),
    oifname: attributes.string(FRA_OIFNAME),
    from: readPrefix(attributes.bytes(FRA_SRC), structure.getUint8(SOURCE_LENGTH)),
    to: readPrefix(attributes.bytes(FRA_DST), structure.getUint8(DESTINATION_LENGTH)),
    tos: tos === 0 ? undefined : tos,
    dscp: maskedNumber(attributes.u8(FRA_DSCP), attributes.u8(FRA_DSCP_MASK), WHOLE_DSCP),
    flowLabel: maskedNumber(
      attributes.u32be(FRA_FLOWLABEL),
      attributes.u32be(FRA_FLOWLABEL_MASK),
      WHOLE_FLOW_LABEL,
    ),
    ipProtocol: attributes.u8(FRA_IP_PROTO),
    sourcePorts: readPorts(attributes, [FRA_SPORT_RANGE, FRA_SPORT_MASK]),
    destinationPorts: readPorts(attributes, [FRA_DPORT_RANGE, FRA_DPORT_MASK]),
    users: readPair(attributes.bytes(FRA_UID_RANGE), 4),
    tunnelId: attributes.u64be(FRA_TUN_ID),
    l3mdev: attributes.u8(FRA_L3MDEV) ? true : undefined,
    inverted: (structure.getUint32(FLAGS, LITTLE_ENDIAN) & FIB_RULE_INVERT) !== 0 ? true : undefined,
    others: undefined,
  });
}

/** The kernel tells a mask always; one that covers everything is none. */
function maskedNumber(
  value: number | undefined,
  mask: number | undefined,
  whole: number,
): MaskedNumber | undefined {
  if (value === undefined) return undefined;
  return mask === undefined || mask === whole ? { value } : { value, mask };
}

function readPorts(attributes: AttributeMap, types: readonly [number, number]): PortSelector | undefined {
  const range = readPair(attributes.bytes(types[0]), 2);
  const mask = attributes.u16(types[1]);
  if (range === undefined || mask === undefined || mask === WHOLE_PORT) return range;
  return { ...range, mask };
}

/** Reads two numbers of so many bytes each, in the machine's byte order. */
function readPair(bytes: Uint8Array | undefined, size: 2 | 4): NumberRange | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.length < 2 * size) {
    throw new RangeError(`Cannot decode range: ${bytes.length} bytes, not ${2 * size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (offset: number) =>
    size === 2 ? view.getUint16(offset, LITTLE_ENDIAN) : view.getUint32(offset, LITTLE_ENDIAN);
  return { first: number(0), last: number(size) };
}
