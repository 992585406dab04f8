/**
 * Netlink sockets by which the kernel hands over packets: groups of NFLOG, queues of NFQUEUE.
 * @module
 */
import { NETLINK_NETFILTER, NETLINK_NO_ENOBUFS, SOL_NETLINK } from "../../ffi/consts.ts";
import { closeFd, receive, sendWithFlags } from "../../ffi/sockets/socket.ts";
import { setInt } from "../../ffi/sockets/sockopt.ts";
import { OperationError } from "../net/error.ts";
import { AttributeWriter } from "./attribute.ts";
import { NetlinkConnection, type NetlinkTransport } from "./connection.ts";
import type { NetlinkRequest } from "./message.ts";
import { openNetlinkSocket } from "./served/open.ts";
import { adoptSocket, type Channel, netlinkServer } from "./served/server.ts";

/** The whole of any packet; a rule may say less. */
export const COPY_RANGE = 65535;
/** Bytes that may wait to be read. The kernel counts several times what the messages have. */
const RECEIVE_BUFFER = 1 << 20;

/** A request about the group or queue of this number: `fill` writes its attributes. */
export function packetRequest(
  type: number,
  number: number,
  fill: (writer: AttributeWriter) => void,
): NetlinkRequest {
  const writer = new AttributeWriter();
  writer.structure(new Uint8Array([0, 0, number >> 8, number & 0xff])); // struct nfgenmsg
  fill(writer);
  return { type, body: writer.finish() };
}

/** A socket whose packets are read. */
export interface PacketSocket {
  readonly fd: number;
  /** Sends for us, where this process may not; it is kept for those who send more than requests. */
  readonly channel: Channel | undefined;
}

/** Options of {@linkcode openPacketSocket}. */
export interface PacketSocketOptions {
  readonly object: string;
  /** Makes an error of the kernel's answer. */
  readonly refusal: (errno: number) => OperationError;
}

/**
 * Opens a socket and sends the requests. Its descriptor is for calls that do not wait. Throws what `refusal`
 * makes of the kernel's answer, and leaves nothing open then.
 */
export function openPacketSocket(
  requests: readonly NetlinkRequest[],
  { object, refusal }: PacketSocketOptions,
): PacketSocket {
  const opened = openNetlinkSocket({ protocol: NETLINK_NETFILTER, buffer: RECEIVE_BUFFER });
  if (typeof opened === "number") throw refusal(-opened);
  try {
    const connection = new NetlinkConnection(transportOver(opened));
    for (const request of requests) {
      try {
        connection.execute(request, { operation: "bind", object });
      } catch (error) {
        throw error instanceof OperationError ? refusal(error.errno) : error;
      }
    }
    // Beyond the queue's end packets are lost one by one, and not all until it is empty.
    setInt(opened.fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
    return opened;
  } catch (error) {
    closeFd(opened.fd);
    opened.channel?.close();
    throw error;
  }
}

/**
 * Gives a socket a way by which much is sent, for whose fate nobody waits. Closes it where there is none, and
 * returns -errno.
 */
export function waitForNone(socket: PacketSocket): PacketSocket | number {
  const { fd, channel } = socket;
  if (channel === undefined) return socket;
  channel.close();
  return sendSilently(fd);
}

/**
 * Goes on with such a socket that another process has opened; nobody waits for what it sends. Closes it where
 * that is not possible, and returns -errno.
 */
export function adoptPacketSocket(fd: number): PacketSocket | number {
  return netlinkServer() < 0 ? { fd, channel: undefined } : sendSilently(fd);
}

function sendSilently(fd: number): PacketSocket | number {
  const silent = adoptSocket(fd, { silent: true });
  if (typeof silent !== "number") return { fd, channel: silent };
  closeFd(fd);
  return silent;
}

/** The socket stays open: it is whose packets are read. */
function transportOver({ fd, channel }: PacketSocket): NetlinkTransport {
  const buffer = new Uint8Array(4096);
  return {
    send: (datagram) => {
      const bytes = Uint8Array.from(datagram);
      return channel === undefined ? sendWithFlags(fd, bytes, 0) : channel.send(bytes);
    },
    receive: () => {
      const received = receive(fd, buffer, buffer.length);
      return received < 0 ? received : buffer.subarray(0, received);
    },
    close: () => {},
  };
}
