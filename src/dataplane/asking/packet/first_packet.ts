/**
 * First packets as the kernel logs them, brought back to what the client has sent. Pure, and without
 * allocation: whatever the bytes are, nothing beyond them is read, and nothing throws.
 * @module
 */
import { IPPROTO_TCP, IPPROTO_UDP } from "../../../../ffi/consts.ts";
import { QUESTION_PREFIX } from "../../../constants.ts";
import { CLIENT_TO_CLIENT_MARK } from "../../../marks.ts";
import { get16, put16 } from "./bytes.ts";
import { writeIpv4, writeIpv6 } from "./ends.ts";
import { Behind } from "./extensions.ts";
import type { LogMessage } from "./log_message.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type Question } from "../question.ts";
import { readTransport } from "./transport.ts";

/** Prefixes as numbers. */
const SQUEEZED_TCP = QUESTION_PREFIX.squeezed.charCodeAt(0);
const SQUEEZED_UDP = QUESTION_PREFIX.squeezedUdp.charCodeAt(0);
const UNTRACKED = QUESTION_PREFIX.untracked.charCodeAt(0);

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const NO_OPTIONS = 0x45;
/** The most that a message has room for: the length of a netlink attribute has 16 bits. */
const LONGEST_COPY = 0xffff - 4;
/** "Don't fragment", as a word in memory: the identification is 0. */
const DONT_FRAGMENT = 0x00400000;
/** The flags and the offset of a fragment, as a word in memory. */
const FLAGS = 0xffff0000 | 0;
/** "More fragments", and the offset. */
const FRAGMENT_BITS = 0x3fff;

const behind = new Behind();

/** Memory as bytes and as words. */
export interface Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
}

/**
 * Reads the packet of a message into a question, as far as the packet tells it, and writes its original
 * addresses back into it. IP options and extension headers are left out. False: it asks nothing.
 */
export function readFirstPacket(question: Question, { bytes, words }: Memory, log: LogMessage): boolean {
  const { payload: at, length } = log;
  if ((at & 3) !== 0 || length < IPV4_HEADER) return false;
  const { answer } = question;
  answer.clientToClient = (log.mark & CLIENT_TO_CLIENT_MARK) !== 0;
  answer.mark = log.mark & ~CLIENT_TO_CLIENT_MARK;
  answer.iif = log.iif;
  answer.oif = log.oif;
  answer.hardwareHigh = log.hardwareHigh;
  answer.hardwareLow = log.hardwareLow;
  question.bytes = bytes;
  question.isCut = length >= LONGEST_COPY;
  question.isUntracked = log.prefix === UNTRACKED;
  const version = bytes[at] >> 4;
  if (version === 4) return readIpv4(question, words, at, length, log.prefix);
  return version === 6 && length >= IPV6_HEADER && readIpv6(question, words, at, length);
}

function readIpv4(
  question: Question,
  words: Int32Array,
  at: number,
  length: number,
  prefix: number,
): boolean {
  const { bytes, answer, addresses } = question;
  const header = (bytes[at] & 15) * 4;
  const squeezedUdp = prefix === SQUEEZED_UDP;
  const total = squeezedUdp ? length : get16(bytes, at + 2);
  if (header < IPV4_HEADER || total < header || length < header) return false;
  const squeezedTcp = prefix === SQUEEZED_TCP;
  const protocol = squeezedUdp ? IPPROTO_UDP : bytes[at + 9];
  if (!squeezedTcp && !squeezedUdp && (get16(bytes, at + 6) & FRAGMENT_BITS) !== 0) {
    return false;
  }
  if (squeezedTcp && protocol !== IPPROTO_TCP) return false;
  const transport = at + header;
  const size = readTransport(question, protocol, transport, at + length, at + total, squeezedUdp);
  if (size < 0) return false;
  const ip = at >> 2;
  const tcp = transport >> 2;
  writeIpv4(answer.words, answer.sourceAt, words[ip + 3], words[tcp]);
  writeIpv4(answer.words, answer.destinationAt, words[ip + 4], words[tcp] >>> 16);
  answer.tos = bytes[at + 1];
  if (squeezedTcp) {
    words[ip + 3] = words[tcp + 2];
    words[ip + 4] = words[ip + 1];
    words[tcp] = words[tcp + 4];
    words[tcp + 2] = words[tcp + 4] = 0;
    words[ip + 1] = DONT_FRAGMENT;
  } else if (squeezedUdp) {
    words[ip + 3] = (words[ip] >>> 16) | (words[ip + 1] << 16);
    words[ip + 4] = words[ip + 2];
    words[tcp] = words[tcp + 1];
    words[ip + 1] &= FLAGS;
    words[ip + 2] = 0;
    bytes[at + 9] = IPPROTO_UDP;
  }
  question.ttl = squeezedUdp ? 0 : bytes[at + 8];
  writeIpv4(addresses, ASKED_CLIENT, words[ip + 3], words[tcp]);
  writeIpv4(addresses, ASKED_DESTINATION, words[ip + 4], words[tcp] >>> 16);
  if (protocol === IPPROTO_UDP) put16(bytes, transport + 4, size);
  const start = transport - IPV4_HEADER;
  if (start !== at) bytes.copyWithin(start, at, at + IPV4_HEADER);
  bytes[start] = NO_OPTIONS;
  const whole = IPV4_HEADER + size;
  put16(bytes, start + 2, whole);
  question.offset = start;
  question.header = IPV4_HEADER;
  question.length = whole;
  return true;
}

function readIpv6(question: Question, words: Int32Array, at: number, length: number): boolean {
  const { bytes, answer, addresses } = question;
  const end = at + length;
  const total = at + IPV6_HEADER + get16(bytes, at + 4);
  if (!behind.find(bytes, at, end)) return false;
  const { at: transport, protocol } = behind;
  const size = readTransport(question, protocol, transport, end, total, false);
  if (size < 0) return false;
  const ip = at >> 2;
  const ports = words[transport >> 2];
  writeIpv6(addresses, ASKED_CLIENT, words, ip + 2, ports);
  writeIpv6(addresses, ASKED_DESTINATION, words, ip + 6, ports >>> 16);
  // One that was translated is told twice: see translated.ts.
  writeIpv6(answer.words, answer.sourceAt, words, ip + 2, ports);
  writeIpv6(answer.words, answer.destinationAt, words, ip + 6, ports >>> 16);
  answer.tos = ((bytes[at] & 15) << 4) | (bytes[at + 1] >> 4);
  question.ttl = bytes[at + 7];
  if (protocol === IPPROTO_UDP) put16(bytes, transport + 4, size);
  const start = transport - IPV6_HEADER;
  if (start !== at) bytes.copyWithin(start, at, at + IPV6_HEADER);
  put16(bytes, start + 4, size);
  bytes[start + 6] = protocol;
  question.offset = start;
  question.header = IPV6_HEADER;
  question.length = IPV6_HEADER + size;
  return true;
}
