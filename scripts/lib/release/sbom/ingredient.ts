/**
 * An ingredient of the product, as a bill of materials names it. Pure.
 * @module
 */

/** A piece of software inside the product. */
export interface Ingredient {
  readonly name: string;
  readonly version: string;
  /** Package URL without version: `pkg:npm/yaml`. */
  readonly purl: string;
  /** Qualifiers of the package URL: `arch=amd64`. */
  readonly qualifiers?: string;
  readonly type: "library" | "platform";
  /** SPDX expression; the one word `public-domain` is no licence of SPDX's list and stands as a name. */
  readonly license: string;
  readonly sha256?: string;
  readonly sha512?: string;
  readonly description?: string;
  /** Names of the ingredients that it needs. */
  readonly needs?: readonly string[];
}

/** The whole package URL, which names the ingredient in the bill. */
export function packageUrl({ purl, version, qualifiers }: Ingredient): string {
  const encoded = encodeURIComponent(version).replaceAll("%3A", ":");
  return `${purl}@${encoded}${qualifiers === undefined ? "" : `?${qualifiers}`}`;
}

/** Hexadecimal SHA-512 of npm's `sha512-…`; throws for another algorithm. */
export function fromIntegrity(integrity: string): string {
  const base64 = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity)?.[1];
  if (base64 === undefined) throw new Error(`Not a SHA-512 of npm: ${integrity}`);
  return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
