/**
 * Writes down the tables of iptables-legacy of this network namespace, as the kernel hands them out.
 * `legacy.ts ipv4|ipv6`
 * @module
 */
import { systemFiles } from "../../../src/doctor/machine/files.ts";
import { readLegacyTables } from "../../../src/doctor/machine/legacy/read_tables.ts";
import { hexBytes } from "../../../src/net/hex.ts";

const LINE = 16;

for (const table of readLegacyTables(systemFiles(Deno.readTextFileSync))) {
  if (table.family !== Deno.args[0]) continue;
  const { entries, ...head } = table;
  const lines = Array.from(
    { length: Math.ceil(entries.length / LINE) },
    (_, line) => hexBytes(entries.subarray(line * LINE, (line + 1) * LINE), " "),
  );
  const text = `\n${JSON.stringify(head)}\n${lines.join("\n")}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
