/**
 * The list of outside parts and their hashes, scripts/lib/pins.txt.
 * @module
 */
import { bringPinnedPackage, type DebianPackage, type DebianPin } from "../../debian.ts";
import { PROJECT } from "../project.ts";
import { giveUp } from "../run.ts";
import type { Target } from "../target.ts";

const lines = Deno.readTextFileSync(`${PROJECT}/scripts/lib/pins.txt`).split("\n")
  .filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(" "));

const DEBIAN_PINS: readonly DebianPin[] = lines.filter(([kind]) => kind === "deb")
  .map(([, architecture, name, version, sha256]) => ({ architecture, name, version, sha256 }));

/** The version of each npm package that is pinned. */
export const NPM_PINS: ReadonlyMap<string, string> = new Map(
  lines.filter(([kind]) => kind === "npm").map(([, name, version]) => [name, version]),
);

/** The hash of each of them, as the npm registry writes it: `sha512-…`. */
export const NPM_INTEGRITIES: ReadonlyMap<string, string> = new Map(
  lines.filter(([kind]) => kind === "npm").map(([, name, , integrity]) => [name, integrity]),
);

/** Brings a package of Debian for a target, unpacked. Ends the build if it cannot be had. */
export function bringDebianPackage(name: string, { debianArch }: Target): DebianPackage {
  const pin = DEBIAN_PINS.find((pin) => pin.name === name && pin.architecture === debianArch);
  if (pin === undefined) giveUp(`scripts/lib/pins.txt names no ${name} for ${debianArch}`);
  try {
    return bringPinnedPackage(pin);
  } catch (error) {
    giveUp((error as Error).message);
  }
}
