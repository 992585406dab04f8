/**
 * Facts of a flow on which a decision rests. Pure.
 * @module
 */
import { MAX_NAME_LENGTH } from "../names/canonical.ts";

/** {@linkcode Flow.protocol}, by IP's own numbers. */
export const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;

/** {@linkcode Flow.hardwareHigh} of a client that has no hardware address. */
export const NO_HARDWARE = 0x10000;

/** {@linkcode Flow.inputInterface} and {@linkcode Flow.hardwareHigh} where nobody knows them. */
export const UNKNOWN = -1;

/**
 * A flow whose fate is asked. One object for each worker is filled in again and again, so that asking
 * allocates nothing.
 *
 * A socket tells neither the interface nor the hardware address of its client. They are {@linkcode UNKNOWN}
 * then, and a rule that asks for one is undecidable: neither a match nor none.
 */
export class Flow {
  /** One of {@linkcode PROTOCOL_NUMBERS}. */
  protocol = 0;
  /** IPv6; otherwise IPv4. */
  ipv6 = false;
  /**
   * The client's address: one word for IPv4, four for IPv6, the first bits of the address in the highest of
   * the first.
   */
  readonly client = new Int32Array(4);
  /** The original destination's address, in the same way. */
  readonly destination = new Int32Array(4);
  /** The original destination's port. */
  destinationPort = 0;
  /** Sent by the router itself: it came through no interface, and from no hardware address. */
  ofRouter = false;
  /** Number of the interface that it came through. */
  inputInterface: number = UNKNOWN;
  /** The client's hardware address: its first two bytes. */
  hardwareHigh: number = UNKNOWN;
  /** Its last four bytes. */
  hardwareLow = 0;
  /** The name that the client has asked for, in its canonical form. */
  readonly nameBytes = new Uint8Array(MAX_NAME_LENGTH);
  /** Its length; 0: none was found, or none was looked for. */
  nameLength = 0;
  /** The name was looked for. */
  nameAsked = false;
}

/** Writes an address (4 or 16 bytes in network order, from `offset` on) into the words of a flow. */
export function putAddress(words: Int32Array, bytes: Uint8Array, offset: number, ipv6: boolean): void {
  const count = ipv6 ? 4 : 1;
  for (let word = 0; word < count; word++) {
    const at = offset + word * 4;
    words[word] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
}

/** Sets the client's hardware address: 6 bytes. */
export function putHardwareAddress(flow: Flow, bytes: Uint8Array): void {
  flow.hardwareHigh = (bytes[0] << 8) | bytes[1];
  flow.hardwareLow = (bytes[2] << 24) | (bytes[3] << 16) | (bytes[4] << 8) | bytes[5];
}
