/**
 * ClientHellos built by hand.
 * @module
 */
import { bytesOf, join } from "../recordings.ts";

/** A number of two bytes. */
export function u16(value: number): number[] {
  return [value >> 8 & 255, value & 255];
}

/** Bytes after their number, of two bytes. */
export function sized(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = join(...parts);
  return join(u16(bytes.length), bytes);
}

/** An extension. */
export function extension(type: number, data: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  return join(u16(type), sized(data));
}

/** An entry of a list of server names. */
export function entry(name: string, type = 0): Uint8Array<ArrayBuffer> {
  return join([type], sized(bytesOf(name)));
}

/** The extension server_name. */
export function serverName(...entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return extension(0, sized(...entries));
}

/** Parts of a hello that tests change. */
export interface HelloParts {
  readonly version?: number;
  readonly sessionId?: number;
  readonly suites?: number;
  readonly compressions?: number;
  readonly type?: number;
  /** Added to the length of the extensions. */
  readonly lie?: number;
}

/** A ClientHello with these extensions. */
export function hello(extensions: readonly Uint8Array[], parts: HelloParts = {}): Uint8Array<ArrayBuffer> {
  const { version = 3, sessionId = 32, suites = 4, compressions = 1, type = 1, lie = 0 } = parts;
  const list = join(...extensions);
  const body = join(
    [version, 3],
    new Uint8Array(32).fill(7),
    [sessionId],
    new Uint8Array(sessionId),
    sized(new Uint8Array(suites)),
    [compressions],
    new Uint8Array(compressions),
    u16(list.length + lie),
    list,
  );
  return join([type, body.length >> 16, ...u16(body.length)], body);
}

/** Handshake bytes in records of these sizes; the last has the rest. */
export function records(bytes: Uint8Array, ...sizes: readonly number[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) parts.push(bytes.subarray(at));
  return join(...parts.flatMap((part) => [[0x16, 3, 1], sized(part)]));
}
