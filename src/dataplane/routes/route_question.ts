/**
 * "Where would this packet go?", asked of the kernel (RTM_GETROUTE). Without allocation.
 * @module
 */
import { addressAt, addressLength, portOf } from "../../../ffi/sockets/sockaddr.ts";
import type { Sockaddr } from "../upstream/upstream.ts";
import type { NetlinkSocket } from "./netlink_socket.ts";
import { HEADER, NetlinkWriter } from "./netlink_writer.ts";

// linux/rtnetlink.h
const RTM_GETROUTE = 26;
const RTM_F_LOOKUP_TABLE = 0x1000;
const RTN_UNICAST = 1;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_IIF = 3;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
const RTA_MARK = 16;
const RTA_VIA = 18;
const RTA_IP_PROTO = 27;
const RTA_SPORT = 28;
const RTA_DPORT = 29;
/** Bytes of the shortest attribute that is read. */
const WORD = 4;
/** sizeof(struct rtmsg), and offsets in it. */
const RTMSG = 12;
const DST_LEN = 1;
const SRC_LEN = 2;
const TOS = 3;
const TABLE = 4;
const TYPE = 7;
const FLAGS = 8;
const DSCP = 0xfc;

/** A question; the fields of the answer are those of the last one. */
export class RouteQuestion {
  // The packet, besides what is asked.
  mark = 0;
  tos = 0;
  /** IPPROTO_*. The kernel chooses among several ways by it, too. */
  protocol = 0;
  /** Ports matter. */
  byPort = false;
  // The answer.
  oif = 0;
  table = 0;
  /** A hash of the gateway; 0: none, the destination is a neighbour. */
  gateway = 0;
  readonly #ownAddress = new Uint8Array(16);
  readonly #socket: NetlinkSocket;
  readonly #writer = new NetlinkWriter(160);

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** `source`: null for any. `iif`: 0 for a packet of the router's own. `oif`: 0 for any. */
  ask(source: Sockaddr | null, destination: Sockaddr, iif: number, oif: number): number {
    const writer = this.#writer;
    const family = destination[0];
    const at = addressAt(family);
    const length = addressLength(family);
    writer.begin(RTM_GETROUTE, 0, RTMSG, family);
    writer.set(DST_LEN, length * 8);
    writer.set(TOS, this.tos & DSCP);
    writer.setWord(FLAGS, RTM_F_LOOKUP_TABLE);
    writer.copy(RTA_DST, destination, at, length);
    if (source !== null) {
      writer.set(SRC_LEN, length * 8);
      writer.copy(RTA_SRC, source, at, length);
    }
    if (iif !== 0) writer.u32(RTA_IIF, iif);
    if (oif !== 0) writer.u32(RTA_OIF, oif);
    if (this.mark !== 0) writer.u32(RTA_MARK, this.mark);
    writer.u8(RTA_IP_PROTO, this.protocol);
    if (this.byPort) {
      if (source !== null && portOf(source) !== 0) writer.copy(RTA_SPORT, source, 2, 2);
      writer.copy(RTA_DPORT, destination, 2, 2);
    }
    writer.end();
    const returned = this.#socket.ask(writer);
    return returned === 1 ? this.#read() : returned < 0 ? returned : -1;
  }

  /** Writes the address that the router itself would have sent from into a struct sockaddr. */
  readOwnAddress(sockaddr: Sockaddr, family: number): void {
    const at = addressAt(family);
    for (let i = 0; i < addressLength(family); i++) sockaddr[at + i] = this.#ownAddress[i];
  }

  #read(): number {
    const socket = this.#socket;
    const { bytes, view, end } = socket;
    this.oif = this.gateway = 0;
    this.#ownAddress.fill(0);
    if (end < HEADER + RTMSG) return -1;
    this.table = bytes[HEADER + TABLE];
    for (const found = socket.begin(RTMSG); found.next();) {
      const { value, valueEnd } = found;
      if (valueEnd - value < WORD) continue; // none of these is so short
      switch (found.type) {
        case RTA_OIF:
          this.oif = view.getInt32(value, true);
          break;
        case RTA_TABLE:
          this.table = view.getUint32(value, true);
          break;
        case RTA_PREFSRC:
          for (let i = 0; i < valueEnd - value && i < 16; i++) this.#ownAddress[i] = bytes[value + i];
          break;
        case RTA_GATEWAY:
        case RTA_VIA:
          this.gateway = hashOf(bytes, value, valueEnd);
          break;
      }
    }
    return bytes[HEADER + TYPE] === RTN_UNICAST ? 0 : -1;
  }
}

function hashOf(bytes: Uint8Array, at: number, end: number): number {
  let hash = 1;
  for (let i = at; i < end; i++) hash = (Math.imul(hash, 0x9e3779b1) + bytes[i]) | 0;
  return hash === 0 ? 1 : hash;
}
