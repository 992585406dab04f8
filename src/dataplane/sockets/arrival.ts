/**
 * Facts about how a client's connection has arrived, where the first packet has not told them: the interface
 * of its SYN, and the hardware address of its sender. Without allocation.
 * @module
 */
import {
  AF_INET,
  IP_PKTINFO,
  IP_PKTOPTIONS,
  IPV6_2292PKTOPTIONS,
  IPV6_RECVPKTINFO,
  NETLINK_ROUTE,
  SOL_IP,
  SOL_IPV6,
} from "../../../ffi/consts.ts";
import { addressAt, addressLength } from "../../../ffi/sockets/sockaddr.ts";
import { getBytes, setInt } from "../../../ffi/sockets/sockopt.ts";
import { ENOENT } from "../../net/errno.ts";
import { NO_HARDWARE, UNKNOWN } from "../../policy/flow.ts";
import { NetlinkSocket } from "../routes/netlink_socket.ts";
import { NetlinkWriter } from "../routes/netlink_writer.ts";

/** sizeof(struct cmsghdr), and the number of the interface behind it (linux/in.h, linux/ipv6.h). */
const CMSG_HEADER = 16;
const IFINDEX = { ipv4: CMSG_HEADER, ipv6: CMSG_HEADER + 16 } as const;
// linux/neighbour.h: struct ndmsg, the offset of the interface in it, attributes.
const RTM_GETNEIGH = 30;
const NDMSG = 12;
const NDMSG_IFINDEX = 4;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const MAC_LENGTH = 6;

/** A flow that learns where it has come from. */
export interface Arrival {
  readonly clientFd: number;
  /** A struct sockaddr. */
  readonly client: Uint8Array<ArrayBuffer>;
  inputInterface: number;
  hardwareHigh: number;
  hardwareLow: number;
}

/** Asks the kernel. */
export class Arrivals {
  readonly #options = new Uint8Array(128);
  readonly #words = new Int32Array(this.#options.buffer);
  readonly #socket = new NetlinkSocket({ protocol: NETLINK_ROUTE, privileged: false });
  readonly #writer = new NetlinkWriter(64);

  /** Opens what it asks through. 0 or -errno. */
  start(): number {
    return this.#socket.open();
  }

  /** Learns the interface, and the hardware address too if `hardware`. */
  learn(arrival: Arrival, hardware: boolean): void {
    const { clientFd, client } = arrival;
    arrival.inputInterface = this.#interfaceOf(clientFd, client[0] === AF_INET);
    if (!hardware) return;
    arrival.hardwareHigh = UNKNOWN;
    if (arrival.inputInterface !== UNKNOWN) this.#learnHardware(arrival);
  }

  /** Closes what it asks through. */
  close(): void {
    this.#socket.close();
  }

  #interfaceOf(fd: number, isIpv4: boolean): number {
    // An accepted socket knows the interface of its SYN, and tells it if it is to tell of packets.
    const returned = isIpv4 ? setInt(fd, SOL_IP, IP_PKTINFO, 1) : setInt(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1);
    if (returned < 0) return UNKNOWN;
    const length = isIpv4
      ? getBytes(fd, SOL_IP, IP_PKTOPTIONS, this.#options)
      : getBytes(fd, SOL_IPV6, IPV6_2292PKTOPTIONS, this.#options);
    const at = isIpv4 ? IFINDEX.ipv4 : IFINDEX.ipv6;
    return length < at + 4 ? UNKNOWN : this.#words[at >> 2];
  }

  /**
   * Learns the hardware address where the interface is known. The neighbour has just spoken, so that the
   * kernel knows it; one behind a tunnel has no such address.
   */
  #learnHardware(arrival: Arrival): void {
    const { client, inputInterface } = arrival;
    const family = client[0];
    const writer = this.#writer;
    writer.begin(RTM_GETNEIGH, 0, NDMSG, family);
    writer.setWord(NDMSG_IFINDEX, inputInterface);
    writer.copy(NDA_DST, client, addressAt(family), addressLength(family));
    writer.end();
    const socket = this.#socket;
    const returned = socket.ask(writer);
    if (returned !== 1) {
      if (returned === -ENOENT) arrival.hardwareHigh = NO_HARDWARE;
      return;
    }
    arrival.hardwareHigh = NO_HARDWARE;
    for (const found = socket.begin(NDMSG); found.next();) {
      if (found.type !== NDA_LLADDR || found.valueEnd - found.value !== MAC_LENGTH) continue;
      arrival.hardwareHigh = socket.view.getUint16(found.value);
      arrival.hardwareLow = socket.view.getInt32(found.value + 2);
    }
  }
}
