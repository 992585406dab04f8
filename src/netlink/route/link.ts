/**
 * Network interfaces. The codec is pure.
 * @module
 */
import { hexBytes } from "../../net/hex.ts";
import { EOPNOTSUPP } from "../../net/errno.ts";
import { AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import { readRouteBody, routeRequest, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from "./message.ts";

/** sizeof(struct ifinfomsg): family at 0, type (u16) at 2, index at 4, flags at 8, change mask at 12. */
const HEADER_SIZE = 16;
// linux/if_link.h
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
// linux/veth.h
const VETH_INFO_PEER = 1;
// linux/if.h
const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const IFF_LOWER_UP = 1 << 16;

/** An interface. */
export interface Link {
  /** ifi_index. */
  readonly index: number;
  /** IFLA_IFNAME. */
  readonly name: string;
  /** Tells that the administrator switched it on (IFF_UP); a cable may still be missing. */
  readonly up: boolean;
  /** IFF_LOOPBACK. */
  readonly loopback: boolean;
  /** `veth`, `bridge`, `vlan` …; the empty string for hardware and lo. */
  readonly kind: string;
  /** In bytes. */
  readonly mtu: number;
  /** The index of the bridge, bond or VRF that it belongs to. */
  readonly master?: number;
  /** `02:00:00:00:00:01`; the empty string where there is none. */
  readonly mac: string;
}

/** A network namespace: of a process, or of an open descriptor of /proc/PID/ns/net. */
export type NamespaceReference = { readonly pid: number } | { readonly fd: number };

function header(index = 0, flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, LITTLE_ENDIAN);
  view.setUint32(8, flags, LITTLE_ENDIAN);
  view.setUint32(12, change, LITTLE_ENDIAN);
  return bytes;
}

/** Tells of the body of RTM_NEWLINK whether the interface has its cable, or what is one to it. */
export function hasCarrier(body: Uint8Array): boolean {
  const { structure } = readRouteBody(body, HEADER_SIZE);
  return (structure.getUint32(8, LITTLE_ENDIAN) & IFF_LOWER_UP) !== 0;
}

/** Reads the body of RTM_NEWLINK. */
export function decodeLink(body: Uint8Array): Link {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const flags = structure.getUint32(8, LITTLE_ENDIAN);
  const master = attributes.u32(IFLA_MASTER);
  return {
    index: structure.getInt32(4, LITTLE_ENDIAN),
    name: attributes.string(IFLA_IFNAME) ?? "",
    up: (flags & IFF_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    kind: attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND) ?? "",
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    ...(master === undefined ? {} : { master }),
    mac: hexBytes(attributes.bytes(IFLA_ADDRESS) ?? new Uint8Array(), ":"),
  };
}

/** All interfaces of the namespace. Equivalent to: ip link show */
export function listLinks(connection: NetlinkConnection): Link[] {
  const request = routeRequest(RTM_GETLINK, header());
  return connection.dump(request, { operation: "list interfaces", object: "" })
    .filter((message) => message.type === RTM_NEWLINK)
    .map((message) => decodeLink(message.body));
}

/** The interface of that name, or undefined. Equivalent to: ip link show dev NAME */
export function findLink(connection: NetlinkConnection, name: string): Link | undefined {
  return listLinks(connection).find((link) => link.name === name);
}

/** The body of RTM_NEWLINK that switches an interface on or off. */
export function encodeLinkState(index: number, up: boolean): Uint8Array {
  return header(index, up ? IFF_UP : 0, IFF_UP);
}

/** Switches an interface on, or off with `up: false`. Equivalent to: ip link set dev NAME up */
export function setLinkUp(
  connection: NetlinkConnection,
  index: number,
  options: { up?: boolean } = {},
): void {
  const up = options.up ?? true;
  const request = routeRequest(RTM_NEWLINK, encodeLinkState(index, up));
  connection.execute(request, {
    operation: up ? "switch on interface" : "switch off interface",
    object: `${index}`,
  });
}

/** A pair of virtual Ethernet interfaces. */
export interface VethPair {
  readonly name: string;
  readonly peer: string;
  /** A process in the peer's namespace; by default the peer stays here. */
  readonly peerNamespacePid?: number;
  readonly peerNamespaceFd?: number;
}

/** The body of RTM_NEWLINK that makes a veth pair. iproute2 does not flag these nests, and neither do we. */
export function encodeVeth(pair: VethPair): Uint8Array {
  const plain = { plain: true };
  return new AttributeWriter()
    .structure(header())
    .string(IFLA_IFNAME, pair.name)
    .nest(IFLA_LINKINFO, (info) => {
      info.bytes(IFLA_INFO_KIND, new TextEncoder().encode("veth"));
      info.nest(IFLA_INFO_DATA, (data) => {
        data.nest(VETH_INFO_PEER, (peer) => {
          peer.structure(header());
          if (pair.peerNamespacePid !== undefined) peer.u32(IFLA_NET_NS_PID, pair.peerNamespacePid);
          if (pair.peerNamespaceFd !== undefined) peer.u32(IFLA_NET_NS_FD, pair.peerNamespaceFd);
          peer.string(IFLA_IFNAME, pair.peer);
        }, plain);
      }, plain);
    }, plain)
    .finish();
}

/** Makes a veth pair. Equivalent to: ip link add NAME type veth peer name PEER netns PID */
export function createVeth(connection: NetlinkConnection, pair: VethPair): void {
  connection.execute(routeRequest(RTM_NEWLINK, encodeVeth(pair), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add veth pair",
    object: `${pair.name}, ${pair.peer}`,
    missingModule: ({ errno }) => errno === EOPNOTSUPP ? "veth" : undefined,
  });
}

/** The body of RTM_NEWLINK that makes a bridge. */
function encodeBridge(name: string): Uint8Array {
  return new AttributeWriter()
    .structure(header())
    .string(IFLA_IFNAME, name)
    .nest(IFLA_LINKINFO, (info) => void info.string(IFLA_INFO_KIND, "bridge"))
    .finish();
}

/** Makes a bridge. Equivalent to: ip link add NAME type bridge */
export function createBridge(connection: NetlinkConnection, name: string): void {
  connection.execute(routeRequest(RTM_NEWLINK, encodeBridge(name), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add bridge",
    object: name,
    missingModule: ({ errno }) => errno === EOPNOTSUPP ? "bridge" : undefined,
  });
}

/** Makes an interface a port of another; 0: of none. Equivalent to: ip link set dev NAME master NAME */
export function setLinkMaster(connection: NetlinkConnection, index: number, master: number): void {
  const body = new AttributeWriter().structure(header(index)).u32(IFLA_MASTER, master).finish();
  connection.execute(routeRequest(RTM_NEWLINK, body), {
    operation: "set the master of interface",
    object: `${index}`,
  });
}

/** The body of RTM_DELLINK. */
export function encodeLinkIndex(index: number): Uint8Array {
  return header(index);
}

/**
 * Deletes an interface; with one end of a veth pair the other goes too. Equivalent to: ip link delete dev
 * NAME
 */
export function deleteLink(connection: NetlinkConnection, index: number): void {
  connection.execute(routeRequest(RTM_DELLINK, encodeLinkIndex(index)), {
    operation: "delete interface",
    object: `${index}`,
  });
}

/** The body of RTM_NEWLINK that moves an interface. */
function encodeLinkMove(index: number, to: NamespaceReference): Uint8Array {
  const writer = new AttributeWriter().structure(header(index));
  if ("pid" in to) writer.u32(IFLA_NET_NS_PID, to.pid);
  else writer.u32(IFLA_NET_NS_FD, to.fd);
  return writer.finish();
}

/** Moves an interface into another network namespace. Equivalent to: ip link set dev NAME netns PID */
export function moveLink(connection: NetlinkConnection, index: number, to: NamespaceReference): void {
  connection.execute(routeRequest(RTM_NEWLINK, encodeLinkMove(index, to)), {
    operation: "move interface",
    object: `${index}`,
  });
}
