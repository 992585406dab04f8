/**
 * Questions as the kernel has asked them (scripts/record questions), in memory as a worker has them.
 * @module
 */
import type { Memory } from "../../../../src/dataplane/asking/packet/first_packet.ts";

const FOLDER = new URL("../../../testdata/questions/", import.meta.url);

/** The datagrams of a recording. */
export function recorded(name: string): Uint8Array<ArrayBuffer>[] {
  const lines = Deno.readTextFileSync(new URL(`${name}.hex`, FOLDER)).trim().split("\n");
  return lines.map((line) => Uint8Array.from(line.match(/../g)!, (digits) => parseInt(digits, 16)));
}

/** Names of all recordings. */
export const RECORDINGS: readonly string[] = [
  "tcp4",
  "tcp4-options",
  "tcp4-marked",
  "tcp4-nat",
  "tcp6",
  "tcp6-nat",
  "udp4",
  "udp4-nat",
  "udp6-nat",
  "udp6-extension",
];

/** A datagram amid other memory, which begins at a multiple of 4. */
export function inMemory(datagram: Uint8Array, before = 64, behind = 64): Memory {
  const size = before + datagram.length + behind;
  const words = new Int32Array((size + 3) >> 2);
  const bytes = new Uint8Array(words.buffer).fill(0xee);
  bytes.set(datagram, before);
  return { bytes, words };
}
