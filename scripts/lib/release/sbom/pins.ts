/**
 * What the runtime is made of, from the list that the build keeps to. Pure.
 * @module
 */
import type { Architecture } from "../builds.ts";
import { DEBIAN_ARCHITECTURE } from "../deb/control.ts";
import type { RuntimeParts } from "./runtime.ts";

/** Deno's npm package for each processor. */
const DENO = { x86_64: "@deno/linux-x64-glibc", aarch64: "@deno/linux-arm64-glibc" } as const;

/** Reads `npm NAME VERSION INTEGRITY` and `deb ARCHITECTURE NAME VERSION SHA-256`, one a line. */
export function parsePins(text: string, architecture: Architecture): Omit<RuntimeParts, "v8"> {
  const lines = text.split("\n").filter((line) => !line.startsWith("#")).map((line) => line.split(" "));
  const deno = lines.find(([kind, name]) => kind === "npm" && name === DENO[architecture]);
  if (deno === undefined) throw new Error(`The list of pins lacks ${DENO[architecture]}`);
  const debian = lines.filter(([kind, arch]) => kind === "deb" && arch === DEBIAN_ARCHITECTURE[architecture]);
  return {
    deno: { name: deno[1], version: deno[2], integrity: deno[3] },
    debian: debian.map(([, architecture, name, version, sha256]) => ({
      architecture,
      name,
      version,
      sha256,
    })),
  };
}
