/**
 * A talk with a proxy whose words are given: what is said, and what becomes of it.
 * @module
 */
import assert from "node:assert/strict";
import { makeSockaddr, writeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import type { Greeting, Target } from "../../../../../src/dataplane/upstream/greetings/greeting.ts";
import { parseEndpoint } from "../../../../../src/net/ip.ts";

const encoder = new TextEncoder();

/** `192.0.2.1:80` or `[2001:db8::1]:80` in C's layout. */
export function sockaddr(text: string): Uint8Array<ArrayBuffer> {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

/** A flow to there. */
export function target(
  destination: string,
  { name = null, client = "192.0.2.1:40000" }: { name?: string | null; client?: string } = {},
): Target {
  return { client: sockaddr(client), destination: sockaddr(destination), name };
}

/** Bytes in hexadecimal notation (spaces allowed), or ASCII text in double quotes, one after another. */
export function octets(...parts: string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith('"')
        ? [...encoder.encode(part.slice(1, -1))]
        : [...part.replaceAll(" ", "").matchAll(/../g)].map(([pair]) => Number.parseInt(pair, 16))
    ),
  );
}

/** The course of a talk. */
export interface Course {
  /** Messages that were said. */
  readonly said: Uint8Array[];
  /** 0 or the -errno of the end. */
  readonly error: number;
  readonly done: boolean;
  readonly blame: number;
  readonly refusal: string;
  /** Bytes of the proxy that nobody has taken: the destination's. */
  readonly rest: Uint8Array;
}

/**
 * Has a talk: the proxy's bytes come in pieces that end at `borders`, as a stage of the data plane would see
 * them, which takes no more than it is told.
 */
export function talk(
  greeting: Greeting,
  about: Target,
  answers: Uint8Array,
  borders: readonly number[] = [answers.length],
): Course {
  greeting.begin(about);
  const said: Uint8Array[] = [];
  let taken = 0;
  let error = 0;
  for (const border of [...borders, answers.length]) {
    for (;;) {
      const output = greeting.output;
      if (output.length > 0) {
        said.push(output.slice());
        // One byte first: a socket takes what it likes.
        greeting.sent(1);
        assert.equal(greeting.output.length, output.length - 1);
        greeting.sent(output.length - 1);
        continue;
      }
      if (error < 0 || greeting.done) break;
      const returned = greeting.input(answers.slice(taken, border), border - taken);
      assert.ok(returned <= border - taken, "takes more than there is");
      if (returned < 0) error = returned;
      if (returned <= 0) break;
      taken += returned;
    }
  }
  const { done, blame, refusal } = greeting;
  return { said, error, done, blame, refusal, rest: answers.slice(taken) };
}

/** Has the same talk with one border at each place, and byte by byte. Each must be like the first. */
export function talkAtEachBorder(greeting: Greeting, about: Target, answers: Uint8Array): Course {
  const whole = talk(greeting, about, answers);
  const single = Array.from(answers, (_, i) => i + 1);
  for (const borders of [...single.map((at) => [at]), single]) {
    assert.deepEqual(talk(greeting, about, answers, borders), whole, `borders ${borders}`);
  }
  return whole;
}

/** The ASCII text of bytes. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
