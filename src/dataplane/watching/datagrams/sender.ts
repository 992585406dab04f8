/**
 * Sends held datagrams on, as the router would have, or has the kernel refuse them.
 * @module
 */
import { EPERM } from "../../../../ffi/consts.ts";
import { RESENT_PRIORITY } from "../../../constants.ts";
import type { HeldPacket } from "../../asking/question.ts";
import type { RawSockets } from "../../orders.ts";
import { SignedSocket } from "../signed_socket.ts";
import type { KnownFlow } from "./known_flow.ts";
import { Teller } from "./teller.ts";

/** A way for what was held. Each call returns 0 or more, or -errno. */
export interface DatagramSender {
  /** Has the kernel know the flow, which it forwards from then on. */
  tell(flow: KnownFlow): number;
  /** Sends one on, with the mark of the router's rules. The router has counted the hop already. */
  send(packet: HeldPacket, mark: number): number;
  /** Has the client told that nobody takes it. */
  refuse(packet: HeldPacket, mark: number): number;
}

/** A worker's. */
export class RawSender implements DatagramSender {
  readonly #ipv4: SignedSocket;
  readonly #ipv6: SignedSocket;
  readonly #teller = new Teller();

  constructor({ ipv4, ipv6 }: RawSockets) {
    this.#ipv4 = new SignedSocket(ipv4);
    this.#ipv6 = new SignedSocket(ipv6);
  }

  /** See {@linkcode DatagramSender}. */
  tell(flow: KnownFlow): number {
    return this.#teller.tell(flow);
  }

  /** See {@linkcode DatagramSender}. */
  send(packet: HeldPacket, mark: number): number {
    return this.#socketOf(packet).send(packet, mark, RESENT_PRIORITY.released);
  }

  /** See {@linkcode DatagramSender}. */
  refuse(packet: HeldPacket, mark: number): number {
    const returned = this.#socketOf(packet).send(packet, mark, RESENT_PRIORITY.refused);
    // The rule that refuses drops the packet, and that is what sendmsg(2) tells.
    return returned === -EPERM ? 0 : returned;
  }

  /** Closes what it has opened. */
  close(): void {
    this.#teller.close();
  }

  #socketOf({ bytes, offset }: HeldPacket): SignedSocket {
    return bytes[offset] >> 4 === 4 ? this.#ipv4 : this.#ipv6;
  }
}
