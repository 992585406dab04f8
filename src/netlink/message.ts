/**
 * Netlink messages: the 16-byte header, several of them in a datagram, and the kernel's error message. Pure.
 * @module
 */
import { align, AttributeMap, LITTLE_ENDIAN } from "./attribute.ts";

/** sizeof(struct nlmsghdr), linux/netlink.h */
export const MESSAGE_HEADER_SIZE = 16;

// linux/netlink.h: message types
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

// linux/netlink.h: flags
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

// linux/netlink.h: enum nlmsgerr_attrs
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

/** One message. `body` is what follows the header: the family's own structure and its attributes. */
export interface NetlinkMessage {
  /** nlmsg_type. */
  readonly type: number;
  /** NLM_F_ bits. */
  readonly flags: number;
  /** Number of the request that it belongs to. */
  readonly sequence: number;
  /** 0 for the kernel; set by the kernel in answers to us. */
  readonly portId: number;
  /** Bytes behind struct nlmsghdr. */
  readonly body: Uint8Array;
}

/** A message to the kernel. REQUEST, ACK and DUMP flags and the sequence number are the connection's. */
export interface NetlinkRequest {
  /** nlmsg_type. */
  readonly type: number;
  /** NLM_F_ bits. */
  readonly flags?: number;
  /** Bytes behind struct nlmsghdr. */
  readonly body: Uint8Array;
}

/** Messages, one after another, as one datagram. */
export function encodeMessages(messages: readonly NetlinkMessage[]): Uint8Array {
  const sizes = messages.map((message) => MESSAGE_HEADER_SIZE + align(message.body.length));
  const datagram = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(datagram.buffer);
  let offset = 0;
  messages.forEach((message, index) => {
    view.setUint32(offset, MESSAGE_HEADER_SIZE + message.body.length, LITTLE_ENDIAN);
    view.setUint16(offset + 4, message.type, LITTLE_ENDIAN);
    view.setUint16(offset + 6, message.flags, LITTLE_ENDIAN);
    view.setUint32(offset + 8, message.sequence, LITTLE_ENDIAN);
    view.setUint32(offset + 12, message.portId, LITTLE_ENDIAN);
    datagram.set(message.body, offset + MESSAGE_HEADER_SIZE);
    offset += sizes[index];
  });
  return datagram;
}

/**
 * The messages of a datagram. The bodies are views into it. Throws a RangeError on lengths that do not add
 * up.
 */
export function decodeMessages(datagram: Uint8Array): NetlinkMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + MESSAGE_HEADER_SIZE <= datagram.length) {
    const length = view.getUint32(offset, LITTLE_ENDIAN);
    if (length < MESSAGE_HEADER_SIZE || offset + length > datagram.length) {
      throw new RangeError(`Cannot decode netlink message at byte ${offset}: its length is ${length}`);
    }
    messages.push({
      type: view.getUint16(offset + 4, LITTLE_ENDIAN),
      flags: view.getUint16(offset + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(offset + 8, LITTLE_ENDIAN),
      portId: view.getUint32(offset + 12, LITTLE_ENDIAN),
      body: datagram.subarray(offset + MESSAGE_HEADER_SIZE, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** Contents of an NLMSG_ERROR. */
export interface NetlinkAnswer {
  /** Positive; 0 is an acknowledgement. */
  readonly errno: number;
  /** The kernel's words (NLMSGERR_ATTR_MSG), or the empty string. */
  readonly text: string;
  /** Byte of the request, its header included, of which the kernel complains (NLMSGERR_ATTR_OFFS). */
  readonly offset?: number;
}

/**
 * Reads an NLMSG_ERROR, or an NLMSG_DONE that carries an error: `int error`, the request's header,
 * attributes.
 */
export function decodeAnswer(message: NetlinkMessage): NetlinkAnswer {
  const { body, flags } = message;
  if (body.length < 4) return { errno: 0, text: "" }; // an NLMSG_DONE of an old kernel
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const errno = Math.abs(view.getInt32(0, LITTLE_ENDIAN));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  let attributesAt = 4;
  if (message.type === NLMSG_ERROR) {
    if (body.length < 4 + MESSAGE_HEADER_SIZE) return { errno, text: "" };
    // The request is quoted whole, unless NETLINK_CAP_ACK cut it to its header.
    const quoted = Math.min(view.getUint32(4, LITTLE_ENDIAN), body.length);
    attributesAt += (flags & NLM_F_CAPPED) !== 0 ? MESSAGE_HEADER_SIZE : align(quoted);
  }
  const attributes = new AttributeMap(body.subarray(attributesAt));
  const offset = attributes.u32(NLMSGERR_ATTR_OFFS);
  const text = attributes.string(NLMSGERR_ATTR_MSG) ?? "";
  return { errno, text, ...(offset === undefined ? {} : { offset }) };
}
