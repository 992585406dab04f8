/**
 * The list of outside parts and their hashes, scripts/lib/pins.txt.
 * @module
 */
import { PROJECT } from "../project.ts";

/** A package of Debian that the product was last made with. */
export interface DebianPin {
  readonly architecture: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const lines = Deno.readTextFileSync(`${PROJECT}/scripts/lib/pins.txt`).split("\n")
  .filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(" "));

/** The pins of Debian's packages. */
export const DEBIAN_PINS: readonly DebianPin[] = lines.filter(([kind]) => kind === "deb")
  .map(([, architecture, name, version, sha256]) => ({ architecture, name, version, sha256 }));

/** The version of each npm package that is pinned. */
export const NPM_PINS: ReadonlyMap<string, string> = new Map(
  lines.filter(([kind]) => kind === "npm").map(([, name, version]) => [name, version]),
);
