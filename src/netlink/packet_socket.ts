/**
 * Netlink sockets by which the kernel hands over packets: groups of NFLOG, queues of NFQUEUE.
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
import { OperationError } from "../net/error.ts";
import { AttributeWriter } from "./attribute.ts";
import { NetlinkConnection, type NetlinkTransport } from "./connection.ts";
import type { NetlinkRequest } from "./message.ts";

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

/**
 * Opens a socket and sends the requests. Returns the descriptor, non-blocking. Throws what `refusal` makes of
 * the kernel's answer, and leaves nothing open then.
 */
export function openPacketSocket(
  requests: readonly NetlinkRequest[],
  { object, refusal }: { readonly object: string; readonly refusal: (errno: number) => OperationError },
): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, { protocol: NETLINK_NETFILTER });
  if (fd < 0) throw refusal(-fd);
  try {
    const address = netlinkAddress();
    const bound = bindSocket(fd, address, address.length);
    if (bound < 0) throw refusal(-bound);
    const connection = new NetlinkConnection(transportOver(fd));
    for (const request of requests) {
      try {
        connection.execute(request, { operation: "bind", object });
      } catch (error) {
        throw error instanceof OperationError ? refusal(error.errno) : error;
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
