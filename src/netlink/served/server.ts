/**
 * Netlink for a process without CAP_NET_ADMIN: a server that the launcher has left (ffi/launcher/
 * netlink_server.c) opens the sockets, and sends on them what is the proxy's own business. The proxy reads
 * them itself. Without a server nothing here is used, and sockets are opened as everywhere.
 * @module
 */
import {
  EAGAIN,
  EPIPE,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  SHUT_WR,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
} from "../../../ffi/consts.ts";
import { makeMemoryFile } from "../../../ffi/sockets/memory_file.ts";
import { receiveDescriptor } from "../../../ffi/sockets/descriptor.ts";
import { Parcel } from "../../../ffi/sockets/parcel.ts";
import {
  closeFd,
  receive,
  receiveWithFlags,
  sendWaiting,
  shutdownSocket,
} from "../../../ffi/sockets/socket.ts";
import { setTimeoutOption } from "../../../ffi/sockets/sockopt.ts";
import { openPair } from "../../../ffi/sockets/unix.ts";
import { nextPort } from "./port.ts";

/** struct question: kind, protocol, port, groups, buffer, silent, and the limits: marks, table, port. */
const QUESTION_WORDS = 9;
const [LIMITS, OPEN, ADOPT, SERVICES] = [1, 2, 3, 4];
/** The server answers at once; this only keeps one that does not from hanging us. In milliseconds. */
const PATIENCE = 5000;
/** Longer datagrams go as a file: a message has to fit the buffer of its socket. */
const LONGEST = 32 << 10;

let server = -1;

/** Has this thread use the server at the other end of a socket; -1: there is none. */
export function useNetlinkServer(socket: number): void {
  server = socket;
}

/** The socket of the server, for other threads; -1: there is none. */
export function netlinkServer(): number {
  return server;
}

/** Tells whether the server is there, where there was one. */
export function isServerGone(): boolean {
  return server >= 0 && receive(server, new Uint8Array(1), 1) === 0;
}

/** Things that a proxy calls its own. */
export interface NetlinkLimits {
  /** Bits that its routing rules ask for. */
  readonly marks: number;
  /** The routing table that delivers to this machine. */
  readonly table: number;
  /** The port of its listener. */
  readonly port: number;
}

/** Tells the server what the proxy may change; it takes no other word later. 0 or -errno. */
export function tellLimits({ marks, table, port }: NetlinkLimits): number {
  if (server < 0) return 0;
  const parcel = new Parcel(QUESTION_WORDS);
  parcel.words.set([LIMITS, 0, 0, 0, 0, 0, marks, table, port]);
  return parcel.send(server, -1, -1);
}

/** A netlink socket to be opened. */
export interface ServedSocket {
  readonly protocol: typeof NETLINK_ROUTE | typeof NETLINK_NETFILTER;
  /** Bits of the groups that it listens to. */
  readonly groups?: number;
  /** Bytes of its receive buffer, if not the usual ones. */
  readonly buffer?: number;
  /** Nothing is answered when something was sent: {@linkcode Channel.tell}. */
  readonly silent?: boolean;
}

/** Has the server open a socket: its descriptor and the way to send on it, or -errno. Blocking. */
export function openServed(
  { protocol, groups = 0, buffer = 0, silent = false }: ServedSocket,
): { fd: number; channel: Channel } | number {
  const channel = Channel.open([OPEN, protocol, nextPort(), groups, buffer, silent ? 1 : 0]);
  if (typeof channel === "number") return channel;
  const fd = receiveDescriptor(channel.fd);
  if (fd >= 0) return { fd, channel };
  channel.close();
  return fd;
}

/** Has the server send on a netlink socket that is open already: the way there, or -errno. */
export function adoptSocket(
  fd: number,
  { silent }: Required<Pick<ServedSocket, "silent">>,
): Channel | number {
  return begun(Channel.open([ADOPT, 0, 0, 0, 0, silent ? 1 : 0], fd));
}

/** Opens a way to the services that need no netlink. */
export function openServices(): Channel | number {
  return begun(Channel.open([SERVICES, 0, 0, 0, 0, 0]));
}

function begun(channel: Channel | number): Channel | number {
  if (typeof channel === "number") return channel;
  const answer = channel.wait();
  if (answer === 0) return channel;
  channel.close();
  return answer;
}

/** A way to the server: datagrams for one netlink socket. */
export class Channel {
  readonly fd: number;
  readonly #answer = new Uint8Array(4);
  readonly #number = new Int32Array(this.#answer.buffer);
  readonly #parcel = new Parcel(2);
  /** An answer has not come, and may still come: it would be taken for that of another question. */
  #broken = false;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Opens one, with the first words of a question and a descriptor to go with it; its answer comes next. */
  static open(question: readonly number[], fd = -1): Channel | number {
    const ends = new Int32Array(2);
    const paired = openPair(ends);
    if (paired < 0) return paired;
    const [own, other] = ends;
    setTimeoutOption(own, SO_RCVTIMEO, PATIENCE);
    setTimeoutOption(own, SO_SNDTIMEO, PATIENCE);
    const parcel = new Parcel(QUESTION_WORDS);
    parcel.words.set(question);
    const sent = parcel.send(server, other, fd);
    closeFd(other);
    if (sent >= 0) return new Channel(own);
    closeFd(own);
    return sent;
  }

  /** Sends a datagram, and waits for what has come of that: bytes or -errno. */
  send(datagram: Uint8Array<ArrayBuffer>, length = datagram.length): number {
    if (this.#broken) return -EPIPE;
    if (length > LONGEST) return this.#sendLong(datagram.subarray(0, length));
    const sent = sendWaiting(this.fd, datagram, length);
    return sent < 0 ? unlessLate(sent) : this.wait();
  }

  /** Sends a datagram for whose fate nobody waits. Waits for room: a server that is slow is waited for. */
  tell(datagram: Uint8Array<ArrayBuffer>, length: number): number {
    return unlessLate(sendWaiting(this.fd, datagram, length));
  }

  /** Passes on a wish about a descriptor, -1: none. 0 or -errno. */
  wish(kind: number, value: number, fd: number): number {
    this.#parcel.words[0] = kind;
    this.#parcel.words[1] = value;
    return unlessLate(this.#parcel.send(this.fd, fd, -1));
  }

  /** Waits for an answer. */
  wait(): number {
    const received = receiveWithFlags(this.fd, this.#answer, 0);
    if (received === 4) return this.#number[0];
    this.#broken = true;
    return received < 0 ? unlessLate(received) : -EPIPE;
  }

  /** Closes it, when the server has closed its end: what was sent is done, and its socket is ours alone. */
  close(): void {
    shutdownSocket(this.fd, SHUT_WR);
    for (let left = 0; left < LONGEST && receiveWithFlags(this.fd, this.#answer, 0) > 0;) left++;
    closeFd(this.fd);
  }

  #sendLong(datagram: Uint8Array<ArrayBuffer>): number {
    const file = makeMemoryFile(datagram);
    if (file < 0) return file;
    const parcel = this.#parcel;
    parcel.words[0] = datagram.length;
    parcel.words[1] = 0;
    const sent = parcel.send(this.fd, file, -1);
    closeFd(file);
    return sent < 0 ? unlessLate(sent) : this.wait();
  }
}

/** A server that does not answer in time is as good as none. */
function unlessLate(returned: number): number {
  return returned === -EAGAIN ? -EPIPE : returned;
}
