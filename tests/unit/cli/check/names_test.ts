import assert from "node:assert/strict";
import { reportNames } from "../../../../src/cli/check/names.ts";
import { loadText } from "../../../../src/config/load.ts";

Deno.test("reportNames() counts the names of each list, and shows where it was not understood", () => {
  const [first, second] = [Deno.makeTempFileSync(), Deno.makeTempFileSync()];
  try {
    Deno.writeTextFileSync(first, "0.0.0.0 a.example b.example\n/regexp/\na.example\n");
    Deno.writeTextFileSync(second, "||c.example^\n");
    const rules = `rules:
  - { action: block, domains-file: [${first}, ${second}] }
  - { action: block, ports: [80] }
  - { action: direct, domains-file: ${second} }`;
    assert.deepEqual(reportNames(loadText(rules, "f")), [
      `rules[0]: ${first}: 2 names (1 twice, 1 lines of another kind, first: line 2)`,
      `rules[0]: ${second}: 1 names`,
      `rules[2]: ${second}: 1 names`,
    ]);
  } finally {
    Deno.removeSync(first);
    Deno.removeSync(second);
  }
});
