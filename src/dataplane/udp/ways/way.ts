/**
 * Ways: by which interface, with which mark and from which address the router sends a flow on. Flows of one
 * client endpoint that go the same way share an upstream socket. Pure.
 * @module
 */
import type { Answer } from "../../asking/answer.ts";
import { mixIp, mixWord } from "../../shared/addresses.ts";

/** The way of sessions that nobody was asked about. */
export const NO_WAY = 0;

/**
 * The number of an answer's way. The port does not count: NAT finds another one for a flow that asks again,
 * since our own socket's flow has the first. `seed`: nobody from outside may know it. `ownSource`: the socket
 * has the source that the answer names.
 */
export function wayOf(answer: Answer, seed: number, ownSource: boolean): number {
  const { words, sourceAt } = answer;
  let hash = mixWord(mixWord(seed, answer.oif), answer.mark);
  if (ownSource) hash = mixIp(hash, words, sourceAt);
  hash ^= hash >>> 16;
  return hash === NO_WAY ? 1 : hash;
}
