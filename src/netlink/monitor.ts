/**
 * The kernel's notifications: what changes, as it changes. Those of rtnetlink need no privilege.
 * @module
 */
import { NETLINK_NETFILTER, NETLINK_ROUTE } from "../../ffi/consts.ts";
import { closeFd, receive } from "../../ffi/sockets/socket.ts";
import { EINTR, ENOBUFS } from "../net/errno.ts";
import { check } from "../net/error.ts";
import { decodeMessages, type NetlinkMessage } from "./message.ts";
import { openNetlinkSocket } from "./served/open.ts";

/** linux/rtnetlink.h: enum rtnetlink_groups; linux/netfilter/nfnetlink.h: enum nfnetlink_groups */
const GROUPS = {
  links: { protocol: NETLINK_ROUTE, number: 1 },
  "ipv4-routes": { protocol: NETLINK_ROUTE, number: 7 },
  "ipv4-rules": { protocol: NETLINK_ROUTE, number: 8 },
  "ipv6-routes": { protocol: NETLINK_ROUTE, number: 11 },
  "ipv6-rules": { protocol: NETLINK_ROUTE, number: 19 },
  nf_tables: { protocol: NETLINK_NETFILTER, number: 7 },
} as const;
/**
 * Room for all that a large transaction tells at once: what is lost may be the one message that matters. The
 * kernel takes it only while it is full.
 */
const RECEIVE_BUFFER = 4 << 20;
/** A notification is a page at most, or what a dump would take. */
const RECEIVE_SIZE = 32 * 1024;

/** Groups of notifications. Equivalent to: ip monitor link route rule; nft monitor */
export type MonitorGroup = keyof typeof GROUPS;

/** A socket that notifications come to. Wait for its descriptor, then take them. */
export class NetlinkMonitor implements Disposable {
  /** Its descriptor, non-blocking. */
  readonly fd: number;
  readonly #buffer = new Uint8Array(RECEIVE_SIZE);

  /**
   * Listens in the network namespace of the calling thread, to groups of one protocol. Throws an
   * OperationError.
   */
  constructor(groups: readonly MonitorGroup[]) {
    const { protocol } = GROUPS[groups[0]];
    const bits = groups.reduce((sum, group) => sum | (1 << (GROUPS[group].number - 1)), 0);
    const opened = openNetlinkSocket({ protocol, groups: bits, buffer: RECEIVE_BUFFER });
    if (typeof opened === "number") {
      this.fd = check(opened, "listen to netlink groups", groups.join(", "));
    } else {
      this.fd = opened.fd;
      opened.channel?.close(); // nothing is sent
    }
  }

  /**
   * All that have come: the messages, and whether some are lost, because they came faster than they were
   * taken.
   */
  take(): { messages: NetlinkMessage[]; lost: boolean } {
    const messages: NetlinkMessage[] = [];
    let lost = false;
    for (;;) {
      const received = receive(this.fd, this.#buffer, RECEIVE_SIZE);
      if (received === -EINTR) continue;
      if (received === -ENOBUFS) lost = true;
      else if (received <= 0) return { messages, lost };
      else messages.push(...decodeMessages(this.#buffer.slice(0, received)));
    }
  }

  /** Closes the socket. */
  close(): void {
    closeFd(this.fd);
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
