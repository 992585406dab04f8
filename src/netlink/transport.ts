/**
 * Netlink over a real socket, for requests; monitor.ts has the one for notifications, log.ts that for
 * packets. No other file of src/netlink imports ffi/.
 * @module
 */
import {
  MSG_DONTWAIT,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOL_NETLINK,
} from "../../ffi/consts.ts";
import { makeSockaddr } from "../../ffi/sockets/sockaddr.ts";
import { closeFd, localAddress, receiveWithFlags, sendWithFlags } from "../../ffi/sockets/socket.ts";
import { setBufferSize, setInt, setTimeoutOption } from "../../ffi/sockets/sockopt.ts";
import { EMSGSIZE, EPROTONOSUPPORT } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { commonHint } from "./hint.ts";
import { NetlinkConnection, type NetlinkTransport } from "./connection.ts";
import { openNetlinkSocket } from "./served/open.ts";
import { adoptPort } from "./served/port.ts";
import { adoptSocket, type Channel, netlinkServer } from "./served/server.ts";

/** Part of the kernel to talk to: rtnetlink, or nfnetlink (nf_tables). */
export type NetlinkProtocol = "route" | "netfilter";

const PROTOCOLS = { route: NETLINK_ROUTE, netfilter: NETLINK_NETFILTER } as const;

/** The kernel fills a dump's datagrams up to 32 KiB; one message may be larger. */
const RECEIVE_SIZE = 256 * 1024;
const RECEIVE_BUFFER_SIZE = 4 * 1024 * 1024;
/** The kernel answers at once; this only keeps a kernel that does not from hanging us. In milliseconds. */
const RECEIVE_TIMEOUT = 5000;

/** Place of the port in a struct sockaddr_nl. */
const PORT_WORD = 1;

/** Opens a netlink socket in the network namespace of the calling thread. */
export function openNetlink(protocol: NetlinkProtocol): NetlinkConnection {
  return new NetlinkConnection(openSocketTransport(protocol));
}

function openSocketTransport(protocol: NetlinkProtocol): NetlinkTransport {
  const object = protocol === "route" ? "rtnetlink" : "nfnetlink";
  const opened = openNetlinkSocket({
    protocol: PROTOCOLS[protocol],
    buffer: RECEIVE_BUFFER_SIZE,
    blocking: true,
    ours: true,
  });
  if (typeof opened === "number") throw refusal(-opened, object);
  const { fd, channel } = opened;
  // Best effort, each of them: an old kernel without them still answers, with fewer words.
  setInt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  setInt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  setTimeoutOption(fd, SO_RCVTIMEO, RECEIVE_TIMEOUT);
  return new SocketTransport(fd, channel);
}

/**
 * Goes on with a socket of {@linkcode openNetlink} that another process has given to this one. Throws an
 * OperationError.
 */
export function adoptNetlink(fd: number): NetlinkConnection {
  const address = makeSockaddr();
  if (localAddress(fd, address) >= 0) adoptPort(new Uint32Array(address.buffer)[PORT_WORD]);
  const channel = netlinkServer() >= 0 ? adoptSocket(fd, { silent: false }) : undefined;
  if (typeof channel === "number") throw refusal(-channel, "nfnetlink");
  const transport = new SocketTransport(fd, channel);
  transport.forsake();
  return new NetlinkConnection(transport);
}

function refusal(errno: number, object: string): OperationError {
  const hint = commonHint(errno);
  return new OperationError({
    operation: "open netlink socket",
    object,
    errno,
    ...(hint === undefined ? {} : { hint }),
    ...(errno === EPROTONOSUPPORT && object === "nfnetlink" ? { missingModule: object } : {}),
  });
}

class SocketTransport implements NetlinkTransport {
  #fd: number;
  /** Sends for us; undefined: this process sends by itself. */
  readonly #channel: Channel | undefined;
  #buffer = new Uint8Array(RECEIVE_SIZE);

  constructor(fd: number, channel: Channel | undefined) {
    this.#fd = fd;
    this.#channel = channel;
  }

  send(datagram: Uint8Array): number {
    const bytes = Uint8Array.from(datagram);
    if (this.#channel !== undefined) return this.#channel.send(bytes);
    const sent = sendWithFlags(this.#fd, bytes, 0);
    if (sent !== -EMSGSIZE) return sent;
    // A whole rule set is one datagram, and must fit the send buffer.
    setBufferSize(this.#fd, { name: SO_SNDBUF, force: SO_SNDBUFFORCE, bytes: bytes.length + 4096 });
    return sendWithFlags(this.#fd, bytes, 0);
  }

  receive(): Uint8Array | number {
    const received = receiveWithFlags(this.#fd, this.#buffer, MSG_TRUNC);
    if (received < 0) return received;
    return received > this.#buffer.length ? -EMSGSIZE : this.#buffer.subarray(0, received);
  }

  get descriptor(): number {
    return this.#fd;
  }

  /** Takes what answers are left of questions of another process. */
  forsake(): void {
    while (receiveWithFlags(this.#fd, this.#buffer, MSG_DONTWAIT) > 0);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeFd(this.#fd);
    this.#fd = -1;
    // When it returns, the socket is closed on both sides, and what belonged to it is gone.
    this.#channel?.close();
  }
}
