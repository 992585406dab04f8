/**
 * The program as bundles: one file for it, one for each kind of worker.
 * @module
 */
import { ENTRY, PROJECT } from "../project.ts";
import { giveUp, run } from "../run.ts";

/** All TypeScript files of a directory, sorted. */
function listSources(directory: string): string[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory ? listSources(path) : entry.name.endsWith(".ts") ? [path] : [];
  });
}

/** `new URL("./worker.ts", import.meta.url)`: how a module names another that it starts as a worker. */
const MODULE_URL = /new URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/** The modules that are started as workers: path by the text that names them. */
function findWorkers(): Map<string, string> {
  const workers = new Map<string, string>();
  for (const file of listSources(`${PROJECT}/src`)) {
    for (const [, specifier] of Deno.readTextFileSync(file).matchAll(MODULE_URL)) {
      const path = new URL(specifier, `file://${file}`).pathname;
      if ((workers.get(specifier) ?? path) !== path) {
        giveUp(`"${specifier}" in ${file} and elsewhere names two different modules`);
      }
      workers.set(specifier, path);
    }
  }
  return workers;
}

/**
 * "browser" chooses the plain modules of a package where it has them. With "deno" the package `yaml` comes as
 * CommonJS with parts of Node: a start takes 1.6 times the processor time. Minifying would save 1.8 MB of
 * memory beside that, and leave traces that nobody can read.
 */
const PLATFORM = "browser";

/**
 * Bundles the program and its workers into single files, all in one directory: content by file name.
 * `tproxy.js` is the program, `worker.js` what was worker.ts somewhere in src/.
 */
export function bundleProgram(): Map<string, string> {
  const workers = findWorkers();
  const names = new Map([[`${PROJECT}/${ENTRY}`, "tproxy.js"]]);
  for (const path of new Set(workers.values())) {
    const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.ts$/, ".js");
    if ([...names.values()].includes(name)) giveUp(`two modules that are started would be called ${name}`);
    names.set(path, name);
  }
  const bundles = new Map<string, string>();
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-build-" });
  try {
    for (const [path, name] of names) {
      const flags = ["--quiet", "--frozen-lockfile", "--platform", PLATFORM];
      run(Deno.execPath(), ["bundle", ...flags, "-o", `${directory}/${name}`, path]);
      // In the bundle, import.meta.url is the bundle's own: the worker lies beside it.
      const text = Deno.readTextFileSync(`${directory}/${name}`).replaceAll(MODULE_URL, (all, specifier) => {
        const worker = workers.get(specifier);
        return worker === undefined ? all : `new URL("./${names.get(worker)}", import.meta.url)`;
      });
      bundles.set(name, escapeNonAscii(text));
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  return bundles;
}

/**
 * Writes what is not ASCII as escapes of JavaScript. V8 keeps a source with one such character as two bytes a
 * character: 2 MB more for each process. They stand in string literals, templates and comments only, where an
 * escape means the same.
 */
function escapeNonAscii(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
