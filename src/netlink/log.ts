/**
 * NFLOG: the packets that a rule `log group` copies to a netlink socket, whole. The socket is left to
 * whoever reads it; see linux/netfilter/nfnetlink_log.h.
 * @module
 */
import {
  AF_NETLINK,
  NETLINK_NETFILTER,
  NETLINK_NO_ENOBUFS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_NETLINK,
} from "../../ffi/consts.ts";
import { netlinkAddress } from "../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openSocket, receive, sendWithFlags } from "../../ffi/sockets/socket.ts";
import { setBufferSize, setInt } from "../../ffi/sockets/sockopt.ts";
import { EBUSY, EINVAL, EPERM, EPROTONOSUPPORT } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { AttributeWriter } from "./attribute.ts";
import { NetlinkConnection, type NetlinkTransport } from "./connection.ts";
import { commonHint } from "./hint.ts";
import type { NetlinkRequest } from "./message.ts";

/** NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG */
const CONFIG = 0x401;
const MODULE = "nfnetlink_log";

const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_NLBUFSIZ = 3;
const NFULA_CFG_QTHRESH = 5;
const NFULA_CFG_FLAGS = 6;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_PACKET = 2;
/** Numbers the messages of the group, so that gaps show what was lost. */
const NFULNL_CFG_F_SEQ = 1;

/** The whole of any packet; a rule may say less. */
const COPY_RANGE = 65535;
/**
 * The kernel makes its buffer so large for each message; longer ones get one of their own. A SYN has 250
 * bytes, and what the kernel counts for 512 is half of what it counts for 1024: twice as many may wait.
 */
const MESSAGE_BUFFER = 512;
/** Bytes that may wait to be read. The kernel counts several times what the messages have. */
const RECEIVE_BUFFER = 1 << 20;

/**
 * Binds a group. Its packets come one to a datagram, at once. Returns the descriptor, non-blocking. Throws an
 * OperationError, which tells if another program has the group.
 */
export function openLogGroup(group: number): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, { protocol: NETLINK_NETFILTER });
  if (fd < 0) throw refusal(-fd, group);
  try {
    const address = netlinkAddress();
    const bound = bindSocket(fd, address, address.length);
    if (bound < 0) throw refusal(-bound, group);
    const connection = new NetlinkConnection(transportOver(fd));
    for (const request of logGroupRequests(group)) {
      try {
        connection.execute(request, { operation: "bind", object: nameOf(group) });
      } catch (error) {
        throw error instanceof OperationError ? refusal(error.errno, group) : error;
      }
    }
    // Beyond the queue's end packets are lost one by one, and not all until it is empty.
    setInt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
    setBufferSize(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: RECEIVE_BUFFER });
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** The requests that bind a group, in their order. */
function logGroupRequests(group: number): NetlinkRequest[] {
  const request = (fill: (writer: AttributeWriter) => void): NetlinkRequest => {
    const writer = new AttributeWriter();
    writer.structure(new Uint8Array([0, 0, group >> 8, group & 0xff])); // struct nfgenmsg
    fill(writer);
    return { type: CONFIG, body: writer.finish() };
  };
  const mode = new Uint8Array([0, 0, COPY_RANGE >> 8, COPY_RANGE & 0xff, NFULNL_COPY_PACKET, 0]);
  return [
    request((writer) => writer.u8(NFULA_CFG_CMD, NFULNL_CFG_CMD_BIND)),
    request((writer) =>
      writer.bytes(NFULA_CFG_MODE, mode).u32be(NFULA_CFG_NLBUFSIZ, MESSAGE_BUFFER)
        .u32be(NFULA_CFG_QTHRESH, 1).u16be(NFULA_CFG_FLAGS, NFULNL_CFG_F_SEQ)
    ),
  ];
}

function nameOf(group: number): string {
  return `NFLOG group ${group}`;
}

function refusal(errno: number, group: number): OperationError {
  const object = nameOf(group);
  // EPERM is the kernel's answer to root where another socket has the group.
  if (errno === EBUSY || errno === EPERM) {
    const hint = "Another program may have the group, perhaps another tproxy run or ulogd: " +
      "/proc/net/netfilter/nfnetlink_log shows the groups. Stop it, or set listener.port. " +
      "Without root (CAP_NET_ADMIN) nobody may have one";
    return new OperationError({ operation: "bind", object, errno, hint });
  }
  const hint = commonHint(errno);
  return new OperationError({
    operation: "bind",
    object,
    errno,
    ...(hint === undefined ? {} : { hint }),
    ...(errno === EPROTONOSUPPORT || errno === EINVAL ? { missingModule: MODULE } : {}),
  });
}

/** The socket stays open: it is whose packets are read. */
function transportOver(fd: number): NetlinkTransport {
  const buffer = new Uint8Array(4096);
  return {
    send: (datagram) => sendWithFlags(fd, Uint8Array.from(datagram), 0),
    receive: () => {
      const received = receive(fd, buffer, buffer.length);
      return received < 0 ? received : buffer.subarray(0, received);
    },
    close: () => {},
  };
}
