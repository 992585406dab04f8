/**
 * The thread that fuzzes: the parsers by turns, until the time is over.
 * @module
 */
import { keep } from "../../../tests/fuzz/corpus.ts";
import { Fuzzer } from "../../../tests/fuzz/engine/fuzzer.ts";
import { shrink } from "../../../tests/fuzz/engine/shrink.ts";
import { Crash } from "../../../tests/fuzz/engine/trial.ts";
import { kindOf, type Parser } from "../../../tests/fuzz/parser.ts";
import { PARSERS } from "../../../tests/fuzz/parsers.ts";
import { Beacon } from "./beacon.ts";

/** The task of the thread. */
export interface Order {
  readonly seed: number;
  readonly minutes: number;
  /** Parsers; none: all. */
  readonly names: readonly string[];
  readonly beacon: SharedArrayBuffer;
}

/** The end of the task. */
export interface Report {
  readonly lines: readonly string[];
  readonly crashes: number;
}

/** Milliseconds of a turn. */
const TURN_MS = 200;
/** Bytes of the process that would be a leak. */
const MOST_MEMORY = 1500 << 20;
/** Crashes of one parser that are kept. */
const MOST_CRASHES = 5;

/** A parser's part. */
interface Part {
  readonly fuzzer: Fuzzer;
  readonly crashes: Set<string>;
  milliseconds: number;
}

/** Goes on until the time is over, or all parsers have crashed too often. */
function fuzz({ seed, minutes, names, beacon }: Order): Report {
  const shown = new Beacon(beacon);
  const lines: string[] = [];
  const parts = PARSERS.flatMap((parser, number) =>
    names.length > 0 && !names.includes(parser.name) ? [] : [begin(show(parser, number, shown), seed)]
  );
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    for (const part of parts) takeTurn(part, lines);
    const { rss } = Deno.memoryUsage();
    if (rss > MOST_MEMORY) throw new Error(`the process has ${rss >> 20} MiB`);
  }
  for (const { fuzzer, milliseconds, crashes } of parts) {
    const { parser: { name }, executions, kinds } = fuzzer;
    const seconds = (milliseconds / 1000).toFixed(0);
    lines.push(`${name}: ${executions} inputs in ${seconds} s, ${kinds} kinds, ${crashes.size} crashes`);
  }
  return { lines, crashes: parts.reduce((sum, { crashes }) => sum + crashes.size, 0) };
}

function begin(parser: Parser, seed: number): Part {
  return { fuzzer: new Fuzzer(parser, seed), crashes: new Set(), milliseconds: 0 };
}

function takeTurn(part: Part, lines: string[]): void {
  const { fuzzer, crashes } = part;
  const begun = performance.now();
  try {
    while (performance.now() - begun < TURN_MS && crashes.size < MOST_CRASHES) fuzzer.step();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    const kind = kindOf(error.message);
    if (!crashes.has(kind)) {
      crashes.add(kind);
      const least = shrink(fuzzer.parser, error);
      lines.push(`${least.message.split("\n", 1)[0]}: ${keep(fuzzer.parser.name, least)}`);
      lines.push(String((error.cause as Error | undefined)?.stack).split("\n").slice(1, 5).join("\n"));
    }
  }
  part.milliseconds += performance.now() - begun;
}

/** The same parser, whose inputs the other thread sees. */
function show(parser: Parser, number: number, beacon: Beacon): Parser {
  return {
    ...parser,
    read(input) {
      beacon.show(number, input);
      return parser.read(input);
    },
  };
}

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(report: Report): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data }) => scope.postMessage(fuzz(data));
