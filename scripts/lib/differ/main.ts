/**
 * `scripts/differ`: random routers, one after another, with a proxy and without.
 * @module
 */
import { parseArgs } from "node:util";
import { nameFlow } from "../../../tests/laboratory/random/calls.ts";
import { drawRouter } from "../../../tests/laboratory/random/draw.ts";
import { nameDifference } from "../../../tests/laboratory/random/judge.ts";
import { describeRouter } from "../../../tests/laboratory/random/router.ts";
import { shrinkRouter, tryBoth, tryUntilSure } from "../../../tests/laboratory/random/trial.ts";

const USAGE = "Usage: scripts/differ MINUTES [--seed N] [--no-shrink]";

/** Tries seeds until the time is over. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const order = readWords(args);
  if (order === undefined) {
    say(USAGE);
    return 2;
  }
  const end = performance.now() + order.minutes * 60_000;
  let [seed, routers, differing, flows, passed] = [order.seed, 0, 0, 0, 0];
  for (; performance.now() < end; seed++) {
    const router = drawRouter(seed);
    const start = performance.now();
    const trial = await tryUntilSure(router).catch((error: Error) => {
      say(`seed ${seed}: ${error.message.slice(0, 600)}`);
    });
    routers++;
    if (trial === undefined) {
      differing++;
      continue;
    }
    flows += router.flows.length;
    passed += trial.through.passed;
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    say(
      `seed ${seed}: ${trial.differences.length} differences, ${trial.through.passed} passed the proxy, ${seconds} s`,
    );
    if (trial.differences.length === 0) continue;
    differing++;
    for (const difference of trial.differences) say(`  ${nameDifference(router, difference)}`);
    if (order.shrink) await tellSmallest(seed, trial.differences[0].subject);
  }
  say(
    `${routers} routers, ${flows} flows, ${passed} passed the proxy; ${differing} routers with differences`,
  );
  return differing > 0 || passed === 0 ? 1 : 0;
}

async function tellSmallest(seed: number, subject: string): Promise<void> {
  const smallest = await shrinkRouter(drawRouter(seed), subject);
  const { differences } = await tryBoth(smallest);
  const lines = [
    describeRouter(smallest),
    ...smallest.flows.map(nameFlow),
    ...differences.map((difference) => nameDifference(smallest, difference)),
  ];
  say(`  smallest with a difference of ${subject}:\n${lines.join("\n").replace(/^/gm, "    ")}`);
}

function readWords(args: string[]): { minutes: number; seed: number; shrink: boolean } | undefined {
  const options = { seed: { type: "string" }, "no-shrink": { type: "boolean", default: false } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const minutes = Number(positionals[0]);
    const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
    if (positionals.length !== 1 || !(minutes > 0) || !Number.isInteger(seed)) return undefined;
    return { minutes, seed, shrink: !values["no-shrink"] };
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
