/**
 * IP addresses as bytes in network order, and their text forms. The only file that imports ipaddr.js.
 * @module
 */
import ipaddr from "ipaddr.js";

/** An address family, in the words of the config. */
export type Family = "ipv4" | "ipv6";

/** An IP address: 4 or 16 bytes in network order. */
export interface IpAddress {
  /** The family of the bytes. */
  readonly family: Family;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
}

/** An IP address with a TCP or UDP port. */
export interface Endpoint {
  /** The address. */
  readonly address: IpAddress;
  /** 0 to 65535. */
  readonly port: number;
}

/** A network: an address and the number of its leading bits that count. */
export interface Prefix {
  /** The address. */
  readonly address: IpAddress;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly length: number;
}

/** Form of IPv4: the library tells what is none by an exception, which takes 30 µs. */
const FOUR_PARTS = /^\d+(?:\.\d+){3}$/;

/**
 * Reads `192.0.2.1` (four decimal parts only) or `2001:db8::1`. `undefined` if the text is neither; zone ids
 * are refused.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (FOUR_PARTS.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return { family: "ipv4", bytes: Uint8Array.from(ipaddr.IPv4.parse(text).toByteArray()) };
  }
  // Any of IPv6 has two colons at least.
  if (text.indexOf(":") === text.lastIndexOf(":") || text.includes("%")) return undefined;
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  return { family: "ipv6", bytes: Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray()) };
}

/** The canonical text: dotted decimal, or RFC 5952. */
export function formatIp(address: IpAddress): string {
  if (address.family === "ipv4") return address.bytes.join(".");
  return (ipaddr.fromByteArray([...address.bytes]) as ipaddr.IPv6).toRFC5952String();
}

/**
 * Reads `10.0.0.0/8`, `fc00::/7`, or an address alone (its whole length). `undefined` if the text is neither.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.bytes.length * 8;
  if (slash < 0) return { address, length: bits };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > bits) return undefined;
  return { address, length: Number(digits) };
}

/** `10.0.0.0/8`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatIp(prefix.address)}/${prefix.length}`;
}

/** Reads `192.0.2.1:80` or `[2001:db8::1]:80`. `undefined` if the text is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const address = parseIp(match[1] ?? match[2] ?? "");
  const port = Number(match[3]);
  if (address === undefined || port > 65535) return undefined;
  if ((address.family === "ipv6") !== (match[1] !== undefined)) return undefined;
  return { address, port };
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const text = formatIp(endpoint.address);
  return endpoint.address.family === "ipv4" ? `${text}:${endpoint.port}` : `[${text}]:${endpoint.port}`;
}

/** Tells whether two addresses are the same. */
export function sameIp(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.bytes.every((byte, index) => byte === b.bytes[index]);
}

/** Tells whether it is an address of this host alone: 127.0.0.0/8, ::1. */
export function isLoopback({ family, bytes }: IpAddress): boolean {
  if (family === "ipv4") return bytes[0] === 127;
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

/** Tells whether it is an address of IPv6 that counts on its link alone: fe80::/10. */
export function isOfLinkAlone({ family, bytes }: IpAddress): boolean {
  return family === "ipv6" && bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
}
