/**
 * `scripts/fuzz`: a watch over the thread that fuzzes, so that an input that never ends is known too.
 * @module
 */
import { Crash } from "../../../tests/fuzz/engine/trial.ts";
import { keep } from "../../../tests/fuzz/corpus.ts";
import { PARSERS } from "../../../tests/fuzz/parsers.ts";
import { Beacon } from "./beacon.ts";
import type { Order, Report } from "./worker.ts";

const USAGE = "Usage: scripts/fuzz [--seed N] [MINUTES [PARSER…]]\n       scripts/fuzz list\n";
/** Milliseconds after which an input counts as one that never ends. */
const HANGS_MS = 20_000;

/** Fuzzes, and says what came of it. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "list") {
    for (const { name } of PARSERS) say(name);
    return 0;
  }
  const order = readOrder(args);
  if (order === undefined) {
    say(USAGE.trimEnd());
    return 2;
  }
  say(
    `seed ${order.seed}: scripts/fuzz --seed ${order.seed} ${order.minutes} ${order.names.join(" ")}`
      .trimEnd(),
  );
  return await watchOver(order);
}

function readOrder(args: readonly string[]): Omit<Order, "beacon"> | undefined {
  const seeded = args[0] === "--seed";
  const [minutes = "1", ...names] = seeded ? args.slice(2) : args;
  const order = {
    seed: seeded ? Number(args[1]) : Date.now() % 1_000_000_007,
    minutes: Number(minutes),
    names,
  };
  const known = names.every((name) => PARSERS.some((parser) => parser.name === name));
  return known && order.minutes > 0 && Number.isInteger(order.seed) ? order : undefined;
}

function watchOver(order: Omit<Order, "beacon">): Promise<number> {
  const beacon = new Beacon();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    let [seen, since] = [-1, performance.now()];
    const timer = setInterval(() => {
      const { count } = beacon;
      if (count !== seen) [seen, since] = [count, performance.now()];
      else if (seen >= 0 && performance.now() - since > HANGS_MS) end(tellHang(beacon));
    }, 1000);
    function end(code: number): void {
      clearInterval(timer);
      worker.terminate();
      resolve(code);
    }
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      for (const line of data.lines) say(line);
      end(data.crashes > 0 ? 1 : 0);
    };
    worker.postMessage({ ...order, beacon: beacon.memory });
  });
}

function tellHang(beacon: Beacon): number {
  const { parser, input } = beacon;
  const { name } = PARSERS[parser];
  const file = keep(name, new Crash(name, input, "does not end"));
  say(`${name}: an input does not end: ${file}`);
  return 1;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
