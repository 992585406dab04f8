/**
 * The bill of materials of one architecture, from what lies in the work tree.
 * @module
 */
import { PROJECT } from "../../build/project.ts";
import type { Architecture } from "../builds.ts";
import { formatBill, type Product } from "./cyclonedx.ts";
import { readLockedPackages } from "./lockfile.ts";
import { parsePins } from "./pins.ts";
import { listRuntime } from "./runtime.ts";

/** Writes the bill. */
export function makeBill(architecture: Architecture, product: Omit<Product, "architecture">): string {
  const read = (path: string) => Deno.readTextFileSync(`${PROJECT}/${path}`);
  const runtime = listRuntime({
    ...parsePins(read("scripts/lib/pins.txt"), architecture),
    v8: Deno.version.v8,
  });
  const bundled = readLockedPackages(read("deno.lock"), licenseOf);
  return formatBill({ ...product, architecture }, [...runtime, ...bundled]);
}

/** The licence that a bundled package names, from Deno's cache; throws if there is none. */
function licenseOf(name: string, version: string): string {
  const path = `${Deno.env.get("DENO_DIR")}/npm/registry.npmjs.org/${name}/${version}/package.json`;
  const { license } = JSON.parse(Deno.readTextFileSync(path));
  if (typeof license !== "string") throw new Error(`${path} names no licence`);
  return license;
}
