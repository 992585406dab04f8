/**
 * Struct sockaddr in memory of 32-bit words, each given by the word at which it begins. Pure, and without
 * allocation.
 * @module
 */
import { AF_INET } from "../../../ffi/consts.ts";
import { ADDRESS_WORDS } from "./columns.ts";

/** The place of one. */
export interface Place {
  readonly words: Int32Array;
  readonly at: number;
}

/** Copies one from one memory to another. */
export function copyAddress(from: Int32Array, at: number, to: Int32Array, place: number): void {
  for (let word = 0; word < ADDRESS_WORDS; word++) to[place + word] = from[at + word];
}

/** Tells whether two are of the same family, port and address. */
export function sameAddress(words: Int32Array, at: number, others: Int32Array, other = 0): boolean {
  if (words[at] !== others[other]) return false;
  if ((words[at] & 0xffff) === AF_INET) return words[at + 1] === others[other + 1];
  return words[at + 5] === others[other + 5] && words[at + 4] === others[other + 4] &&
    words[at + 3] === others[other + 3] && words[at + 2] === others[other + 2];
}

/** Mixes an address without its family and port into a hash. */
export function mixIp(hash: number, words: Int32Array, at: number): number {
  const isIpv4 = (words[at] & 0xffff) === AF_INET;
  const first = isIpv4 ? at + 1 : at + 2;
  const end = isIpv4 ? at + 2 : at + 6;
  for (let word = first; word < end; word++) hash = mixWord(hash, words[word]);
  return hash;
}

/** Mixes a word into a hash. */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
