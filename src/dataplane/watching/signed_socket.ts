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
    const socket = packet.bytes[packet.offset] >> 4 === 4 ? this.#ipv4 : this.#ipv6;
    return socket.send(packet, mark, priority, oif, to, at);
  }
}

class SignedSocket {
  readonly #fd: number;
  readonly #batch = new SendBatch(1, 1);
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
    const batch = this.#batch;
    batch.clear();
    batch.beginRaw(to, at);
    // Routing rules may ask for the source.
    batch.sendFrom(packet.addresses, ASKED_CLIENT);
    batch.add(packet.low, packet.high, packet.length);
    const returned = batch.send(this.#fd, 0);
    return returned < 0 ? returned : 0;
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
