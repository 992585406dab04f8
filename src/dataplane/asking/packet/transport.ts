/**
 * The TCP and UDP headers of first packets. Pure, and without allocation: see first_packet.ts.
 * @module
 */
import { IPPROTO_TCP, IPPROTO_UDP } from "../../../../ffi/consts.ts";
import type { Question } from "../question.ts";
import { get16, get32 } from "./bytes.ts";

const TCP_HEADER = 20;
const UDP_HEADER = 8;
const TCP_FLAGS = 0x17; // ACK, RST, SYN, FIN
const TCP_SYN = 0x02;
const TCP_END = 0;
const TCP_NOTHING = 1;
const TCP_MSS = 2;

/**
 * Reads the header at `at`. `end`: of what the kernel has copied; `total`: of the packet. With `squeezed`,
 * fields of a UDP header hold something else. Returns the bytes of header and data that go on, -1: the packet
 * asks nothing.
 */
export function readTransport(
  question: Question,
  protocol: number,
  at: number,
  end: number,
  total: number,
  squeezed: boolean,
): number {
  question.protocol = protocol;
  question.answer.mss =
    question.sequence =
    question.data =
    question.dataLength =
      0;
  if (protocol === IPPROTO_TCP) return readTcp(question, at, Math.min(end, total));
  return protocol === IPPROTO_UDP ? readUdp(question, at, end, total, squeezed) : -1;
}

/** Data in a SYN (TCP Fast Open) do not go on: the client sends them again. */
function readTcp(question: Question, at: number, end: number): number {
  const { bytes } = question;
  if (at + TCP_HEADER > end) return -1;
  const size = (bytes[at + 12] >> 4) * 4;
  if (size < TCP_HEADER || at + size > end || (bytes[at + 13] & TCP_FLAGS) !== TCP_SYN) return -1;
  question.sequence = get32(bytes, at + 4);
  question.answer.mss = findMss(bytes, at + TCP_HEADER, at + size);
  return size;
}

/** Returns the MSS that the options tell, 0 for none. */
function findMss(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const kind = bytes[at];
    if (kind === TCP_END) return 0;
    const size = kind === TCP_NOTHING ? 1 : at + 1 < end ? bytes[at + 1] : 0;
    if (size < 1 || at + size > end || (size < 2 && kind !== TCP_NOTHING)) return 0;
    if (kind === TCP_MSS && size === 4) return get16(bytes, at + 2);
    at += size;
  }
  return 0;
}

function readUdp(question: Question, at: number, end: number, total: number, squeezed: boolean): number {
  const { bytes } = question;
  if (at + UDP_HEADER > end || (total > end && !question.isCut)) return -1;
  const size = squeezed ? total - at : get16(bytes, at + 4);
  if (size < UDP_HEADER || at + size > total) return -1;
  const copied = Math.min(size, end - at);
  question.data = at + UDP_HEADER;
  question.dataLength = copied - UDP_HEADER;
  return copied;
}
