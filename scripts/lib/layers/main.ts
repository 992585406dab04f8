/**
 * The layer check: `scripts/layers [DIRECTORY]`. Exit 1 with a line for each breach.
 * @module
 */
import { findWrongArrows } from "./arrows.ts";
import { formatBreach } from "./breach.ts";
import { findClauses, findWideComments } from "./comments.ts";
import { findCycles } from "./cycles.ts";
import { readDrawing } from "./drawing.ts";
import { listCode } from "./files.ts";
import { findCrowds, findStrays, findWrongMentions } from "./folders.ts";
import { readGraph } from "./graph.ts";
import { findStrangers } from "./homes.ts";
import { findImpurities } from "./purity.ts";

const root = Deno.realPathSync(Deno.args[0] ?? new URL("../../..", import.meta.url).pathname);
const files = listCode(root);
const texts = files.map((path) => ({ path, text: Deno.readTextFileSync(`${root}/${path}`) }));
const modules = await readGraph(root, files);
const program = modules.filter(({ path }) => !/^(tests|scripts)\//.test(path));
const readme = Deno.readTextFileSync(`${root}/src/README.md`);
const drawing = readDrawing(readme);

const breaches = [
  ...findStrays([...Deno.readDirSync(root)].map(({ name }) => name)),
  ...findCrowds(files),
  ...findWrongArrows(program, drawing),
  ...findWrongMentions("src/README.md", readme, files),
  ...findStrangers(program),
  ...findImpurities(modules),
  ...findCycles(modules),
  ...findClauses(texts),
  ...findWideComments(texts),
];
const verdict = breaches.length === 0
  ? `${modules.length} modules keep to the layers`
  : breaches.map(formatBreach).join("\n");
Deno.stdout.writeSync(new TextEncoder().encode(`${verdict}\n`));
Deno.exit(breaches.length === 0 ? 0 : 1);
