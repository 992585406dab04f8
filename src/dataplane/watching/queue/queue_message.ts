/**
 * NFQUEUE messages of the kernel (linux/netfilter/nfnetlink_queue.h), read in place. Pure, and without
 * allocation: whatever the bytes are, nothing beyond them is read, and nothing throws.
 * @module
 */
import { get32 } from "../../asking/packet/bytes.ts";

const HEADER = 16; // struct nlmsghdr
const FAMILY_HEADER = 4; // struct nfgenmsg
const ATTRIBUTE_HEADER = 4;
/** NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET */
const PACKET = 0x300;
const TYPE_MASK = 0x3fff;

const NFQA_PACKET_HDR = 1;
const NFQA_MARK = 3;
const NFQA_IFINDEX_INDEV = 5;
const NFQA_PAYLOAD = 10;

/** A message. The object is used again for the next. */
export class QueueMessage {
  /** The number of the packet in its queue, signed. */
  id = 0;
  /** The packet's mark, as a signed number. */
  mark = 0;
  /** The interface by which it came, by number. */
  iif = 0;
  /** The packet: where it begins, and the bytes of it that the kernel has copied. */
  payload = 0;
  length = 0;

  /** Reads the message between the places. False: it tells of no packet. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.id =
      this.mark =
      this.iif =
      this.payload =
      this.length =
        0;
    if (at + HEADER > end) return false;
    const size = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    if (size < HEADER || at + size > end) return false;
    const type = bytes[at + 4] | (bytes[at + 5] << 8);
    return type === PACKET && this.#readAttributes(bytes, at + HEADER + FAMILY_HEADER, at + size);
  }

  #readAttributes(bytes: Uint8Array, from: number, end: number): boolean {
    let known = false;
    for (let at = from; at + ATTRIBUTE_HEADER <= end;) {
      const size = bytes[at] | (bytes[at + 1] << 8);
      if (size < ATTRIBUTE_HEADER || at + size > end) break;
      const value = at + ATTRIBUTE_HEADER;
      const length = size - ATTRIBUTE_HEADER;
      const type = (bytes[at + 2] | (bytes[at + 3] << 8)) & TYPE_MASK;
      if (type === NFQA_PAYLOAD) {
        this.payload = value;
        this.length = length;
      } else if (type === NFQA_PACKET_HDR && length >= 4) {
        this.id = get32(bytes, value);
        known = true;
      } else if (length === 4) {
        if (type === NFQA_MARK) this.mark = get32(bytes, value);
        else if (type === NFQA_IFINDEX_INDEV) this.iif = get32(bytes, value);
      }
      at += (size + 3) & ~3;
    }
    return known;
  }
}
