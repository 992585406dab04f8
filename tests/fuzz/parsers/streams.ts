/**
 * First bytes of clients: TLS, HTTP and QUIC.
 * @module
 */
import assert from "node:assert/strict";
import { FoundName, MORE, NAME, NONE } from "../../../src/sniff/found.ts";
import { looksLikeInitial } from "../../../src/sniff/quic/header.ts";
import { QuicReader } from "../../../src/sniff/quic/reader.ts";
import { Random } from "../../laboratory/proxy/policies.ts";
import { crypto, packet } from "../../unit/sniff/quic/client.ts";
import { recorded, recordingsOf, textOf } from "../../unit/sniff/recordings.ts";
import { resultOf } from "../../unit/sniff/stream.ts";
import { records } from "../../unit/sniff/tls/hello.ts";
import { join, mutate } from "../engine/mutate.ts";
import type { Parser } from "../parser.ts";
import { bordersOf, joinParts, splitParts } from "./support/parts.ts";

const CANONICAL = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const MOST = 20_000;

const STREAMS = [...recordingsOf("tls"), ...recordingsOf("http")].map((name) => recorded(name)[0]);
const HELLOS = recordingsOf("tls").map((name) => recorded(name)[0].subarray(5));
const DATAGRAMS = recordingsOf("quic").map(recorded);

/** TLS and HTTP. */
export const stream: Parser = {
  name: "stream",
  most: MOST,
  samples: () => STREAMS,
  words: ["GET ", "CONNECT ", " HTTP/1.1\r\n", "\r\nHost: ", "\r\n\r\n", "\x16\x03\x01", "\x01\0", "\0\0\0"],
  invent: (random) => {
    const sizes = Array.from({ length: random.below(6) }, () => 1 + random.below(400));
    return records(mutate(random.one(HELLOS), { random, most: MOST }), ...sizes);
  },
  read(input) {
    let last: string | null | number = 1;
    let asked = 1;
    for (const length of [...bordersOf(input), input.length]) {
      const result = resultOf(input, length);
      if (typeof last !== "number") assert.equal(result, last, `at ${length} it says something else`);
      if (typeof result === "string") {
        assert.match(result, CANONICAL);
        assert.ok(length >= asked, `asked for ${asked}, answered at ${length}`);
      } else if (result !== null) {
        assert.ok(result <= 16384);
        asked = Math.max(asked, result);
      }
      last = result;
    }
    return typeof last === "string" ? `a name of ${last.length}` : last === null ? "none" : "more";
  },
};

/** QUIC: datagrams, each behind its length. */
export const quic: Parser = {
  name: "quic",
  most: MOST,
  samples: () => DATAGRAMS.map(joinParts),
  invent(random) {
    const hello = mutate(random.one(HELLOS), { random, most: MOST });
    return joinParts(wrap(hello, random));
  },
  read(input) {
    const datagrams = splitParts(input);
    const results = readDatagrams(datagrams, 0);
    assert.deepEqual(readDatagrams(datagrams, 0xff), results, "the reader has read past the end");
    for (const result of results) {
      if (typeof result === "string") assert.match(result, CANONICAL);
    }
    return [...new Set(results)].join(" ").slice(0, 40);
  },
};

/** Frames of a client that is almost one, in packets with right tags. */
function wrap(hello: Uint8Array, random: Random): Uint8Array[] {
  const version = random.one([1, 2] as const);
  const datagrams: Uint8Array[] = [];
  let at = 0;
  for (let number = 0; at < hello.length && number < 20; number++) {
    const end = at + 1 + random.below(1100);
    const frames = join([random.below(4) === 0 ? random.below(32) : 1], crypto(at, hello.subarray(at, end)));
    const text = random.below(2) === 0 ? frames : mutate(frames, { random, most: 1100 });
    const place = random.below(datagrams.length + 1);
    datagrams.splice(place, 0, packet(text, { version, number, numberSize: 2 }));
    at = end;
  }
  return datagrams;
}

/** Results of the datagrams, in memory that goes on with other bytes. */
function readDatagrams(datagrams: readonly Uint8Array[], filler: number): (string | number)[] {
  const reader = new QuicReader();
  const found = new FoundName();
  return datagrams.flatMap((datagram) => {
    const memory = new Uint8Array(datagram.length + 64).fill(filler);
    memory.set(datagram);
    const result = reader.datagram(memory, datagram.length, found);
    assert.ok(result === NAME || result === NONE || result === MORE);
    return [Number(looksLikeInitial(memory, datagram.length)), result === NAME ? textOf(found) : result];
  });
}
