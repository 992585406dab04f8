/** Steps of `scripts/test`. */
import assert from "node:assert/strict";
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
    ["early", product, "early"],
    ["iptables-nft", product, "iptables-nft"],
    ["iptables-legacy", product, "iptables-legacy"],
  ]);
  assert.deepEqual(variants("lab").map(([variant]) => variant), [
    undefined,
    "early",
    "iptables-nft",
    "iptables-legacy",
  ]);
  assert.equal(planSteps("lab", { filter: "x" }).length, 1);
  const files = planSteps("lab").flatMap(({ argv }) => argv).filter((word) => word.endsWith(".ts"));
  assert.ok(files.length >= 10);
  for (const file of files) assert.ok(Deno.statSync(file).isFile);
});

Deno.test("planSteps() runs the unit tests of ffi/ on an emulated arm64 too, of 48-bit and of 39-bit addresses", () => {
  for (const part of ["unit", "all"] as const) {
    const emulated = planSteps(part).filter(({ argv }) => argv.some((word) => word.endsWith("emulated.ts")));
    assert.deepEqual(emulated.map(({ argv }) => argv.includes("39")), [false, true]);
    assert.ok(emulated.every(({ argv, countsTests }) => argv.at(-1) === "tests/unit/ffi" && countsTests));
  }
});
