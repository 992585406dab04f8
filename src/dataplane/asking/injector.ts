/**
 * Sends first packets to the loopback interface, where rules give them to the listener, or have the kernel
 * refuse them in the server's name.
 * @module
 */
import { AF_INET, EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } from "../../../ffi/consts.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { VERDICT_TTL } from "../../constants.ts";
import type { RawSockets } from "../orders.ts";
import { ASKED_DESTINATION, type HeldPacket } from "./question.ts";
import { mendChecksum } from "./checksums.ts";

const TTL_AT = { ipv4: 8, ipv6: 7 } as const;

/** A worker's raw sockets. */
export class Injector {
  readonly #raw: RawSockets;
  readonly #batch = new SendBatch(1, 1);

  constructor(raw: RawSockets) {
    this.#raw = raw;
  }

  /** Gives the packet to the listener. 1, or -errno. */
  accept(packet: HeldPacket): number {
    return this.#send(packet, VERDICT_TTL.accept);
  }

  /** Has the kernel tell the client what became of its packet. 1, or -errno; 0: there is nothing to tell. */
  refuse(packet: HeldPacket, errno: number): number {
    const ttl = refusalOf(errno);
    return ttl === 0 ? 0 : this.#send(packet, ttl);
  }

  #send(packet: HeldPacket, ttl: number): number {
    const { addresses, bytes, offset } = packet;
    const isIpv4 = (addresses[ASKED_DESTINATION] & 0xffff) === AF_INET;
    bytes[offset + (isIpv4 ? TTL_AT.ipv4 : TTL_AT.ipv6)] = ttl;
    mendChecksum(packet);
    const batch = this.#batch;
    batch.clear();
    batch.beginRaw(addresses, ASKED_DESTINATION);
    batch.add(packet.low, packet.high, packet.length);
    return batch.send(isIpv4 ? this.#raw.ipv4 : this.#raw.ipv6, 0);
  }
}

/** The verdict that tells of an errno, 0 for silence. */
function refusalOf(errno: number): number {
  switch (errno) {
    case ECONNREFUSED:
      return VERDICT_TTL.reset;
    case EHOSTUNREACH:
      return VERDICT_TTL.hostUnreachable;
    case ENETUNREACH:
      return VERDICT_TTL.netUnreachable;
    case EACCES:
      return VERDICT_TTL.adminProhibited;
    default:
      return 0;
  }
}
