/**
 * Messages of DNS, as far as a question for addresses needs them: RFC 1035, without EDNS. Pure.
 * @module
 */
import type { Family, IpAddress } from "../../../net/ip.ts";

/** A question: one name, one family. */
export interface DnsQuestion {
  readonly id: number;
  /** In ASCII, without a dot at its end. */
  readonly name: string;
  readonly family: Family;
}

/** The part of an answer that matters. */
export type DnsAnswer =
  /** `ttl`: seconds; no addresses: the name has none of this family, or is none. */
  | { readonly kind: "addresses"; readonly addresses: readonly IpAddress[]; readonly ttl: number }
  /** Asks to be asked over TCP. */
  | { readonly kind: "truncated" }
  /** The server does not answer questions for names. `code`: RCODE. */
  | { readonly kind: "failed"; readonly code: number };

const HEADER = 12;
const TYPES = { ipv4: 1, ipv6: 28 } as const;
const LENGTHS = { ipv4: 4, ipv6: 16 } as const;
const CNAME = 5;
const INTERNET = 1;
const RECURSION_DESIRED = 0x0100;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RCODE = 0x000f;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;
const POINTER = 0xc0;
const LONGEST_LABEL = 63;
const LONGEST_NAME = 253;
/** A chain of aliases is not followed any further. */
const MOST_ALIASES = 16;
/** Records that are read: a message has room for thousands, and each could take as long as the whole. */
const MOST_RECORDS = 256;
/** Pointers of one name. A label may follow each, so that no honest name has more. */
const MOST_POINTERS = 127;
const MOST_ADDRESSES = 16;

/** Writes a question; null: the name cannot be asked for. */
export function encodeQuestion({ id, name, family }: DnsQuestion): Uint8Array<ArrayBuffer> | null {
  const labels = name.split(".");
  if (name.length > LONGEST_NAME || labels.some(({ length }) => length === 0 || length > LONGEST_LABEL)) {
    return null;
  }
  const bytes = new Uint8Array(HEADER + name.length + 2 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, RECURSION_DESIRED);
  view.setUint16(4, 1);
  let at = HEADER;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (let i = 0; i < label.length; i++) bytes[at++] = label.charCodeAt(i);
  }
  at++;
  view.setUint16(at, TYPES[family]);
  view.setUint16(at + 2, INTERNET);
  return bytes;
}

interface Reading {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** Place of its data. */
  readonly from: number;
  readonly length: number;
  readonly end: number;
}

/** Reads an answer; null: it is none to this question, or broken. */
export function decodeAnswer(bytes: Uint8Array, question: DnsQuestion): DnsAnswer | null {
  if (bytes.length < HEADER) return null;
  const reading = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  const { view } = reading;
  const flags = view.getUint16(2);
  if (view.getUint16(0) !== question.id || (flags & (RESPONSE | OPCODE)) !== RESPONSE) return null;
  if (view.getUint16(4) !== 1) return null;
  const asked = readName(reading, HEADER);
  if (asked === null || asked.name !== question.name.toLowerCase() || asked.end + 4 > bytes.length) {
    return null;
  }
  if (view.getUint16(asked.end) !== TYPES[question.family] || view.getUint16(asked.end + 2) !== INTERNET) {
    return null;
  }
  if ((flags & TRUNCATED) !== 0) return { kind: "truncated" };
  const code = flags & RCODE;
  if (code === NO_SUCH_NAME) return { kind: "addresses", addresses: [], ttl: 0 };
  if (code !== NO_ERROR) return { kind: "failed", code };
  const records = readRecords(reading, asked.end + 4, view.getUint16(6));
  return records === null ? null : collect(reading, records, question);
}

/** Follows the aliases from the name to its addresses. */
function collect(reading: Reading, records: readonly DnsRecord[], question: DnsQuestion): DnsAnswer | null {
  let name = question.name.toLowerCase();
  let ttl = Infinity;
  for (let aliases = 0; aliases < MOST_ALIASES; aliases++) {
    const own = records.filter((record) => record.name === name);
    const length = LENGTHS[question.family];
    const found = own.filter((record) => record.type === TYPES[question.family] && record.length === length);
    if (found.length > 0) {
      return {
        kind: "addresses",
        addresses: found.slice(0, MOST_ADDRESSES).map(({ from }) => ({
          family: question.family,
          bytes: reading.bytes.slice(from, from + length),
        })),
        ttl: found.reduce((least, record) => Math.min(least, record.ttl), ttl),
      };
    }
    const alias = own.find(({ type }) => type === CNAME);
    if (alias === undefined) break;
    const target = readName(reading, alias.from);
    if (target === null) return null;
    ttl = Math.min(ttl, alias.ttl);
    name = target.name;
  }
  return { kind: "addresses", addresses: [], ttl: 0 };
}

function readRecords(reading: Reading, from: number, count: number): DnsRecord[] | null {
  const records: DnsRecord[] = [];
  let at = from;
  for (let i = 0; i < count && i < MOST_RECORDS; i++) {
    const record = readRecord(reading, at);
    if (record === null) return null;
    records.push(record);
    at = record.end;
  }
  return records;
}

function readRecord(reading: Reading, at: number): DnsRecord | null {
  const { bytes, view } = reading;
  const owner = readName(reading, at);
  if (owner === null || owner.end + 10 > bytes.length) return null;
  const { name, end } = owner;
  const length = view.getUint16(end + 8);
  const from = end + 10;
  if (from + length > bytes.length) return null;
  const isInternet = view.getUint16(end + 2) === INTERNET;
  const ttl = view.getUint32(end + 4);
  // RFC 2181, 8: what has the highest bit is none.
  return {
    name,
    type: isInternet ? view.getUint16(end) : 0,
    ttl: ttl > 0x7fffffff ? 0 : ttl,
    from,
    length,
    end: from + length,
  };
}

/** Reads a name in small letters. `end`: where it ends in the place at which it began. */
function readName({ bytes, view }: Reading, from: number): { name: string; end: number } | null {
  const labels: string[] = [];
  let length = 0;
  let pointers = 0;
  let at = from;
  let end = -1;
  // Each pointer leads further to the front, so that none leads in a circle.
  let limit = from;
  for (;;) {
    if (at >= bytes.length) return null;
    const size = bytes[at];
    if ((size & POINTER) === POINTER) {
      if (at + 2 > bytes.length) return null;
      if (end < 0) end = at + 2;
      at = view.getUint16(at) & 0x3fff;
      if (at >= limit || ++pointers > MOST_POINTERS) return null;
      limit = at;
      continue;
    }
    if (size > LONGEST_LABEL || at + 1 + size > bytes.length) return null;
    at++;
    if (size === 0) return { name: labels.join("."), end: end < 0 ? at : end };
    length += size + 1;
    if (length > LONGEST_NAME + 1) return null;
    labels.push(String.fromCharCode(...bytes.subarray(at, at + size)).toLowerCase());
    at += size;
  }
}
