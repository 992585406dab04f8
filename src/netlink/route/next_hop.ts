/**
 * The ways by which packets of a route go on. Pure.
 * @module
 */
import type { Family, IpAddress } from "../../net/ip.ts";
import { align, AttributeMap, AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import { addressOf, familyNumber, withoutAbsent } from "./message.ts";
import { type Realms, realmsNumber, realmsOf } from "./realms.ts";

// linux/rtnetlink.h: enum rtattr_type_t, RTNH_F_*
const RTA_GATEWAY = 5;
const RTA_MULTIPATH = 9;
const RTA_FLOW = 11;
const RTA_VIA = 18;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const RTNH_F_DEAD = 1;
const RTNH_F_ONLINK = 4;
const RTNH_F_LINKDOWN = 16;
/**
 * sizeof(struct rtnexthop): its length (u16), flags and weight (u8 each), the interface (i32); its attributes
 * follow.
 */
const HOP_SIZE = 8;
/** sizeof(rtvia_family), before the address of struct rtvia. */
const VIA_HEADER_SIZE = 2;

/** A tunnel that packets are put into (`encap`). */
export interface Encapsulation {
  /** LWTUNNEL_ENCAP_* (linux/lwtunnel.h): 1 MPLS, 2 IP, 3 ILA, 4 IPv6, 5 SEG6, 6 BPF. */
  readonly type: number;
  /** RTA_ENCAP: attributes of that type. */
  readonly data: Uint8Array;
}

/** One way on. */
export interface Way {
  /** Index of the outgoing interface (RTA_OIF). */
  readonly outLinkIndex?: number;
  /** Next router (RTA_GATEWAY), or one of the other family (RTA_VIA). */
  readonly gateway?: IpAddress;
  /** The gateway is reached by the interface though no address there says so. */
  readonly onLink?: boolean;
  /** `encap …`. */
  readonly encapsulation?: Encapsulation;
  /** RTA_FLOW. */
  readonly realms?: Realms;
  /** The kernel does not use it now: its interface is down. Read, never written. */
  readonly dead?: boolean;
  /** Its interface has no carrier. Read, never written. */
  readonly linkDown?: boolean;
}

/** One of several ways of a route. */
export interface NextHop extends Way {
  /** Share of the flows, beside those of the others; 1 to 256. */
  readonly weight: number;
}

/** The flags of a way that are written: RTNH_F_*, which rtm_flags holds too. */
export function wayFlags({ onLink }: Way): number {
  return onLink ? RTNH_F_ONLINK : 0;
}

/** Writes all of a way but its interface and its flags; `family` is that of the route. */
export function writeWay(writer: AttributeWriter, way: Way, family: Family): void {
  const { encapsulation, gateway, realms } = way;
  if (encapsulation !== undefined) {
    writer.nest(RTA_ENCAP, (nest) => nest.structure(encapsulation.data)).u16(
      RTA_ENCAP_TYPE,
      encapsulation.type,
    );
  }
  if (gateway?.family === family) writer.bytes(RTA_GATEWAY, gateway.bytes);
  else if (gateway !== undefined) writer.bytes(RTA_VIA, viaBytes(gateway));
  if (realms !== undefined) writer.u32(RTA_FLOW, realmsNumber(realms));
}

function viaBytes(gateway: IpAddress): Uint8Array {
  const via = new Uint8Array(VIA_HEADER_SIZE + gateway.bytes.length);
  new DataView(via.buffer).setUint16(0, familyNumber(gateway.family), LITTLE_ENDIAN);
  via.set(gateway.bytes, VIA_HEADER_SIZE);
  return via;
}

/** Reads all of a way but its interface. */
export function readWay(attributes: AttributeMap, flags: number): Omit<Way, "outLinkIndex"> {
  const gateway = attributes.bytes(RTA_GATEWAY) ?? attributes.bytes(RTA_VIA)?.subarray(VIA_HEADER_SIZE);
  const realms = attributes.u32(RTA_FLOW);
  const type = attributes.u16(RTA_ENCAP_TYPE);
  const data = attributes.bytes(RTA_ENCAP)?.slice() ?? new Uint8Array(0);
  return withoutAbsent<Omit<Way, "outLinkIndex">>({
    gateway: gateway && addressOf(gateway),
    onLink: (flags & RTNH_F_ONLINK) !== 0 || undefined,
    encapsulation: type === undefined || type === 0 ? undefined : { type, data },
    realms: realms === undefined ? undefined : realmsOf(realms),
    dead: (flags & RTNH_F_DEAD) !== 0 || undefined,
    linkDown: (flags & RTNH_F_LINKDOWN) !== 0 || undefined,
  });
}

/** Writes RTA_MULTIPATH. */
export function writeNextHops(writer: AttributeWriter, hops: readonly NextHop[], family: Family): void {
  writer.nest(RTA_MULTIPATH, (list) => hops.forEach((hop) => list.structure(encodeHop(hop, family))), {
    plain: true,
  });
}

function encodeHop(hop: NextHop, family: Family): Uint8Array {
  const writer = new AttributeWriter().structure(new Uint8Array(HOP_SIZE));
  writeWay(writer, hop, family);
  const bytes = writer.finish();
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, LITTLE_ENDIAN);
  view.setUint8(2, wayFlags(hop));
  view.setUint8(3, hop.weight - 1);
  view.setInt32(4, hop.outLinkIndex ?? 0, LITTLE_ENDIAN);
  return bytes;
}

/** Reads RTA_MULTIPATH; undefined where the route has one way. */
export function readNextHops(attributes: AttributeMap): NextHop[] | undefined {
  const bytes = attributes.bytes(RTA_MULTIPATH);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hops: NextHop[] = [];
  for (let offset = 0; offset + HOP_SIZE <= bytes.length;) {
    const length = view.getUint16(offset, LITTLE_ENDIAN);
    if (length < HOP_SIZE || offset + length > bytes.length) {
      throw new RangeError(`Cannot decode next hop at byte ${offset}: its length is ${length}`);
    }
    const own = new AttributeMap(bytes.subarray(offset + HOP_SIZE, offset + length));
    hops.push({
      outLinkIndex: view.getInt32(offset + 4, LITTLE_ENDIAN),
      weight: view.getUint8(offset + 3) + 1,
      ...readWay(own, view.getUint8(offset + 2)),
    });
    offset += align(length);
  }
  return hops;
}
