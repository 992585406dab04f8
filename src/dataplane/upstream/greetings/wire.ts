/**
 * Addresses and ports of struct sockaddr as protocols write them, in network order. Pure, and without
 * allocation.
 * @module
 */
import { addressAt, addressLength } from "../../../../ffi/sockets/sockaddr.ts";

/** Writes the address to the bytes at `at`. Where it ends. */
export function writeAddress(bytes: Uint8Array, at: number, sockaddr: Uint8Array): number {
  const from = addressAt(sockaddr[0]);
  const length = addressLength(sockaddr[0]);
  for (let i = 0; i < length; i++) bytes[at + i] = sockaddr[from + i];
  return at + length;
}

/** Writes the port to the bytes at `at`. Where it ends. */
export function writePort(bytes: Uint8Array, at: number, sockaddr: Uint8Array): number {
  bytes[at] = sockaddr[2];
  bytes[at + 1] = sockaddr[3];
  return at + 2;
}
