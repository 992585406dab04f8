/**
 * NFQUEUE messages of the kernel (linux/netfilter/nfnetlink_queue.h), read in place. Pure, and without
 * allocation: whatever the bytes are, nothing beyond them is read, and nothing throws.
 * @module
 */
import { get32 } from "../../asking/packet/bytes.ts";
import { Attributes, MESSAGE_HEADER, messageSize, messageType } from "../../routes/attributes.ts";

const FAMILY_HEADER = 4; // struct nfgenmsg
/** NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET */
const PACKET = 0x300;

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
  readonly #attributes = new Attributes();

  /** Reads the message between the places. False: it tells of no packet. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.id =
      this.mark =
      this.iif =
      this.payload =
      this.length =
        0;
    const size = messageSize(bytes, at, end);
    return size > 0 && messageType(bytes, at) === PACKET &&
      this.#readAttributes(bytes, at + MESSAGE_HEADER + FAMILY_HEADER, at + size);
  }

  #readAttributes(bytes: Uint8Array, from: number, end: number): boolean {
    const attributes = this.#attributes;
    let known = false;
    for (attributes.begin(bytes, from, end); attributes.next();) {
      const { type, value } = attributes;
      const length = attributes.valueEnd - value;
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
    }
    return known;
  }
}
