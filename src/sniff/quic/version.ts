/**
 * Differences of QUIC version 1 (RFC 9001, 5.2) and 2 (RFC 9369, 3). Pure.
 * @module
 */

/** A version that can be read. */
export interface QuicVersion {
  readonly number: number;
  /** Type of an Initial, in place in the first byte. */
  readonly initial: number;
  readonly salt: Uint8Array;
  /** Of HKDF-Expand, for each secret that comes of an Initial's. */
  readonly clientInfo: Uint8Array;
  readonly keyInfo: Uint8Array;
  readonly ivInfo: Uint8Array;
  readonly headerInfo: Uint8Array;
}

/** The bits of the first byte that hold the type of a long header. */
export const TYPE_BITS = 0x30;

const VERSION_1: QuicVersion = {
  number: 1,
  initial: 0x00,
  salt: fromHex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
  clientInfo: expandInfo("client in", 32),
  keyInfo: expandInfo("quic key", 16),
  ivInfo: expandInfo("quic iv", 12),
  headerInfo: expandInfo("quic hp", 16),
};

const VERSION_2: QuicVersion = {
  number: 0x6b3343cf,
  initial: 0x10,
  salt: fromHex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
  clientInfo: expandInfo("client in", 32),
  keyInfo: expandInfo("quicv2 key", 16),
  ivInfo: expandInfo("quicv2 iv", 12),
  headerInfo: expandInfo("quicv2 hp", 16),
};

/** Finds the version whose number stands at `at`; null for any other. */
export function findVersion(bytes: Uint8Array, at: number): QuicVersion | null {
  const number = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  return number === VERSION_1.number ? VERSION_1 : number === VERSION_2.number ? VERSION_2 : null;
}

/** Builds what HKDF-Expand-Label (RFC 8446, 7.1) signs for up to 32 bytes, with the counter at the end. */
function expandInfo(label: string, length: number): Uint8Array {
  const text = new TextEncoder().encode(`tls13 ${label}`);
  return Uint8Array.of(0, length, text.length, ...text, 0, 1);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
