/**
 * Things beside netlink that take CAP_NET_ADMIN, and that the server does to a descriptor of ours (see
 * server.ts). Each thread has its own way there, opened when it is first needed.
 * @module
 */
import { SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF, SO_SNDBUFFORCE } from "../../../ffi/consts.ts";
import { setBufferSize, silenceOnClose } from "../../../ffi/sockets/sockopt.ts";
import { EPERM } from "../../net/errno.ts";
import { type Channel, netlinkServer, openServices } from "./server.ts";

// struct wish: kind, value
const [RECEIVE_BUFFER, SEND_BUFFER, SILENCE, EARLY_DEMUX] = [1, 2, 3, 4];

let channel: Channel | number | undefined;

function services(): Channel | number {
  if (netlinkServer() < 0) return -EPERM;
  return channel ??= openServices();
}

/** Makes room for so many bytes in a socket's receive queue, beyond net.core.rmem_max. */
export function enlargeReceiveBuffer(fd: number, bytes: number): void {
  if (setBufferSize(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes })) return;
  enlarge(RECEIVE_BUFFER, fd, bytes);
}

/** The same for what is under way from it. */
export function enlargeSendBuffer(fd: number, bytes: number): void {
  if (setBufferSize(fd, { name: SO_SNDBUF, force: SO_SNDBUFFORCE, bytes })) return;
  enlarge(SEND_BUFFER, fd, bytes);
}

/** Nobody waits for it. */
function enlarge(kind: number, fd: number, bytes: number): void {
  const open = services();
  if (typeof open !== "number") open.wish(kind, bytes, fd);
}

/** Has the end of a TCP socket tell its peer nothing. 0 or -errno. */
export function silence(fd: number): number {
  const returned = silenceOnClose(fd);
  if (returned !== -EPERM) return returned;
  return ask(SILENCE, 0, fd);
}

/** Sets net.ipv4.tcp_early_demux. 0 or -errno. */
export function setEarlyDemux(on: boolean): number {
  return ask(EARLY_DEMUX, on ? 1 : 0, -1);
}

function ask(kind: number, value: number, fd: number): number {
  const open = services();
  if (typeof open === "number") return open;
  const sent = open.wish(kind, value, fd);
  return sent < 0 ? sent : open.wait();
}
