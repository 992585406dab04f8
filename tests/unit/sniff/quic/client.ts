/**
 * A QUIC client made of Node.js's cryptography: packets around given frames.
 * @module
 */
import { createCipheriv, createHmac } from "node:crypto";
import { bytesOf, join } from "../recordings.ts";

/** Facts of a version, from RFC 9001 and RFC 9369 once more. */
const VERSIONS = {
  1: { number: 1, salt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", label: "quic ", types: [0, 1, 2, 3] },
  2: {
    number: 0x6b3343cf,
    salt: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    label: "quicv2 ",
    types: [1, 2, 3, 0],
  },
} as const;

/** A version by its name. */
export type Version = keyof typeof VERSIONS;
/** Types of long headers, in the order of version 1. */
export type PacketType = 0 | 1 | 2 | 3;

/** Parts of a packet that tests choose. */
export interface PacketParts {
  readonly version?: Version;
  readonly number?: number;
  /** Bytes of the packet number. */
  readonly numberSize?: number;
  readonly token?: Uint8Array;
  readonly source?: Uint8Array;
  readonly type?: PacketType;
  /** The connection id in the header, where that is not the one of the keys. */
  readonly destination?: Uint8Array;
  /** The datagram is filled to 1200 bytes with PADDING in this packet. */
  readonly padded?: boolean;
}

/** The connection id that clients of tests choose. */
export const ID = bytesOf("\x83\x94\xc8\xf0\x3e\x51\x57\x08");

/** The last bytes of a number. */
function bigEndian(value: number, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256);
}

/** An integer of variable length. */
export function varint(
  value: number,
  size = value < 64 ? 1 : value < 16384 ? 2 : 4,
): Uint8Array<ArrayBuffer> {
  const bytes = bigEndian(value, size);
  bytes[0] |= Math.log2(size) << 6;
  return bytes;
}

/** A CRYPTO frame. */
export function crypto(offset: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return join([6], varint(offset), varint(data.length), data);
}

/** Key, IV and header key of a client. */
function keysOf(version: Version, id: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const { salt, label } = VERSIONS[version];
  const hmac = (key: Uint8Array, data: Uint8Array) => createHmac("sha256", key).update(data).digest();
  const expand = (secret: Uint8Array, name: string, length: number) => {
    const text = `tls13 ${name}`;
    return hmac(secret, join([0, length, text.length], bytesOf(text), [0, 1])).subarray(0, length);
  };
  const secret = expand(hmac(Uint8Array.fromHex(salt), id), "client in", 32);
  return [
    expand(secret, `${label}key`, 16),
    expand(secret, `${label}iv`, 12),
    expand(secret, `${label}hp`, 16),
  ];
}

function nonceOf(iv: Uint8Array, number: number): Uint8Array {
  const padded = bigEndian(number, iv.length);
  return iv.map((byte, i) => byte ^ padded[i]);
}

/** A block enciphered with AES-128. */
export function encipher(key: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return join(cipher.update(block), cipher.final());
}

/** A packet around these frames. */
export function packet(frames: Uint8Array, parts: PacketParts = {}): Uint8Array<ArrayBuffer> {
  const { version = 1, number = 0, numberSize = 4, token = bytesOf(""), source = bytesOf(""), type = 0 } =
    parts;
  const { number: versionNumber, types } = VERSIONS[version];
  const destination = parts.destination ?? ID;
  const [key, iv, headerKey] = keysOf(version, ID);
  const truncated = bigEndian(number, numberSize);
  const start = join(
    [0xc0 | types[type] << 4 | numberSize - 1],
    bigEndian(versionNumber, 4),
    [destination.length],
    destination,
    [source.length],
    source,
    type === 0 ? join(varint(token.length), token) : [],
  );
  const missing = 1200 - start.length - 2 - numberSize - 16;
  const padded = parts.padded === false ? frames.length : Math.max(frames.length, missing);
  const text = join(frames, new Uint8Array(Math.max(padded, 4) - frames.length));
  const header = join(start, varint(numberSize + text.length + 16, 2), truncated);
  const cipher = createCipheriv("aes-128-gcm", key, nonceOf(iv, number)).setAAD(header);
  const sealed = join(header, cipher.update(text), cipher.final(), cipher.getAuthTag());
  const at = header.length - numberSize;
  const mask = encipher(headerKey, sealed.slice(at + 4, at + 20));
  sealed[0] ^= mask[0] & 0x0f;
  for (let i = 0; i < numberSize; i++) sealed[at + i] ^= mask[1 + i];
  return sealed;
}
