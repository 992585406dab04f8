/**
 * Flows of datagrams, and the names that a reader finds in them.
 * @module
 */
import assert from "node:assert/strict";
import { FoundName, MORE, NAME, NONE } from "../../../../src/sniff/found.ts";
import { QuicReader } from "../../../../src/sniff/quic/reader.ts";
import { textOf } from "../recordings.ts";

const reader = new QuicReader();
const found = new FoundName();

/** Results of the datagrams of a flow: a name, null for none, or MORE. */
export function readFlow(...datagrams: readonly Uint8Array[]): (string | null | typeof MORE)[] {
  reader.reset();
  return datagrams.map((datagram) => {
    const before = datagram.slice();
    const result = reader.datagram(datagram, datagram.length, found);
    assert.deepEqual(datagram, before, "the datagram goes on as it came");
    if (result === NAME) return textOf(found);
    assert.equal(found.length, 0);
    assert.ok(result === NONE || result === MORE, `${result}`);
    return result === NONE ? null : MORE;
  });
}

/** All orders of some things. */
export function ordersOf<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]];
  return things.flatMap((thing, i) => ordersOf(things.toSpliced(i, 1)).map((rest) => [thing, ...rest]));
}
