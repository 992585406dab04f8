import assert from "node:assert/strict";
import { readLegacyNames } from "../../../src/kernel/other_rules.ts";

Deno.test("readLegacyNames() reads the tables of both families; none where there is no such program", () => {
  const files: Record<string, string> = { "/proc/net/ip_tables_names": "nat\nfilter\n" };
  const read = (path: string) => {
    if (!(path in files)) throw new Deno.errors.NotFound();
    return files[path];
  };
  assert.equal(readLegacyNames(read), "nat\nfilter\n");
});

Deno.test("readLegacyNames() takes what may not be read for all that there could be", () => {
  const names = readLegacyNames(() => {
    throw new Deno.errors.PermissionDenied();
  });
  for (const table of ["nat", "mangle", "filter"]) assert.match(names, new RegExp(`^${table}$`, "m"));
});
