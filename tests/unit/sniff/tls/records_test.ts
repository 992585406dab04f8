import assert from "node:assert/strict";
import { recorded } from "../recordings.ts";
import { assertEveryBorder, resultOf, wakesOf } from "../stream.ts";
import { entry, extension, hello, records, serverName } from "./hello.ts";

const NAMED = hello([extension(0x2a2a), serverName(entry("a.example")), extension(43, [2, 3, 4])]);

Deno.test("a hello is read from records of any sizes", () => {
  for (let first = 1; first < NAMED.length; first++) {
    assert.equal(resultOf(records(NAMED, first)), "a.example", `${first}`);
    for (let second = 1; first + second < NAMED.length; second++) {
      assert.equal(resultOf(records(NAMED, first, second)), "a.example", `${first}, ${second}`);
    }
  }
});

Deno.test("a hello in records of one byte each is read wherever the stream is cut", () => {
  const stream = records(NAMED, ...new Array(NAMED.length).fill(1));
  assert.equal(resultOf(stream), "a.example");
  assertEveryBorder(stream);
});

Deno.test("a hello that begins a longer record, or a flight, ends where it says", () => {
  const more = new Uint8Array([...NAMED, 11, 0, 0, 3, 0, 0, 0]);
  assert.equal(resultOf(records(more)), "a.example");
  assert.equal(resultOf(records(more, 3)), "a.example");
  assertEveryBorder(records(more, 3));
});

Deno.test("a recorded hello is read from records cut at every byte", () => {
  const [stream] = recorded("tls-firefox");
  const message = stream.subarray(5);
  for (let first = 1; first < message.length; first++) {
    assert.equal(resultOf(records(message, first)), "recorded.example", `${first}`);
  }
});

Deno.test("records that no client sends end the reading as soon as they are seen", () => {
  const stream = records(NAMED);
  const change = (at: number, ...bytes: number[]) => {
    const changed = stream.slice();
    changed.set(bytes, at);
    return changed;
  };
  assert.equal(resultOf(change(1, 2), 2), null, "version 2.x");
  assert.equal(resultOf(change(3, 0, 0), 5), null, "an empty record");
  assert.equal(resultOf(change(3, 0x40, 0x01), 5), null, "a record above 16384 bytes");
  assert.notEqual(resultOf(change(3, 0x40, 0x00), 5), null, "a record of 16384 bytes");
  assert.equal(resultOf(change(5, 2), 6), null, "a server's hello");
  const second = records(NAMED, 10);
  second[15] = 0x17;
  assert.equal(resultOf(second, 16), null, "another type in the second record");
  second[15] = 0x16;
  second.set([0, 0], 18);
  assert.equal(resultOf(second, 20), null, "an empty second record");
});

Deno.test("a hello that ends beyond 16 KiB of the stream has no name", () => {
  const fill = (length: number) =>
    hello([serverName(entry("a.example")), extension(21, new Uint8Array(length))]);
  const rest = 16384 - 5 - fill(0).length;
  assert.equal(resultOf(records(fill(rest))), "a.example");
  assert.equal(resultOf(records(fill(rest + 1)), 9), null, "known from its header");
  assert.equal(resultOf(records(fill(rest - 5), 1000)), "a.example");
  assert.equal(resultOf(records(fill(rest - 4), 1000)), null);
  assert.equal(resultOf(records(fill(rest + 100), 1, 1, 1)), null);
});

Deno.test("a header that says 16 MB asks for nothing", () => {
  assert.equal(resultOf(Uint8Array.of(0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff)), null);
});

Deno.test("the reader asks for what the hello needs at least", () => {
  assert.deepEqual(wakesOf(records(NAMED, 2)), [1, 9, 14, 5 + 5 + NAMED.length]);
});
