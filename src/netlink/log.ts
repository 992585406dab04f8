/**
 * NFLOG: the packets that a rule `log group` copies to a netlink socket, whole. The socket is left to
 * whoever reads it; see linux/netfilter/nfnetlink_log.h.
 * @module
 */
import { EBUSY, EINVAL, EPERM, EPROTONOSUPPORT } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { commonHint } from "./hint.ts";
import { COPY_RANGE, openPacketSocket, packetRequest } from "./packet_socket.ts";
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

/**
 * The kernel makes its buffer so large for each message; longer ones get one of their own. A SYN has 250
 * bytes, and what the kernel counts for 512 is half of what it counts for 1024: twice as many may wait.
 */
const MESSAGE_BUFFER = 512;

/**
 * Binds a group. Its packets come one to a datagram, at once. Returns the descriptor, non-blocking. Throws an
 * OperationError, which tells if another program has the group.
 */
export function openLogGroup(group: number): number {
  const { fd, channel } = openPacketSocket(logGroupRequests(group), {
    object: nameOf(group),
    refusal: (errno) => refusal(errno, group),
  });
  channel?.close(); // nothing more is sent
  return fd;
}

/** The requests that bind a group, in their order. */
function logGroupRequests(group: number): NetlinkRequest[] {
  const request = (fill: Parameters<typeof packetRequest>[2]) => packetRequest(CONFIG, group, fill);
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
