/**
 * The bill of materials of one target, from the parts that the build has taken.
 * @module
 */
import { launcherPackages } from "../../build/ingredients/launcher.ts";
import { NPM_INTEGRITIES, NPM_PINS } from "../../build/parts/pins.ts";
import { PROJECT } from "../../build/project.ts";
import { runtimePackages } from "../../build/ingredients/runtime.ts";
import type { Target } from "../../build/target.ts";
import { formatBill, type Product } from "./cyclonedx.ts";
import { readLockedPackages } from "./lockfile.ts";
import { listRuntime } from "./runtime.ts";

/** Writes the bill. */
export function makeBill(target: Target, product: Omit<Product, "architecture">): string {
  const { arch, denoPackage: name } = target;
  const runtime = listRuntime({
    deno: { name, version: NPM_PINS.get(name)!, integrity: NPM_INTEGRITIES.get(name)! },
    v8: Deno.version.v8,
    debian: [...runtimePackages(target), ...launcherPackages(target)],
  });
  const bundled = readLockedPackages(Deno.readTextFileSync(`${PROJECT}/deno.lock`), licenseOf);
  return formatBill({ ...product, architecture: arch }, [...runtime, ...bundled]);
}

/** The licence that a bundled package names, from Deno's cache; throws if there is none. */
function licenseOf(name: string, version: string): string {
  const path = `${Deno.env.get("DENO_DIR")}/npm/registry.npmjs.org/${name}/${version}/package.json`;
  const { license } = JSON.parse(Deno.readTextFileSync(path));
  if (typeof license !== "string") throw new Error(`${path} names no licence`);
  return license;
}
