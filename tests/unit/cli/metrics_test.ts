import assert from "node:assert/strict";
import { FAMILIES } from "../../../src/daemon/metrics/families.ts";
import { run } from "./fake_env.ts";

Deno.test("metrics says what is wrong with its words", async () => {
  assert.match((await run(["metrics", "write"])).stderr, /"write": it needs a FILE/);
  assert.match((await run(["metrics", "print", "x"])).stderr, /"print": only write has a FILE/);
  assert.equal((await run(["metrics", "write"])).code, 2);
});

Deno.test("metrics exits with 3 where no proxy answers, and where nobody can be asked", async () => {
  for (
    const [control, reason] of [["/nowhere/control.sock", /no proxy answers/], [
      "off",
      /control is off/,
    ]] as const
  ) {
    const files = { "/t.yaml": `control: ${control}` };
    const { code, stdout, stderr } = await run(["metrics", "-c", "/t.yaml"], { files });
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, reason);
  }
});

Deno.test("metrics dashboard prints a dashboard of which each query names metrics that exist, and leaves none out", async () => {
  const { code, stdout } = await run(["metrics", "dashboard"]);
  assert.equal(code, 0);
  const named = new Set(stdout.match(/\b(?:tproxy|process)_[a-z_]+\b/g));
  const families = new Set(FAMILIES.map(({ name, type }) => type === "histogram" ? `${name}_bucket` : name));
  assert.deepEqual([...named].filter((name) => !families.has(name)), []);
  assert.deepEqual([...families].filter((name) => !named.has(name)), []);
});
