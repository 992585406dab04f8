/**
 * The kernel's words besides a datagram (struct cmsghdr): its destination, its errors, how it came.
 * @module
 */
import assert from "node:assert/strict";
import { CMSGHDR_SIZE, SOCKADDR_SIZE } from "../../../ffi/layout.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import type { Parser } from "../parser.ts";

const CONTROL_SIZE = 128;
const batch = new ReceiveBatch(2, 64);
const names = new Int32Array(2 * SOCKADDR_SIZE / 4);
const control = (batch.put(0, names, new Uint8Array(0)) << 2) - CMSGHDR_SIZE;
/** The word of struct msghdr that tells how long they are: the kernel writes it. */
const LENGTH_WORD = findLengthWord();

/** A control message. */
function message(level: number, type: number, data: readonly number[]): number[] {
  const length = CMSGHDR_SIZE + data.length;
  const head = new Uint8Array(new Int32Array([length, 0, level, type]).buffer);
  return [...head, ...data, ...Array((8 - length % 8) % 8).fill(0)];
}

/** Control messages: IP_RECVORIGDSTADDR, IP_TOS, IP_RECVERR, IPV6_TCLASS, UDP_GRO. */
export const controlMessages: Parser = {
  name: "control-messages",
  most: CONTROL_SIZE,
  samples: () => [
    Uint8Array.from([
      ...message(0, 20, [2, 0, 0, 53, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
      ...message(0, 1, [0xb8]),
      ...message(17, 104, [0xd0, 4, 0, 0]),
    ]),
    Uint8Array.from([
      ...message(0, 11, [111, 0, 0, 0, 2, 3, 4, 0, 0, 5, 0, 0, 0, 0, 0, 0]),
      ...message(41, 67, [1]),
    ]),
  ],
  read(input) {
    batch.bytes.fill(0, control, control + CONTROL_SIZE);
    batch.bytes.set(input, control);
    batch.words[LENGTH_WORD] = input.length;
    batch.inspect(0);
    const { destination, errorOrigin, segmentSize, wasFragmented, tos } = batch;
    assert.ok(destination === -1 || (destination << 2) - control < CONTROL_SIZE, "a destination elsewhere");
    assert.ok(tos >= 0 && tos <= 255);
    return `${destination < 0} ${errorOrigin} ${segmentSize !== 0} ${wasFragmented}`;
  },
};

function findLengthWord(): number {
  const at = batch.words.indexOf(CONTROL_SIZE);
  if (at >= 0) return at;
  // It is written before the first call: with no socket behind it.
  batch.receive(-1, 0);
  return batch.words.indexOf(CONTROL_SIZE);
}
