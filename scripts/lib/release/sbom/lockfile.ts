/**
 * The npm packages that are bundled into the program, from deno.lock. Pure.
 * @module
 */
import { fromIntegrity, type Ingredient } from "./ingredient.ts";

/** The part of deno.lock (version 5) that is used. */
interface Lockfile {
  readonly version: string;
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

/** Reads the packages of a lockfile; `licenseOf` tells the SPDX expression of each, from its package.json. */
export function readLockedPackages(
  lockfile: string,
  licenseOf: (name: string, version: string) => string,
): Ingredient[] {
  const { version, npm }: Lockfile = JSON.parse(lockfile);
  if (version !== "5") throw new Error(`deno.lock has version ${version}; only 5 is known`);
  return Object.entries(npm).map(([id, { integrity, dependencies = [] }]) => {
    const { name, version } = splitId(id);
    return {
      type: "library",
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}`,
      license: licenseOf(name, version),
      sha512: fromIntegrity(integrity),
      needs: dependencies.map((dependency) => splitId(dependency).name),
    };
  });
}

/**
 * Splits `@scope/name@1.2.3_peer@4` into name and version; in a list of dependencies the version may be
 * missing.
 */
function splitId(id: string): { name: string; version: string } {
  const [, name, version = ""] = /^(@?[^@]+)(?:@([^_]+))?/.exec(id)!;
  return { name, version };
}
