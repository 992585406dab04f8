/**
 * The network side of netcat: a TCP connection, a UDP socket that knows its peer, or one that anybody may
 * talk to.
 * @module
 */
import { makeSockaddr, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { receive, receiveFrom, send, sendTo } from "../../../ffi/sockets/socket.ts";
import type { ByteSource, ByteTarget } from "./flow.ts";

/** Netcat's partner. */
export interface Peer extends ByteSource, ByteTarget {
  readonly fd: number;
  /** Tells that the bytes of one write arrive together, or not at all. */
  readonly datagrams: boolean;
  /** Tells that netcat knows an address to send to. */
  readonly known: boolean;
}

/** A connected socket. */
export class ConnectedPeer implements Peer {
  readonly known = true;
  readonly limit = Infinity;
  readonly neverBlocks = true;
  readonly fd: number;
  readonly datagrams: boolean;

  constructor(fd: number, options: { datagrams: boolean }) {
    this.fd = fd;
    this.datagrams = options.datagrams;
  }

  /** Bytes, 0 at the end, or -errno. */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    return receive(this.fd, buffer, buffer.length);
  }

  /** Bytes taken, or -errno. */
  write(buffer: Uint8Array<ArrayBuffer>): number {
    return send(this.fd, buffer, buffer.length);
  }
}

/** A UDP socket that takes datagrams of anybody, and answers who has spoken last. */
export class OpenPeer implements Peer {
  readonly datagrams = true;
  readonly limit = Infinity;
  readonly neverBlocks = true;
  readonly fd: number;
  readonly #onSender: (address: Uint8Array<ArrayBuffer>) => void;
  readonly #sender = makeSockaddr();
  readonly #last = makeSockaddr();
  known = false;

  /**
   * `onSender` is called with the address of a datagram's sender when that is not the one of the datagram
   * before.
   */
  constructor(fd: number, onSender: (address: Uint8Array<ArrayBuffer>) => void) {
    this.fd = fd;
    this.#onSender = onSender;
  }

  /** The length of a datagram, or -errno. */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    const received = receiveFrom(this.fd, buffer, this.#sender);
    if (received >= 0 && !(this.known && sameSockaddr(this.#sender, this.#last))) {
      this.known = true;
      this.#last.set(this.#sender);
      this.#onSender(this.#last);
    }
    return received;
  }

  /** Bytes taken, or -errno. */
  write(buffer: Uint8Array<ArrayBuffer>): number {
    return sendTo(this.fd, buffer, this.#last);
  }
}
