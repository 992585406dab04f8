/**
 * The table at the end of a release. Pure.
 * @module
 */

/** Writes a line for each file: size, name, for whom it is. */
export function formatTable(files: ReadonlyMap<string, Uint8Array>): string {
  const names = [...files.keys()].sort();
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => {
    const bytes = files.get(name)!.length;
    const size = bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
    return `${size.padStart(9)}  ${name.padEnd(width)}  ${purposeOf(name)}\n`;
  }).join("");
}

const PURPOSES: readonly [RegExp, string][] = [
  [/\.deb$/, "Debian, Ubuntu, Raspberry Pi OS"],
  [/\.ipk$/, "OpenWrt up to 24.10 (opkg print-architecture tells the name)"],
  [/\.cdx\.json$/, "what is inside: bill of materials, CycloneDX"],
  [/^install\.sh$/, "brings the single file: sh install.sh"],
  [/^SHA256SUMS$/, "sha256sum -c --ignore-missing SHA256SUMS"],
  [/-image$/, "any Linux, mounted from the file itself where the kernel can"],
  [/-linux-/, "any Linux: the single file"],
];

function purposeOf(name: string): string {
  return PURPOSES.find(([pattern]) => pattern.test(name))?.[1] ?? "";
}
