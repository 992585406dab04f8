/**
 * Readers against bytes that are almost right, and against random ones: nothing throws, nothing runs away,
 * nothing behind the end is read. Every round has its number for a seed, so each can be repeated.
 * `TPROXY_FUZZ_SECONDS=600` goes on for so long.
 * @module
 */
import assert from "node:assert/strict";
import { FoundName, MORE, NAME, NONE } from "../../../src/sniff/found.ts";
import { looksLikeInitial } from "../../../src/sniff/quic/header.ts";
import { QuicReader } from "../../../src/sniff/quic/reader.ts";
import { Random } from "../../laboratory/proxy/policies.ts";
import { mutate, randomBytes } from "./mutate.ts";
import { crypto, packet } from "./quic/client.ts";
import { bytesOf, join, recorded, recordingsOf, textOf } from "./recordings.ts";
import { resultOf } from "./stream.ts";
import { records } from "./tls/hello.ts";

const SECONDS = Number(Deno.env.get("TPROXY_FUZZ_SECONDS") ?? 0);
const ROUNDS = 4000;
/** A round takes a millisecond; the machine may have other things to do. */
const LONGEST_MS = 5000;

const STREAMS = [...recordingsOf("tls"), ...recordingsOf("http")].map((name) => recorded(name)[0]);
const HELLOS = recordingsOf("tls").map((name) => recorded(name)[0].subarray(5));
const DATAGRAMS = recordingsOf("quic").map(recorded);

const CANONICAL = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

function inventStream(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return join([random.one([0x16, 0x47, 0x50, 0x80])], randomBytes(random, random.below(600)));
    case 1: {
      const sizes = Array.from({ length: random.below(6) }, () => 1 + random.below(400));
      return mutate(records(mutate(random.one(HELLOS), random), ...sizes), random);
    }
    default:
      return mutate(random.one(STREAMS), random);
  }
}

/** Frames of a client that is almost one, in packets with right tags, and datagrams that are almost right. */
function inventFlow(random: Random): Uint8Array[] {
  if (random.below(3) === 0) return random.one(DATAGRAMS).map((datagram) => mutate(datagram, random));
  if (random.below(10) === 0) return [randomBytes(random, 1200 + random.below(200))];
  const version = random.one([1, 2] as const);
  const hello = mutate(random.one(HELLOS), random);
  const flow: Uint8Array[] = [];
  let at = 0;
  for (let number = 0; at < hello.length && number < 20; number++) {
    const end = at + 1 + random.below(1100);
    const frames = join([random.below(4) === 0 ? random.below(32) : 1], crypto(at, hello.subarray(at, end)));
    const text = random.below(2) === 0 ? frames : mutate(frames, random);
    flow.splice(random.below(flow.length + 1), 0, packet(text, { version, number, numberSize: 2 }));
    at = end;
  }
  return flow;
}

/** Results of a flow, in memory that goes on with other bytes. */
function readFlow(flow: readonly Uint8Array[], filler: number): (string | number)[] {
  const reader = new QuicReader();
  const found = new FoundName();
  return flow.flatMap((datagram) => {
    const memory = new Uint8Array(datagram.length + 64).fill(filler);
    memory.set(datagram);
    const result = reader.datagram(memory, datagram.length, found);
    assert.ok(result === NAME || result === NONE || result === MORE);
    return [Number(looksLikeInitial(memory, datagram.length)), result === NAME ? textOf(found) : result];
  });
}

function fuzzStream(random: Random): void {
  const stream = inventStream(random);
  const lengths = Array.from({ length: 6 }, () => random.below(stream.length + 1)).sort((a, b) => a - b);
  let last: string | null | number = 1;
  let asked = 1;
  for (const length of [...lengths, stream.length]) {
    const result = resultOf(stream, length);
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
}

function fuzzFlow(random: Random): void {
  const flow = inventFlow(random);
  const results = readFlow(flow, 0);
  assert.deepEqual(readFlow(flow, 0xff), results, "the reader has read past the end");
  for (const result of results) {
    if (typeof result === "string") assert.match(result, CANONICAL);
  }
}

function fuzz(round: (random: Random) => void, seconds: number): void {
  const end = Date.now() + seconds * 1000;
  for (let seed = 1; seconds > 0 ? Date.now() < end : seed <= ROUNDS; seed++) {
    const begun = performance.now();
    try {
      round(new Random(seed));
    } catch (cause) {
      throw new Error(`round ${seed}`, { cause });
    }
    assert.ok(performance.now() - begun < LONGEST_MS, `round ${seed} takes long`);
  }
}

Deno.test("mutated and random streams do no harm", () => fuzz(fuzzStream, SECONDS / 2));

Deno.test("mutated and random datagrams do no harm", () => fuzz(fuzzFlow, SECONDS / 2));

Deno.test("mutations leave some hellos whole and break others", () => {
  const names = new Set<string | null | number>();
  for (let seed = 1; seed <= 300; seed++) names.add(resultOf(inventStream(new Random(seed))));
  assert.ok(names.has("recorded.example") && names.has(null));
  const flows = new Set(
    Array.from({ length: 300 }, (_, seed) => readFlow(inventFlow(new Random(seed)), 0).at(-1)),
  );
  assert.ok(flows.has("recorded.example") && flows.has(NONE) && flows.has(MORE));
  assert.equal(resultOf(bytesOf("")), 1);
});
