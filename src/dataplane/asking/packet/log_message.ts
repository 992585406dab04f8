/**
 * NFLOG messages of the kernel (linux/netfilter/nfnetlink_log.h), read in place. Pure, and without
 * allocation: whatever the bytes are, nothing beyond them is read, and nothing throws.
 * @module
 */
import { NO_HARDWARE } from "../../../policy/flow.ts";
import { align, Attributes, MESSAGE_HEADER, messageSize, messageType } from "../../routes/attributes.ts";
import { get16, get32 } from "./bytes.ts";

const FAMILY_HEADER = 4; // struct nfgenmsg
/** NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET */
const PACKET = 0x400;

const NFULA_MARK = 2;
const NFULA_IFINDEX_INDEV = 4;
const NFULA_IFINDEX_OUTDEV = 5;
const NFULA_HWADDR = 8;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;
const NFULA_SEQ = 12;

/** sizeof(struct nfulnl_msg_packet_hw): a length of 16 bits, as many for nothing, 8 bytes. */
const HARDWARE = 12;
const MAC_LENGTH = 6;

/** A message. The object is used again for the next. */
export class LogMessage {
  /** The first character of the prefix, 0: this is no packet. */
  prefix = 0;
  /** The packet's mark, as a signed number. */
  mark = 0;
  /** Interfaces by number; 0: none. */
  iif = 0;
  oif = 0;
  /** The sender's hardware address, as policy/flow.ts has it. */
  hardwareHigh = NO_HARDWARE;
  hardwareLow = 0;
  /** The packet: where it begins, and the bytes of it that the kernel has copied. */
  payload = 0;
  length = 0;
  /** The kernel's number of the message in this group; -1: not told. */
  sequence = -1;
  readonly #attributes = new Attributes();

  /**
   * Reads the message at `at`. Returns where the next one begins, `end` or more: there is none. `bytes` need
   * not be a message.
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.prefix =
      this.mark =
      this.iif =
      this.oif =
      this.payload =
      this.length =
        0;
    this.sequence = -1;
    this.hardwareHigh = NO_HARDWARE;
    const size = messageSize(bytes, at, end);
    if (size === 0) return end;
    if (messageType(bytes, at) === PACKET) {
      this.#readAttributes(bytes, at + MESSAGE_HEADER + FAMILY_HEADER, at + size);
    }
    return at + align(size);
  }

  #readAttributes(bytes: Uint8Array, at: number, end: number): void {
    const attributes = this.#attributes;
    let prefix = 0;
    for (attributes.begin(bytes, at, end); attributes.next();) {
      const { type, value } = attributes;
      const length = attributes.valueEnd - value;
      if (type === NFULA_PAYLOAD) {
        this.payload = value;
        this.length = length;
      } else if (type === NFULA_HWADDR && length === HARDWARE && bytes[value + 1] === MAC_LENGTH) {
        this.hardwareHigh = get16(bytes, value + 4);
        this.hardwareLow = get32(bytes, value + 6);
      } else if (type === NFULA_PREFIX) {
        if (length > 0) prefix = bytes[value];
      } else if (length === 4) {
        if (type === NFULA_IFINDEX_INDEV) this.iif = get32(bytes, value);
        else if (type === NFULA_IFINDEX_OUTDEV) this.oif = get32(bytes, value);
        else if (type === NFULA_MARK) this.mark = get32(bytes, value);
        else if (type === NFULA_SEQ) this.sequence = get32(bytes, value);
      }
    }
    if (attributes.isWhole && this.length > 0) this.prefix = prefix;
  }
}
