/**
 * Passage for what is dialled through rules of output that drop new flows, or send them elsewhere: the flow
 * was allowed where it was forwarded, so its entry in conntrack is made before its first packet, and the
 * rules find it established.
 * Without NAT: its addresses are translated already.
 * @module
 */
import {
  AF_INET,
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_TCP,
  NETLINK_NETFILTER,
  SOL_IP,
} from "../../../ffi/consts.ts";
import { addressAt, addressLength, clearPort, makeSockaddr, portOf } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, localAddress } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { EEXIST } from "../../net/errno.ts";
import type { Sockaddr } from "../upstream/upstream.ts";
import { NetlinkSocket } from "./netlink_socket.ts";
import { NetlinkWriter, NLM_F_ACK, NLM_F_CREATE, NLM_F_CREATE_NEW } from "./netlink_writer.ts";
import type { RouteQuestion } from "./route_question.ts";

// linux/netfilter/nfnetlink_conntrack.h: NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_*
const CT_NEW = 0x100;
const CT_DELETE = 0x102;
/** sizeof(struct nfgenmsg) */
const NFGENMSG = 4;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_PROTOINFO = 4;
const CTA_TIMEOUT = 7;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4 = { source: 1, destination: 2 } as const;
const CTA_IP_V6 = { source: 3, destination: 4 } as const;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const CTA_PROTOINFO_TCP = 1;
const CTA_PROTOINFO_TCP_STATE = 1;
const TCP_CONNTRACK_SYN_SENT = 1;
/**
 * linux/netfilter/nf_conntrack_common.h: IPS_SEEN_REPLY | IPS_CONFIRMED. Not IPS_ASSURED, which the server's
 * answer gives: where the table is full, such entries would not make room for others.
 */
const ESTABLISHED = 2 | 8;
/** Seconds that an entry lives before its first packet, which gives it the kernel's own time. */
const TIMEOUT = 10;

/** The passage of a worker. */
export class Passage {
  readonly #socket = new NetlinkSocket({ protocol: NETLINK_NETFILTER, privileged: true });
  readonly #writer = new NetlinkWriter(320);
  readonly #question: RouteQuestion;
  readonly #source = makeSockaddr();

  /** `question`: by it the router's own address is found out. */
  constructor(question: RouteQuestion) {
    this.#question = question;
  }

  /** Opens what it asks through. 0 or -errno. */
  start(): number {
    return this.#socket.open();
  }

  /**
   * Makes the entry of a flow that a socket is about to begin; bind(2) has given it an address, or the kernel
   * chooses the router's. `oif`: the interface that it is bound to, 0 for none. 0 or -errno.
   */
  open(fd: number, protocol: number, destination: Sockaddr, oif: number): number {
    const source = this.#source;
    let returned = localAddress(fd, source);
    if (returned >= 0) returned = this.#complete(fd, source, destination, oif);
    if (returned < 0) return returned;
    returned = this.#ask(CT_NEW, protocol, source, destination);
    if (returned !== -EEXIST) return returned;
    // What is left of an earlier flow would be taken for the new one, and a SYN of it is new again.
    this.forget(protocol, source, destination);
    return this.#ask(CT_NEW, protocol, source, destination);
  }

  /** Has conntrack forget a flow, as its client sends it: its next packet begins a new one. 0 or -errno. */
  forget(protocol: number, source: Sockaddr, destination: Sockaddr): number {
    return this.#ask(CT_DELETE, protocol, source, destination);
  }

  /** Closes what it asks through. */
  close(): void {
    this.#socket.close();
  }

  /** Gives the socket the address and the port that the kernel would have chosen only at connect(2). */
  #complete(fd: number, source: Sockaddr, destination: Sockaddr, oif: number): number {
    const isAny = isUnspecified(source);
    if (!isAny && portOf(source) !== 0) return 0;
    if (isAny) {
      const question = this.#question;
      const asked = question.ask(null, destination, 0, oif);
      if (asked < 0) return asked;
      const port = portOf(source);
      question.readOwnAddress(source, destination[0]);
      if (port !== 0) return 0; // bound to a port already: the address is known now
    }
    clearPort(source);
    setInt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 0);
    const bound = bindSocket(fd, source);
    return bound < 0 ? bound : localAddress(fd, source);
  }

  #ask(message: number, protocol: number, source: Sockaddr, destination: Sockaddr): number {
    const writer = this.#writer;
    const isNew = message === CT_NEW;
    // An entry of UDP that is there may go on: it becomes one that has seen answers.
    const flags = !isNew ? 0 : protocol === IPPROTO_TCP ? NLM_F_CREATE_NEW : NLM_F_CREATE;
    writer.begin(message, NLM_F_ACK | flags, NFGENMSG, destination[0]);
    this.#tuple(CTA_TUPLE_ORIG, protocol, source, destination);
    if (isNew) {
      this.#tuple(CTA_TUPLE_REPLY, protocol, destination, source);
      writer.u32be(CTA_STATUS, ESTABLISHED);
      writer.u32be(CTA_TIMEOUT, TIMEOUT);
      if (protocol === IPPROTO_TCP) {
        const info = writer.beginNest(CTA_PROTOINFO);
        const tcp = writer.beginNest(CTA_PROTOINFO_TCP);
        writer.u8(CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_SYN_SENT);
        writer.endNest(tcp);
        writer.endNest(info);
      }
    }
    writer.end();
    return this.#socket.ask(writer);
  }

  #tuple(type: number, protocol: number, from: Sockaddr, to: Sockaddr): void {
    const writer = this.#writer;
    const at = addressAt(to[0]);
    const length = addressLength(to[0]);
    const types = to[0] === AF_INET ? CTA_IP_V4 : CTA_IP_V6;
    const tuple = writer.beginNest(type);
    const ip = writer.beginNest(CTA_TUPLE_IP);
    writer.copy(types.source, from, at, length);
    writer.copy(types.destination, to, at, length);
    writer.endNest(ip);
    const proto = writer.beginNest(CTA_TUPLE_PROTO);
    writer.u8(CTA_PROTO_NUM, protocol);
    writer.copy(CTA_PROTO_SRC_PORT, from, 2, 2);
    writer.copy(CTA_PROTO_DST_PORT, to, 2, 2);
    writer.endNest(proto);
    writer.endNest(tuple);
  }
}

function isUnspecified(address: Sockaddr): boolean {
  const at = addressAt(address[0]);
  for (let i = at; i < at + addressLength(address[0]); i++) if (address[i] !== 0) return false;
  return true;
}
