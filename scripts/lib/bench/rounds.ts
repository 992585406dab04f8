/**
 * Rounds in which the contestants take turns.
 * @module
 */
import { print } from "../../../tests/laboratory/machine/print.ts";
import type { Contestant, Results, Sample, Suite, TurnOptions } from "./suite.ts";

/** Runs the rounds; tells each sample on standard error as it comes. */
export async function runRounds(
  suite: Suite,
  options: TurnOptions & { contestants: readonly Contestant[]; rounds: number },
): Promise<Results> {
  const { contestants, rounds, ...turn } = options;
  const results: Results = new Map(contestants.map(({ name }) => [name, []]));
  await suite.prepare?.();
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one, so that none always follows the same.
    for (let place = 0; place < contestants.length; place++) {
      const contestant = contestants[(round + place) % contestants.length];
      const sample = await suite.turn(contestant, turn);
      results.get(contestant.name)!.push(sample);
      print(`round ${round + 1}/${rounds} ${contestant.name.padEnd(23)} ${describe(suite, sample)}`);
    }
  }
  return results;
}

function describe({ headlines }: Suite, sample: Sample): string {
  return headlines.filter((measure) => sample[measure] !== undefined)
    .map((measure) => `${measure} ${formatShort(sample[measure]!)}`).join(", ");
}

function formatShort(value: number): string {
  return value >= 1000 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}
