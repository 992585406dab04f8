/**
 * The library's entries, as deno.json has them, their headers, and their examples as programs.
 * @module
 */
import { print } from "../machine/print.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const DENO = `${PROJECT}scripts/deno`;

/** With it a program finds the library by its name, wherever it is. */
const CONFIG = ["--config", `${PROJECT}deno.json`];

/** An entry of the library. */
export interface Entry {
  /** `@tproxy/tproxy/plan`. */
  readonly specifier: string;
  /** The comment at its top, without the comment's signs. */
  readonly header: string;
  /** The permissions with which it loads, as its header says. */
  readonly permissions: readonly string[];
  /** The program in its header. */
  readonly example: string;
}

/** Reads all entries. */
export function listEntries(): Entry[] {
  const { name, exports } = JSON.parse(Deno.readTextFileSync(`${PROJECT}deno.json`));
  return Object.entries(exports as Record<string, string>).map(([path, file]) => {
    const [comment = ""] = /^\/\*\*[\s\S]*?\*\//.exec(Deno.readTextFileSync(`${PROJECT}${file}`)) ?? [];
    const header = comment.split("\n").slice(1, -1).map((line) => line.replace(/^ \* ?/, "")).join("\n");
    return {
      specifier: `${name}${path.slice(1)}`,
      header,
      permissions: readPermissions(header, file),
      example: /^```ts.*\n([\s\S]*?)^```$/m.exec(header)?.[1] ?? "",
    };
  });
}

/** Gives one entry by its path in deno.json. */
export function entry(path: string): Entry {
  return listEntries().find(({ specifier }) => specifier.endsWith(`tproxy${path.slice(1)}`))!;
}

/** Gives the program in the comment of a function of the library. */
export function exampleOf(file: string, name: string): string {
  const text = Deno.readTextFileSync(`${PROJECT}${file}`);
  const comment = text.slice(0, text.indexOf(`export function ${name}(`)).split("/**").at(-1)!;
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, "")).join("\n");
  return /^```ts.*\n([\s\S]*?)^```$/m.exec(lines)?.[1] ?? "";
}

/** Reads the first sentence that begins with "Loads". */
function readPermissions(header: string, file: string): string[] {
  const sentence = /^Loads (without permissions|with `[^`]+`)/m.exec(header)?.[1];
  if (sentence === undefined) throw new Error(`${file}: the header names no permissions`);
  return [...sentence.matchAll(/--[a-z-]+/g)].map(([flag]) => flag);
}

/** The command line of a program of the library with these permissions; what is not granted is refused. */
export function libraryProgram(file: string, permissions: readonly string[]): string[] {
  return [DENO, "run", "--no-prompt", "--cached-only", "--no-check", ...CONFIG, ...permissions, file];
}

/** The command line that checks the types of programs. */
export function typeCheck(files: readonly string[]): string[] {
  return [DENO, "check", "--quiet", ...CONFIG, ...files];
}

/** A file of a program; removed with `using`. */
export function programFile(text: string): { readonly path: string } & Disposable {
  const path = Deno.makeTempFileSync({ prefix: "tproxy-example-", suffix: ".ts" });
  Deno.writeTextFileSync(path, text);
  return {
    path,
    [Symbol.dispose]() {
      try {
        Deno.removeSync(path);
      } catch (error) {
        print(`${path}: ${error}`);
      }
    },
  };
}
