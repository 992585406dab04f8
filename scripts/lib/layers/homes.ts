/**
 * Packages and words of the program text that have one home. Pure.
 * @module
 */
import { errnoCode } from "../../../src/net/errno.ts";
import type { Breach } from "./breach.ts";
import type { Module } from "./graph.ts";
import { codeOf } from "./text.ts";

/** Packages and modules of Node.js, and the only places that may import each. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "yaml": ["src/config/"],
  "valibot": ["src/config/"],
  "@valibot/to-json-schema": ["src/config/"],
  "@optique/core": ["src/cli/"],
  "@optique/run": ["src/cli/"],
  "ipaddr.js": ["src/net/ip.ts"],
  // statfs(2), which Deno has nowhere else.
  "node:fs": ["src/doctor/machine/files.ts"],
};

/** The names of all errors of Linux. */
const ERRORS = Array.from({ length: 133 }, (_, index) => errnoCode(index + 1))
  .filter((code) => /^E/.test(code) && !code.includes(" ")).join("|");

/** Words of the program text and the only place for each. */
const WORDS: readonly { word: RegExp; name: string; home: string }[] = [
  { word: /\bDeno\.dlopen\b/, name: "Deno.dlopen", home: "ffi/libc.ts" },
  { word: /\bDeno\.Unsafe\w+/, name: "Deno.Unsafe*", home: "ffi/" },
  {
    word: /\b(?:mark|intercepted|clientSocket|serverSocket)\b\)?\s*(?:<<|>>>?|\*)|MARK_SHIFT/i,
    name: "arithmetic of the packet mark",
    home: "src/marks.ts",
  },
  {
    word: new RegExp(
      `\\b(?:${ERRORS})\\s*=\\s*-?\\d` +
        String.raw`|errno\)?\s*[!=]==?\s*-?[1-9]|\[[-\d\s,]+\]\.includes\(\S*errno\)`,
    ),
    name: "the number of an error",
    home: "src/net/errno.ts",
  },
];

/** Finds packages and words away from home. */
export function findStrangers(program: readonly Module[]): Breach[] {
  return program.flatMap((module) => [...checkPackages(module), ...checkWords(module)]);
}

function checkPackages({ path, imports }: Module): Breach[] {
  return imports.flatMap(({ target, package: npm }) => {
    const name = npm ?? (target.startsWith("node:") ? target : undefined);
    if (name === undefined) return [];
    const homes = PACKAGES[name];
    if (homes?.some((home) => covers(home, path))) return [];
    const where = homes === undefined ? "nothing may" : `only ${homes.join(" and ")} may`;
    return [{ path, text: `imports package ${name}, which ${where}` }];
  });
}

function checkWords({ path, text }: Module): Breach[] {
  const code = codeOf(text);
  return WORDS.filter(({ word, home }) => word.test(code) && !covers(home, path))
    .map(({ name, home }) => ({ path, text: `uses ${name}, which only ${home} may` }));
}

function covers(home: string, file: string): boolean {
  return home.endsWith("/") ? file.startsWith(home) : file === home;
}
