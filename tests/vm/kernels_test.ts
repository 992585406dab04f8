/**
 * The single file on Debian's kernels, beside BusyBox and nothing else.
 * @module
 */
import assert from "node:assert/strict";
import { PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { vmTest } from "./support/scenario.ts";

for (const architecture of ["amd64", "arm64"] as const) {
  vmTest(`Debian's kernel, ${architecture}: self-test`, {
    architecture,
    modules: PRODUCT_MODULES,
    files: { [TPROXY]: productFile(architecture) },
  }, async (vm) => {
    const said = await vm.run("selftest", "tproxy selftest", { seconds: 300 });
    assert.match(said, /^(\d+) passed, 0 failed, 0 skipped$/m);
  });
}
