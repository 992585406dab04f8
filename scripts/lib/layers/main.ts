/**
 * The layer check: `scripts/deno run -A scripts/lib/layers/main.ts [DIRECTORY]`. Exit 1 with a line for each breach.
 * @module
 */
import { readGraph } from "./graph.ts";
import { findStrays, findViolations } from "./rules.ts";

const root = Deno.realPathSync(Deno.args[0] ?? new URL("../../..", import.meta.url).pathname);
const modules = await readGraph(root);
const breaches = [
  ...findStrays([...Deno.readDirSync(root)].map((entry) => entry.name)),
  ...findViolations(modules),
];
const verdict = breaches.length === 0 ? `${modules.length} modules keep to the layers` : breaches.join("\n");
Deno.stdout.writeSync(new TextEncoder().encode(`${verdict}\n`));
Deno.exit(breaches.length === 0 ? 0 : 1);
