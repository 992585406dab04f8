/**
 * Queues of NFQUEUE: rules put packets into them, which the kernel holds until the program that has bound the
 * queue gives its verdict; see linux/netfilter/nfnetlink_queue.h.
 * @module
 */
import { EBUSY, EINVAL, ENODEV, EOPNOTSUPP, EPERM } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import type { AttributeWriter } from "./attribute.ts";
import type { NetlinkConnection } from "./connection.ts";
import { commonHint } from "./hint.ts";
import type { NetlinkRequest } from "./message.ts";
import {
  adoptPacketSocket,
  COPY_RANGE,
  openPacketSocket,
  packetRequest,
  type PacketSocket,
  waitForNone,
} from "./packet_socket.ts";

/** NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG */
const CONFIG = 0x302;

const NFQA_CFG_CMD = 1;
const NFQA_CFG_PARAMS = 2;
const NFQA_CFG_QUEUE_MAXLEN = 3;
const NFQA_CFG_MASK = 4;
const NFQA_CFG_FLAGS = 5;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_PACKET = 2;
/** A verdict may change the flow's labels. */
const NFQA_CFG_F_CONNTRACK = 2;
/** Segments that the kernel has joined come as they are. */
const NFQA_CFG_F_GSO = 4;
/**
 * Flags of a queue. Not fail-open (1): what a full queue lets pass is read by nobody, and what it drops its
 * client sends again.
 */
const FLAGS = NFQA_CFG_F_CONNTRACK | NFQA_CFG_F_GSO;

/** Packets that may be held at once. */
const MOST_HELD = 4096;

/**
 * Binds a queue. Throws an OperationError, which tells if another program has it; with EINVAL or EOPNOTSUPP
 * the kernel has no such queues.
 */
export function openQueue(queue: number): PacketSocket {
  const opened = openPacketSocket(queueRequests(queue), {
    object: `NFQUEUE ${queue}`,
    refusal: (errno) => refusal(errno, queue),
  });
  const silenced = waitForNone(opened);
  if (typeof silenced === "number") throw refusal(-silenced, queue);
  return silenced;
}

/** Goes on with a queue that another process has bound. Throws an OperationError. */
export function adoptQueue(fd: number, queue: number): PacketSocket {
  const adopted = adoptPacketSocket(fd);
  if (typeof adopted === "number") throw refusal(-adopted, queue);
  return adopted;
}

/** Tells of an answer to {@linkcode openQueue} that the kernel lacks what it needs. */
export function lacksQueues(errno: number): boolean {
  return errno === EINVAL || errno === EOPNOTSUPP;
}

/** Asks the kernel whether {@linkcode openQueue} could work; nothing is bound. Throws an OperationError. */
export function hasQueues(connection: NetlinkConnection, queue: number): boolean {
  const request = packetRequest(CONFIG, queue, writeFlags);
  try {
    connection.execute(request, { operation: "look for", object: `NFQUEUE ${queue}` });
    return true;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    if (lacksQueues(error.errno)) return false;
    // There is no such queue, or it is somebody else's.
    if (error.errno === ENODEV || error.errno === EPERM) return true;
    throw error;
  }
}

/** The requests that bind a queue, in their order. */
export function queueRequests(queue: number): NetlinkRequest[] {
  const parameters = new Uint8Array([0, 0, COPY_RANGE >> 8, COPY_RANGE & 0xff, NFQNL_COPY_PACKET]);
  return [
    packetRequest(
      CONFIG,
      queue,
      (writer) => writer.bytes(NFQA_CFG_CMD, new Uint8Array([NFQNL_CFG_CMD_BIND, 0, 0, 0])),
    ),
    packetRequest(
      CONFIG,
      queue,
      (writer) =>
        writeFlags(writer.bytes(NFQA_CFG_PARAMS, parameters).u32be(NFQA_CFG_QUEUE_MAXLEN, MOST_HELD)),
    ),
  ];
}

function writeFlags(writer: AttributeWriter): void {
  writer.u32be(NFQA_CFG_FLAGS, FLAGS).u32be(NFQA_CFG_MASK, FLAGS);
}

function refusal(errno: number, queue: number): OperationError {
  // EPERM is the kernel's answer to root where another socket has the queue.
  const hint = errno === EBUSY || errno === EPERM
    ? "Another program may have the queue: /proc/net/netfilter/nfnetlink_queue shows them. Stop it, or set " +
      "listener.port. Without root (CAP_NET_ADMIN) nobody may have one"
    : commonHint(errno);
  return new OperationError({
    operation: "bind",
    object: `NFQUEUE ${queue}`,
    errno,
    ...(hint === undefined ? {} : { hint }),
  });
}
