/**
 * Ways: by which interface, with which mark and from which address the router sends a flow on. Flows of one
 * client endpoint that go the same way share an upstream socket. Pure.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import type { Answer } from "../../asking/answer.ts";

/** The way of sessions that nobody was asked about. */
export const NO_WAY = 0;

/**
 * The number of an answer's way. The port does not count: NAT finds another one for a flow that asks again,
 * since our own socket's flow has the first. `seed`: nobody from outside may know it. `ownSource`: the socket
 * has the source that the answer names.
 */
export function wayOf(answer: Answer, seed: number, ownSource: boolean): number {
  const { words, sourceAt } = answer;
  let hash = mix(mix(seed, answer.oif), answer.mark);
  if (ownSource) {
    const ipv4 = (words[sourceAt] & 0xffff) === AF_INET;
    const first = sourceAt + (ipv4 ? 1 : 2);
    for (let word = first; word < first + (ipv4 ? 1 : 4); word++) hash = mix(hash, words[word]);
  }
  hash ^= hash >>> 16;
  return hash === NO_WAY ? 1 : hash;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
