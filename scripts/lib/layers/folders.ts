/**
 * Places of files: the top of the project, folders with too many, examples that a text names. Pure.
 * @module
 */
import type { Breach } from "./breach.ts";

/** Names that may stand at the top of the project; dot files are free. */
const TOP_LEVEL = [
  "deno.json",
  "deno.lock",
  "mod.ts",
  "src",
  "ffi",
  "tests",
  "scripts",
  "README.md",
  "LICENSE",
  "dist",
  "node_modules",
];

/** A picture of a folder has fewer floors than rooms: more files are two subjects. */
const MOST_FILES = 13;

/** Folders that may hold more, each with the reason. */
const LISTS: Readonly<Record<string, string>> = {
  "src/netlink/nft/expr": "a list: one file an expression of nf_tables",
  "src/cli/commands": "a list: one file a command",
  "src/doctor/checks": "a list: one file a check",
  "tests/unit/doctor/checks": "mirrors the list of checks",
  "ffi/launcher": "a program of its own, in C; launcher.h is its table of contents",
};

/** Finds names at the top of the project that do not belong there. */
export function findStrays(names: readonly string[]): Breach[] {
  return names.filter((name) => !name.startsWith(".") && !TOP_LEVEL.includes(name))
    .map((path) => ({ path, text: "does not belong at the top of the project" }));
}

/** Finds folders with too many files of code. A header counts with its C file. */
export function findCrowds(files: readonly string[]): Breach[] {
  const folders = Map.groupBy(
    files.filter((file) => !file.endsWith(".h")),
    (file) => file.slice(0, Math.max(file.lastIndexOf("/"), 0)),
  );
  // Tests mirror src.
  const isList = (folder: string) => folder.replace(/^tests\/unit\//, "src/") in LISTS;
  return [...folders].filter(([folder, { length }]) => length > MOST_FILES && !isList(folder))
    .map(([path, { length }]) => ({ path, text: `holds ${length} files of code, more than ${MOST_FILES}` }));
}

/**
 * Finds names of files in backticks that are neither in src/ nor in the project; a name that ends in "/" is a
 * folder.
 */
export function findWrongMentions(path: string, markdown: string, files: readonly string[]): Breach[] {
  const names = [...markdown.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, name]) => name);
  return names.filter((name) =>
    ![`src/${name}`, name].some((place) =>
      place.endsWith("/") ? files.some((file) => file.startsWith(place)) : files.includes(place)
    )
  ).map((name) => ({ path, text: `names ${name}, which does not exist` }));
}
