/** Steps of `scripts/test`. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { planSteps } from "../../../scripts/lib/test/steps.ts";

Deno.test("planSteps() runs files of the laboratory again with the other admission and each kind of iptables", () => {
  const variants = (part: "all" | "lab") =>
    planSteps(part).filter(({ title }) => title.startsWith("laboratory")).map(({ env, otherwise }) => [
      env?.TPROXY_LAB_BACKEND ?? env?.TPROXY_LAB_ADMISSION,
      env?.TPROXY_BIN,
      otherwise?.env?.TPROXY_LAB_BACKEND ?? otherwise?.env?.TPROXY_LAB_ADMISSION,
    ]);
  // Of the product as of the source.
  const product = "dist/tproxy";
  assert.deepEqual(variants("all"), [
    [undefined, product, undefined],
    [undefined, product, undefined],
    ["early", product, "early"],
    ["iptables-nft", product, "iptables-nft"],
    ["iptables-legacy", product, "iptables-legacy"],
  ]);
  assert.deepEqual(variants("lab").map(([variant]) => variant), [
    undefined,
    undefined,
    "early",
    "iptables-nft",
    "iptables-legacy",
  ]);
  assert.equal(planSteps("lab", { filter: "x" }).length, 1);
});

Deno.test("planSteps() runs each file of the laboratory's tests once before those again", () => {
  const [sideBySide, measuring, ...again] = planSteps("lab").map(({ argv, sideBySide }) =>
    sideBySide ?? argv.filter((word) => word.endsWith("_test.ts"))
  );
  const all = readdirSync("tests/lab", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts")).map((name) => `tests/lab/${name}`);
  assert.deepEqual([...sideBySide, ...measuring].sort(), all.sort());
  assert.ok(again.flat().length >= 10);
  for (const file of again.flat()) assert.ok(all.includes(file), file);
});

Deno.test("planSteps() runs the unit tests of ffi/ on an emulated arm64 too, of 48-bit and of 39-bit addresses", () => {
  for (const part of ["unit", "all"] as const) {
    const emulated = planSteps(part).filter(({ argv }) => argv.some((word) => word.endsWith("emulated.ts")));
    assert.deepEqual(emulated.map(({ argv }) => argv.includes("39")), [false, true]);
    assert.ok(emulated.every(({ argv, countsTests }) => argv.at(-1) === "tests/unit/ffi" && countsTests));
  }
});
