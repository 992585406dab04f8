/** Run by heap_test.ts: reads names as clients write them and asks a table, as often as its argument says. */
import { canonicalize } from "../../../../src/names/canonical.ts";
import { readList } from "../../../../src/names/list/read.ts";
import { NameTableBuilder } from "../../../../src/names/table/builder.ts";
import { NameTable } from "../../../../src/names/table/table.ts";
import { makeList, makeNames } from "../../../laboratory/names/lists.ts";
import { SEED } from "../support/sets.ts";

const builder = new NameTableBuilder(SEED);
readList(makeList(makeNames(20_000), "adblock"), "list", builder);
readList(new TextEncoder().encode("@@||good.example^"), "exceptions", builder);
const table = new NameTable(builder.build());
const names = [...makeNames(500).map((name) => `WWW.${name}.`), ...makeNames(500, 2), "10.0.0.1:80", "a..b"]
  .map((name) => new TextEncoder().encode(name));
const canonical = new Uint8Array(255);

function ask(times: number): number {
  let found = 0;
  for (let i = 0; i < times; i++) {
    const name = names[i % names.length];
    if (table.has(canonical, canonicalize(name, 0, name.length, canonical))) found++;
  }
  return found;
}

ask(100_000);
if (ask(names.length) < 500) throw new Error("The names of the list are not found");
ask(Number(Deno.args[0]));
Deno.stdout.writeSync(new TextEncoder().encode("ASKED\n"));
Deno.exit(0);
