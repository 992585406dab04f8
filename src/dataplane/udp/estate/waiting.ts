/**
 * Datagrams that wait, on their way to another process: as words, and back. Pure.
 * @module
 */
import { joinWords } from "../../handover/estate.ts";
import { ADDRESS_WORDS } from "../../shared/columns.ts";
import type { HeldDatagram } from "../flows/held.ts";

/** Places in the words of one; its client and its destination follow, then its bytes. */
const LENGTH = 0;
const TOS = 1;
const SEGMENT_SIZE = 2;
const ENDS = 3;
const BYTES = ENDS + 2 * ADDRESS_WORDS;

/** Packs datagrams, in their order. */
export function packWaiting(datagrams: readonly HeldDatagram[]): Int32Array {
  return joinWords(datagrams.map(({ words, bytes, tos, segmentSize }) => {
    const row = new Int32Array(BYTES + Math.ceil(bytes.length / 4));
    row[LENGTH] = bytes.length;
    row[TOS] = tos;
    row[SEGMENT_SIZE] = segmentSize;
    row.set(words, ENDS);
    new Uint8Array(row.buffer).set(bytes, 4 * BYTES);
    return row;
  }));
}

/** Unpacks them. */
export function unpackWaiting(rows: Int32Array): HeldDatagram[] {
  const datagrams: HeldDatagram[] = [];
  for (let at = 0; at + BYTES <= rows.length;) {
    const length = rows[at + LENGTH];
    datagrams.push({
      words: rows.slice(at + ENDS, at + BYTES),
      bytes: new Uint8Array(rows.buffer, rows.byteOffset + 4 * (at + BYTES), length).slice(),
      tos: rows[at + TOS],
      segmentSize: rows[at + SEGMENT_SIZE],
    });
    at += BYTES + Math.ceil(length / 4);
  }
  return datagrams;
}
