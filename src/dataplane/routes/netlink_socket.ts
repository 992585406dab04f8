/**
 * A netlink socket of a worker: it asks, and the kernel answers before send(2) returns. Without allocation.
 * @module
 */
import {
  EAGAIN,
  NETLINK_CAP_ACK,
  type NETLINK_NETFILTER,
  type NETLINK_ROUTE,
  SOL_NETLINK,
} from "../../../ffi/consts.ts";
import { closeFd, receive, send } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { openNetlinkSocket, openPlain } from "../../netlink/served/open.ts";
import type { Channel } from "../../netlink/served/server.ts";
import { Attributes } from "./attributes.ts";
import { HEADER, type NetlinkWriter } from "./netlink_writer.ts";

/** linux/netlink.h */
const NLMSG_ERROR = 2;
const SEQUENCE = 8;
const TYPE = 4;
/** The kernel tells of a link in less. */
const RECEIVE_SIZE = 8192;

/** A socket's work: without privilege it can only ask. */
export interface NetlinkSocketOptions {
  readonly protocol: typeof NETLINK_ROUTE | typeof NETLINK_NETFILTER;
  /** Fact that it changes something, or its part of the kernel lets nobody ask without privilege. */
  readonly privileged: boolean;
}

/** The socket. */
export class NetlinkSocket {
  /** The answer, after {@linkcode ask}: the header of a message, and its body up to {@linkcode end}. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(RECEIVE_SIZE);
  readonly view: DataView = new DataView(this.bytes.buffer);
  end = 0;
  readonly #attributes = new Attributes();
  readonly #options: NetlinkSocketOptions;
  #fd = -1;
  /** Sends for us, where this process may not. */
  #channel: Channel | undefined;

  constructor(options: NetlinkSocketOptions) {
    this.#options = options;
  }

  /**
   * Opens it, unless it is open. A worker does so at its start: later there may be no descriptor left. 0 or
   * -errno.
   */
  open(): number {
    if (this.#fd < 0) this.#fd = this.#open();
    return Math.min(this.#fd, 0);
  }

  /**
   * Sends a request that has one answer: a message (1), an acknowledgement (0), or a refusal (-errno).
   */
  ask(request: NetlinkWriter): number {
    const opened = this.open();
    if (opened < 0) return opened;
    const sent = this.#channel === undefined
      ? send(this.#fd, request.bytes, request.length)
      : this.#channel.send(request.bytes, request.length);
    if (sent < 0) return sent;
    const { view } = this;
    for (;;) {
      const received = receive(this.#fd, this.bytes, RECEIVE_SIZE);
      if (received <= 0) return received < 0 ? received : -EAGAIN;
      if (received < HEADER + 4 || view.getInt32(SEQUENCE, true) !== request.sequence) continue;
      if (view.getUint16(TYPE, true) === NLMSG_ERROR) return view.getInt32(HEADER, true);
      this.end = Math.min(view.getUint32(0, true), received);
      return 1;
    }
  }

  /** Begins with the attributes of the answer, behind a structure of so many bytes. */
  begin(structure: number): Attributes {
    this.#attributes.begin(this.bytes, HEADER + structure, this.end);
    return this.#attributes;
  }

  /** Closes it. */
  close(): void {
    if (this.#fd >= 0) closeFd(this.#fd);
    this.#fd = -1;
    this.#channel?.close();
    this.#channel = undefined;
  }

  #open(): number {
    const { protocol, privileged } = this.#options;
    const opened = privileged ? openNetlinkSocket({ protocol }) : openPlain({ protocol });
    if (typeof opened === "number") return opened;
    this.#channel = opened.channel;
    setInt(opened.fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    return opened.fd;
  }
}
