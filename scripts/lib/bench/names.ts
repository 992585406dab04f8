/**
 * `scripts/bench --names`: lists of names in each format and several sizes; how long they take to load, their
 * memory, and the time of a look-up.
 * @module
 */
import { parseArgs } from "node:util";
import { LIST_FORMATS, makeList, makeNames } from "../../../tests/laboratory/names/lists.ts";
import { bestOf, measureNames, type NameFigures } from "../../../tests/laboratory/names/measure.ts";

const USAGE = `Usage: scripts/bench --names [--rounds N]
  --rounds N    rounds of each list, the best of which counts (3)
Exit 1 if a target is missed.`;

/** Sizes of lists, and what each may cost at most. */
const SIZES: readonly { names: number; target: NameFigures }[] = [
  { names: 200_000, target: { load: 300, memory: 4e6, hit: 1, miss: 1 } },
  { names: 1_000_000, target: { load: 1000, memory: 20e6, hit: 1, miss: 1 } },
];
/** Names of each kind that are asked for. */
const ASKED = 20_000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  say(USAGE);
  Deno.exit(0);
}
say("| list | names | load | memory | look-up, found | look-up, not found |\n|---|---|---|---|---|---|");
let held = true;
for (const { names: count, target } of SIZES) {
  const names = makeNames(count);
  const encode = (name: string) => new TextEncoder().encode(name);
  const questions = {
    inside: names.filter((_, index) => index % (count / ASKED) === 0).map(encode),
    // Under an end that no list has: below a name of the list it would be in it.
    outside: makeNames(ASKED, 2).map((name) => encode(`${name}.test`)),
  };
  for (const format of Object.keys(LIST_FORMATS) as (keyof typeof LIST_FORMATS)[]) {
    const list = makeList(names, format);
    const rounds = Array.from({ length: Number(values.rounds) }, () => measureNames(list, questions));
    const best = bestOf(rounds);
    const { load, memory, hit, miss } = best;
    held &&= (Object.keys(target) as (keyof NameFigures)[]).every((key) => best[key] < target[key]);
    say(
      `| ${format} | ${count} | ${load.toFixed(0)} ms | ${(memory / 1e6).toFixed(1)} MB | ` +
        `${hit.toFixed(2)} µs | ${miss.toFixed(2)} µs |`,
    );
  }
}
say(held ? "Every target is held." : "A target is missed.");
Deno.exit(held ? 0 : 1);

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
