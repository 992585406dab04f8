/**
 * Sends first packets to the loopback interface, where rules give them to the listener, or have the kernel
 * refuse them in the server's name.
 * @module
 */
import { AF_INET, EPERM, IPPROTO_TCP } from "../../../ffi/consts.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { VERDICT_TTL } from "../../constants.ts";
import type { AskingSockets } from "../orders.ts";
import { mendChecksum } from "./packet/checksums.ts";
import { ASKED_DESTINATION, type HeldPacket } from "./question.ts";
import { SILENCE, verdictOfErrno } from "./verdict.ts";

const IPV4_TTL = 8;
const IPV6_HOP_LIMIT = 7;

/** A worker's raw sockets. */
export class Injector {
  readonly #sockets: Pick<AskingSockets, "raw" | "refusals">;
  readonly #batch = new SendBatch(1, 1);

  constructor(sockets: Pick<AskingSockets, "raw" | "refusals">) {
    this.#sockets = sockets;
  }

  /** Gives the packet to the listener. 1, or -errno. */
  accept(packet: HeldPacket): number {
    return this.tell(packet, VERDICT_TTL.accept);
  }

  /**
   * Has the kernel tell the client that its packet has come to nothing, with `errno`. 1, or -errno; 0: there
   * is nothing to tell.
   */
  refuse(packet: HeldPacket, errno: number): number {
    return this.tell(packet, verdictOfErrno(errno, packet.protocol));
  }

  /** Sends the packet with a verdict, one of VERDICT_TTL. 1, or -errno; 0: the verdict is silence. */
  tell(packet: HeldPacket, verdict: number): number {
    if (verdict === SILENCE) return 0;
    const { addresses, bytes, offset } = packet;
    const isIpv4 = (addresses[ASKED_DESTINATION] & 0xffff) === AF_INET;
    bytes[offset + (isIpv4 ? IPV4_TTL : IPV6_HOP_LIMIT)] = verdict;
    mendChecksum(packet);
    const batch = this.#batch;
    batch.clear();
    batch.beginRaw(addresses, ASKED_DESTINATION);
    batch.add(packet.low, packet.high, packet.length);
    const { raw, refusals } = this.#sockets;
    // An IPv4 packet that is delivered to this machine the kernel would refuse in the server's name, for
    // which it finds no route. One that leaves it refuses in the router's.
    const leaves = isIpv4 && verdict !== VERDICT_TTL.accept &&
      (verdict !== VERDICT_TTL.reset || packet.protocol !== IPPROTO_TCP);
    const returned = batch.send(leaves ? refusals : isIpv4 ? raw.ipv4 : raw.ipv6, 0);
    // A rule that refuses a packet where it leaves drops it as well, and that is what sendmsg(2) tells.
    return returned === -EPERM && verdict !== VERDICT_TTL.accept ? 1 : returned;
  }
}
