/**
 * Raw sockets whose signs follow what is sent through them.
 * @module
 */
import { SO_BINDTOIFINDEX, SO_MARK, SO_PRIORITY, SOL_SOCKET } from "../../../ffi/consts.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { mendChecksum } from "../asking/packet/checksums.ts";
import { ASKED_CLIENT, type HeldPacket } from "../asking/question.ts";
import type { RawSockets } from "../orders.ts";
import type { Fragments } from "./datagrams/fragments.ts";

/** A worker's, one for each family: TCP and UDP share them, as each has to know the signs that it has. */
export class SignedSockets {
  readonly #ipv4: SignedSocket;
  readonly #ipv6: SignedSocket;

  constructor({ ipv4, ipv6 }: RawSockets) {
    this.#ipv4 = new SignedSocket(ipv4);
    this.#ipv6 = new SignedSocket(ipv6);
  }

  /**
   * Sends a packet with this mark and priority by an interface, 0: as routing has it, towards the struct
   * sockaddr at `at` in `to`, as NAT has made it. 0 or -errno.
   */
  send(
    packet: HeldPacket,
    mark: number,
    priority: number,
    oif: number,
    to: Int32Array,
    at: number,
  ): number {
    return this.#socketOf(packet).send(packet, mark, priority, oif, to, at);
  }

  /** Sends a fragment of the packet that was sent last and was too large, as that one. */
  sendFragment(packet: HeldPacket, fragment: Fragments, to: Int32Array, at: number): number {
    return this.#socketOf(packet).sendFragment(packet, fragment, to, at);
  }

  #socketOf({ bytes, offset }: HeldPacket): SignedSocket {
    return bytes[offset] >> 4 === 4 ? this.#ipv4 : this.#ipv6;
  }
}

class SignedSocket {
  readonly #fd: number;
  readonly #batch = new SendBatch(1, 2);
  #mark = 0;
  #priority = 0;
  #interface = 0;

  constructor(fd: number) {
    this.#fd = fd;
    // A thread that has failed may have left others.
    setInt(fd, SOL_SOCKET, SO_MARK, this.#mark);
    setInt(fd, SOL_SOCKET, SO_PRIORITY, this.#priority);
    setInt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, this.#interface);
  }

  send(
    packet: HeldPacket,
    mark: number,
    priority: number,
    oif: number,
    to: Int32Array,
    at: number,
  ): number {
    const signed = this.#sign(mark, priority, oif);
    if (signed < 0) return signed;
    mendChecksum(packet);
    this.#begin(packet, to, at);
    this.#batch.add(packet.low, packet.high, packet.length);
    return Math.min(this.#batch.send(this.#fd, 0), 0);
  }

  /** Its signs, and the checksum of the whole, are those of the packet that was sent last. */
  sendFragment(packet: HeldPacket, fragment: Fragments, to: Int32Array, at: number): number {
    const batch = this.#batch;
    this.#begin(packet, to, at);
    batch.add(fragment.low, fragment.high, fragment.headerLength);
    batch.add(fragment.dataLow, packet.high, fragment.dataLength);
    return Math.min(batch.send(this.#fd, 0), 0);
  }

  #begin({ addresses }: HeldPacket, to: Int32Array, at: number): void {
    const batch = this.#batch;
    batch.clear();
    batch.beginRaw(to, at);
    // Routing rules may ask for the source.
    batch.sendFrom(addresses, ASKED_CLIENT);
  }

  #sign(mark: number, priority: number, oif: number): number {
    const fd = this.#fd;
    if (mark !== this.#mark && setInt(fd, SOL_SOCKET, SO_MARK, mark) === 0) this.#mark = mark;
    if (oif !== this.#interface) {
      const returned = setInt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, oif);
      if (returned < 0) return returned;
      this.#interface = oif;
    }
    // Without its priority a packet would pass for another.
    if (priority !== this.#priority) {
      const returned = setInt(fd, SOL_SOCKET, SO_PRIORITY, priority);
      if (returned < 0) return returned;
      this.#priority = priority;
    }
    return 0;
  }
}
