/** The fuzzer itself: it finds what is planted, makes it small, and does the same again. */
import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { OperationError } from "../../../src/net/error.ts";
import { Fuzzer } from "../../fuzz/engine/fuzzer.ts";
import { shrink } from "../../fuzz/engine/shrink.ts";
import { Crash, LONGEST_MS, tryInput } from "../../fuzz/engine/trial.ts";
import { orRefusal, type Parser } from "../../fuzz/parser.ts";

/** A list of texts, each behind its length in 16 bits: it believes the length. */
const gullible: Parser = {
  name: "gullible",
  samples: () => [Uint8Array.of(0, 2, 65, 66, 0, 1, 67)],
  read(input) {
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    let count = 0;
    for (let at = 0; at < input.length; count++) at += 2 + view.getUint16(at);
    return `${count}`;
  },
};

function findCrash(parser: Parser, seed: number): { crash: Crash; executions: number } {
  const fuzzer = new Fuzzer(parser, seed);
  for (let round = 0; round < 10_000; round++) {
    try {
      fuzzer.step();
    } catch (error) {
      assert.ok(error instanceof Crash);
      return { crash: error, executions: fuzzer.executions };
    }
  }
  throw new Error("nothing is found");
}

Deno.test("A fuzzer finds a length that is believed, with each seed its own way, always the same", () => {
  const first = findCrash(gullible, 1);
  assert.deepEqual(findCrash(gullible, 1), first);
  assert.notDeepEqual(findCrash(gullible, 2).crash.input, first.crash.input);
  assert.match(first.crash.message, /^gullible: RangeError: Offset is outside the bounds/);
});

Deno.test("shrink() leaves what the crash needs", () => {
  const { crash } = findCrash(gullible, 3);
  const least = shrink(gullible, crash);
  assert.equal(least.input.length, 1);
  assert.equal(least.message, crash.message);
});

Deno.test("An input that takes long is a crash, one that is refused is none", () => {
  const idle: Parser = {
    name: "idle",
    samples: () => [],
    read([wait]) {
      // By the processor's time: others may have it for as long.
      const before = cpuUsage();
      while (cpuUsage(before).user + cpuUsage(before).system < wait * 1000);
      return "";
    },
  };
  assert.equal(tryInput(idle, Uint8Array.of(1)), "");
  assert.throws(() => tryInput(idle, Uint8Array.of(2 * LONGEST_MS)), /^Crash: idle: takes \d+ ms$/);
  const refusal = new OperationError({ operation: "read", object: "list 7", reason: "it is none" });
  assert.equal(orRefusal(() => fail(refusal)), 'Cannot read "": it is none');
  assert.equal(orRefusal(() => fail(new RangeError("Cannot decode byte 12"))), "Cannot decode byte 0");
  assert.throws(() => orRefusal(() => fail(new RangeError("Invalid typed array length: -1"))));
  assert.throws(() => orRefusal(() => fail(new TypeError("Cannot read properties of undefined"))));
});

function fail(error: Error): never {
  throw error;
}
