import assert from "node:assert/strict";
import { parseBuildOptions } from "../../../../scripts/lib/build/options.ts";
import { HOST } from "../../../../scripts/lib/build/target.ts";

function parse(line: string) {
  const options = parseBuildOptions(line.split(" ").filter((word) => word !== ""));
  return options && [options.way, options.targets.map(({ arch }) => arch), options.forms];
}

Deno.test("parseBuildOptions() builds this machine's packed file unless told otherwise", () => {
  assert.deepEqual(parse(""), ["portable", [HOST.arch], ["packed"]]);
});

Deno.test("parseBuildOptions() takes one target or form, or all", () => {
  assert.deepEqual(parse("--target aarch64"), ["portable", ["aarch64"], ["packed"]]);
  assert.deepEqual(parse("--target=all --form installed"), [
    "portable",
    ["x86_64", "aarch64"],
    ["installed"],
  ]);
  assert.deepEqual(parse("--form all"), ["portable", [HOST.arch], ["packed", "image", "installed"]]);
});

Deno.test("parseBuildOptions() takes --check beside a target and a form", () => {
  assert.equal(parseBuildOptions(["--target", "all"])?.check, false);
  assert.equal(parseBuildOptions(["--target", "all", "--check"])?.check, true);
});

Deno.test("parseBuildOptions() refuses what cannot be built", () => {
  for (
    const line of [
      "--target riscv64",
      "--form",
      "--form zip",
      "--fast",
      "compile --form image",
      "compile --check",
    ]
  ) {
    assert.equal(parse(line), undefined, line);
  }
});
