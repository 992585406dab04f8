/**
 * A machine whose process 1 is systemd: `install --boot systemd` in the first boot, and a second boot from
 * the same disk that comes up by itself.
 * @module
 */
import { PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { vmTest, type VmTestOptions } from "./support/scenario.ts";
import { fillSystemd, missingSystemd } from "./support/systemd.ts";
import { tryFirstBoot, trySecondBoot } from "./support/systemd_scenario.ts";

const IMAGE = new URL("../../.cache/vm/systemd.ext4", import.meta.url).pathname;
const obstacle = missingSystemd();
const MACHINE: VmTestOptions = {
  architecture: "amd64",
  modules: PRODUCT_MODULES,
  files: {
    [TPROXY]: productFile("amd64"),
    "etc/tproxy/tproxy.yaml": {
      text: "intercept: { interfaces: [r0], families: [ipv4] }\ntimeouts: { drain: 2s }\n",
    },
  },
  ...obstacle === undefined ? { fill: await fillSystemd() } : {},
  disk: { sizeMb: 500, image: IMAGE },
  init: "/lib/systemd/systemd",
  kernelArguments: ["printk.devkmsg=on", "systemd.show_status=0"],
  obstacle,
};

vmTest("systemd starts what install --boot has written, and keeps it running", MACHINE, tryFirstBoot);

vmTest("systemd starts the proxy by itself at the next boot", MACHINE, async (vm) => {
  try {
    await trySecondBoot(vm);
  } finally {
    await Deno.remove(IMAGE);
  }
});
