/**
 * Parsers of bytes from outside: inputs that one of them once did not bear, and a moment of `scripts/fuzz`.
 * @module
 */
import assert from "node:assert/strict";
import { listParsers, readCorpus } from "../../fuzz/corpus.ts";
import { Fuzzer } from "../../fuzz/engine/fuzzer.ts";
import { tryInput } from "../../fuzz/engine/trial.ts";
import { PARSERS } from "../../fuzz/parsers.ts";

const SEED = 1;
/** Milliseconds for each parser. */
const MOMENT_MS = 400;
/** Kinds of inputs that the least talkative parsers come to in a moment. */
const FEWEST_KINDS = 3;
const MOST_CORPUS_BYTES = 500_000;

Deno.test("Every input of the corpus has its parser, and they are small", () => {
  const names = PARSERS.map(({ name }) => name);
  assert.deepEqual(listParsers().filter((name) => !names.includes(name)), []);
  const sizes = names.flatMap((name) => readCorpus(name).map(({ input }) => 2 * input.length));
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) < MOST_CORPUS_BYTES);
});

for (const parser of PARSERS) {
  const { name } = parser;

  Deno.test(`${name} bears what it once did not`, () => {
    for (const { file, input } of readCorpus(name)) {
      try {
        tryInput(parser, input);
      } catch (cause) {
        throw new Error(file, { cause });
      }
    }
  });

  Deno.test(`${name} bears whatever comes, for a moment`, () => {
    const fuzzer = new Fuzzer(parser, SEED);
    const end = performance.now() + MOMENT_MS;
    while (performance.now() < end) fuzzer.step();
    assert.ok(fuzzer.kinds >= FEWEST_KINDS, `${fuzzer.executions} inputs are of ${fuzzer.kinds} kinds alone`);
  });
}
