/**
 * Origin of this program.
 * @module
 */
import { VERSION } from "./version.ts";

/** Facts that scripts/build has written beside the program. */
export interface BuildInfo {
  readonly version: string;
  /** Of the sources, `-dirty` where they differed from it; "source" where the program was not built. */
  readonly commit: string;
  /** Of the processor, as `uname -m` names it. */
  readonly architecture: string;
}

/** Finds a file that scripts/build adds. */
function besideProgram(name: string): URL {
  return new URL(`./${name}`, import.meta.url);
}

/** Reads it; `readTextFile` may throw. */
export function readBuildInfo(readTextFile: (path: string) => string): BuildInfo {
  return { version: VERSION, commit: readCommit(readTextFile), architecture: Deno.build.arch };
}

function readCommit(readTextFile: (path: string) => string): string {
  try {
    const { commit } = JSON.parse(readTextFile(besideProgram("build.json").pathname));
    return typeof commit === "string" ? commit : "unknown";
  } catch {
    return "source";
  }
}

/** `tproxy 0.1.0 (commit 0123456789ab, x86_64)`. */
export function formatVersion({ version, commit, architecture }: BuildInfo): string {
  return `tproxy ${version} (${commit === "source" ? "from source" : `commit ${commit}`}, ${architecture})`;
}

/** The licences of all that is in the product; `undefined` where the program was not built. */
export function readLicenses(readTextFile: (path: string) => string): string | undefined {
  try {
    return readTextFile(besideProgram("licenses.txt").pathname);
  } catch {
    return undefined;
  }
}

/** Describes a program that was not built: its own licence, and the packages that Deno has brought for it. */
export function describeSource(readTextFile: (path: string) => string): string {
  const read = (name: string) => readTextFile(besideProgram(`../../${name}`).pathname);
  const packages = Object.values<string>(JSON.parse(read("deno.json")).imports);
  const list = packages.map((specifier) => `  ${specifier.replace(/^npm:/, "")}\n`).join("");
  return `tproxy ${VERSION} is under the MIT license. It runs from source, by Deno ${Deno.version.deno}, with packages that have
licenses of their own (in a product of scripts/build this command prints them all):

${list}
---- tproxy ----

${read("LICENSE").trim()}
`;
}
