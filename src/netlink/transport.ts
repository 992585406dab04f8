/**
 * Netlink over a real socket, for requests; monitor.ts has the one for notifications, log.ts that for
 * packets. No other file of src/netlink imports ffi/.
 * @module
 */
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_RAW,
  SOL_NETLINK,
} from "../../ffi/consts.ts";
import { makeSockaddr, netlinkAddress } from "../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  localAddress,
  openSocket,
  receiveWithFlags,
  sendWithFlags,
} from "../../ffi/sockets/socket.ts";
import { setBufferSize, setInt, setTimeoutOption } from "../../ffi/sockets/sockopt.ts";
import { EMSGSIZE, EPROTONOSUPPORT } from "../net/errno.ts";
import { check, OperationError } from "../net/error.ts";
import { commonHint } from "./hint.ts";
import { NetlinkConnection, type NetlinkTransport } from "./connection.ts";

/** Part of the kernel to talk to: rtnetlink, or nfnetlink (nf_tables). */
export type NetlinkProtocol = "route" | "netfilter";

const PROTOCOLS: Readonly<Record<NetlinkProtocol, number>> = {
  route: NETLINK_ROUTE,
  netfilter: NETLINK_NETFILTER,
};

/** The kernel fills a dump's datagrams up to 32 KiB; one message may be larger. */
const RECEIVE_SIZE = 256 * 1024;
const RECEIVE_BUFFER_SIZE = 4 * 1024 * 1024;
/** The kernel answers at once; this only keeps a kernel that does not from hanging us. In milliseconds. */
const RECEIVE_TIMEOUT = 5000;

// A port number: the process, and the number of the socket.
const PROCESS_BITS = 22;
const PROCESS_MASK = (1 << PROCESS_BITS) - 1;
const SOCKETS = 1023;
let socketCount = 0;
/** Place of the port in a struct sockaddr_nl. */
const PORT_WORD = 1;

/** Opens a netlink socket in the network namespace of the calling thread. */
export function openNetlink(protocol: NetlinkProtocol): NetlinkConnection {
  return new NetlinkConnection(openSocketTransport(protocol));
}

function openSocketTransport(protocol: NetlinkProtocol): NetlinkTransport {
  const object = protocol === "route" ? "rtnetlink" : "nfnetlink";
  const opened = openSocket(AF_NETLINK, SOCK_RAW, { protocol: PROTOCOLS[protocol], blocking: true });
  if (opened < 0) throw refusal(-opened, object);
  const fd = opened;
  const bound = bindOurs(fd);
  if (bound < 0) {
    closeFd(fd);
    check(bound, "bind netlink socket", object);
  }
  // Best effort, each of them: an old kernel without them still answers, with fewer words.
  setInt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  setInt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  setTimeoutOption(fd, SO_RCVTIMEO, RECEIVE_TIMEOUT);
  setBufferSize(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: RECEIVE_BUFFER_SIZE });
  return new SocketTransport(fd);
}

/**
 * Binds to a number by which notifications of what we do are known as ours: the process in its lower bits, as
 * libnl has it. Where it is taken, the kernel chooses.
 */
function bindOurs(fd: number): number {
  socketCount = (socketCount + 1) % SOCKETS;
  const ours = netlinkAddress({ port: ((socketCount + 1) << PROCESS_BITS) | (Deno.pid & PROCESS_MASK) });
  const bound = bindSocket(fd, ours, ours.length);
  if (bound >= 0) return bound;
  const any = netlinkAddress();
  return bindSocket(fd, any, any.length);
}

/** Port numbers of sockets that another process has given to this one. */
const adopted = new Set<number>();

/** Tells whether a port number is of a socket of this process. */
export function isOurPort(portId: number): boolean {
  return portId !== 0 && ((portId & PROCESS_MASK) === (Deno.pid & PROCESS_MASK) || adopted.has(portId));
}

/** Goes on with a socket of {@linkcode openNetlink} that another process has given to this one. */
export function adoptNetlink(fd: number): NetlinkConnection {
  const address = makeSockaddr();
  if (localAddress(fd, address) >= 0) adopted.add(new Uint32Array(address.buffer)[PORT_WORD]);
  const transport = new SocketTransport(fd);
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
  #buffer = new Uint8Array(RECEIVE_SIZE);

  constructor(fd: number) {
    this.#fd = fd;
  }

  send(datagram: Uint8Array): number {
    const bytes = Uint8Array.from(datagram);
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
  }
}
