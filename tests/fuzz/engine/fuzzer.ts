/**
 * A search for inputs that a parser does not bear. The same seed makes the same inputs.
 * @module
 */
import { Random } from "../../laboratory/proxy/policies.ts";
import type { Parser } from "../parser.ts";
import { type Material, mutate, randomBytes } from "./mutate.ts";
import { tryInput } from "./trial.ts";

/** Bytes of the longest input where the parser says nothing. */
const MOST_BYTES = 4096;
/** Inputs that are kept because they were something new. */
const MOST_KEPT = 1000;

/** See the module. */
export class Fuzzer {
  /** Inputs that have been tried. */
  executions = 0;
  readonly parser: Parser;
  readonly #random: Random;
  readonly #inputs: Uint8Array[];
  /** The first of them, which are tried as they are. */
  readonly #samples: number;
  readonly #known = new Set<string>();
  readonly #material: Material;

  constructor(parser: Parser, seed: number) {
    this.parser = parser;
    this.#random = new Random(seed);
    this.#inputs = [...parser.samples()];
    this.#samples = this.#inputs.length;
    const words = parser.words?.map((word) => new TextEncoder().encode(word));
    this.#material = {
      random: this.#random,
      most: parser.most ?? MOST_BYTES,
      others: this.#inputs,
      ...(words === undefined ? {} : { words }),
    };
  }

  /** The kinds of inputs that it has come to. */
  get kinds(): number {
    return this.#known.size;
  }

  /** Tries another input. Throws a Crash. */
  step(): void {
    if (this.executions < this.#samples) return void this.#try(this.#inputs[this.executions]);
    const input = this.#next();
    if (!this.#try(input)) return;
    if (this.#inputs.length < MOST_KEPT) this.#inputs.push(input);
  }

  /** True: it was something new. */
  #try(input: Uint8Array): boolean {
    this.executions++;
    const words = tryInput(this.parser, input);
    if (this.#known.has(words)) return false;
    this.#known.add(words);
    return true;
  }

  #next(): Uint8Array {
    const { parser } = this;
    const random = this.#random;
    if (random.below(50) === 0) return randomBytes(random, random.below(600));
    const invented = parser.invent !== undefined && random.below(2) === 0;
    if (invented) return parser.invent!(random).subarray(0, this.#material.most);
    // What is new is changed as often as all the rest.
    const recent = random.below(2) === 0 ? Math.min(this.#inputs.length, 20) : this.#inputs.length;
    const input = this.#inputs[this.#inputs.length - 1 - random.below(recent)];
    return mutate(input ?? new Uint8Array(0), this.#material);
  }
}
