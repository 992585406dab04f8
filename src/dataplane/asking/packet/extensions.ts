/**
 * Extension headers of IPv6 that may come before TCP or UDP. Pure, and without allocation.
 * @module
 */

const IPV6_HEADER = 40;
// A fragment is never whole here: conntrack has joined it, or we would not know its flow.
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
const MOST_EXTENSIONS = 8;

/** The header behind them. The object is used again for the next packet. */
export class Behind {
  /** IP's number of its protocol. */
  protocol = 0;
  /** The place at which it begins; it may be the packet's end. */
  at = 0;

  /**
   * Finds it in the packet that lies from `at` to `end`, at least an IPv6 header. False: the packet is cut,
   * or its destination is not the last one yet.
   */
  find(bytes: Uint8Array, at: number, end: number): boolean {
    this.at = at + IPV6_HEADER;
    this.protocol = bytes[at + 6];
    for (let i = 0; i < MOST_EXTENSIONS && isExtension(this.protocol); i++) {
      if (this.at + 8 > end) return false;
      if (this.protocol === ROUTING && bytes[this.at + 3] !== 0) return false;
      this.protocol = bytes[this.at];
      this.at += 8 * (bytes[this.at + 1] + 1);
    }
    return true;
  }
}

function isExtension(protocol: number): boolean {
  return protocol === HOP_BY_HOP || protocol === ROUTING || protocol === DESTINATION_OPTIONS;
}
