/**
 * The program as bundles: one file for it, one for each kind of worker.
 * @module
 */
import { ENTRIES, PROJECT } from "../project.ts";
import { giveUp, run } from "../run.ts";

/** All TypeScript files of a directory, sorted. */
function listSources(directory: string): string[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory ? listSources(path) : entry.name.endsWith(".ts") ? [path] : [];
  });
}

/**
 * `new URL("./worker.ts", import.meta.url)`: how a module names another that it starts as a worker, or loads
 * as a file of its own.
 */
const MODULE_URL = /new URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/** The modules that become files of their own: path by the text that names them. */
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
 * CommonJS with parts of Node: a start takes 1.6 times the processor time.
 */
const PLATFORM = "browser";

/**
 * Bundles the program and its workers into single files, all in one directory: content by file name.
 * `tproxy.js` is the program, `worker.js` what was worker.ts somewhere in src/.
 */
export function bundleProgram(): Map<string, string> {
  const workers = findWorkers();
  const names = new Map<string, string>(
    Object.entries(ENTRIES).map(([name, path]) => [`${PROJECT}/${path}`, name]),
  );
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
      refuseNode(name, text);
      bundles.set(name, escapeNonAscii(withoutBlanks(text)));
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  return bundles;
}

/** Gives up where a bundle imports from Node's part of Deno: 100 modules more, 3 MB for each process. */
function refuseNode(name: string, text: string): void {
  const found = /^import .*"node:[^"]*".*/m.exec(text);
  if (found !== null) giveUp(`${name} loads a part of Node: ${found[0]}`);
}

/**
 * Takes comments and blanks out. A process holds its bundle twice, Deno's copy and V8's, and V8 a number for
 * each line of it as soon as an error has a trace: 2.5 MB less for the program, 0.4 for each worker. Names
 * stay, so traces can be read, and a place in a line is a column.
 */
function withoutBlanks(text: string): string {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-build-" });
  try {
    const path = `${directory}/bundle.js`;
    Deno.writeTextFileSync(path, text);
    const flags = ["--minify-whitespace", "--legal-comments=none", "--target=esnext", "--log-level=error"];
    return run(findEsbuild(), [...flags, path]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Finds the program that `deno bundle` has brought and started. By its flag, names would go as well. */
function findEsbuild(): string {
  const place = `${Deno.env.get("DENO_DIR")}/dl`;
  const found = [...Deno.readDirSync(place)].filter(({ name }) => name.startsWith("esbuild-"))
    .flatMap(({ name }) =>
      [...Deno.readDirSync(`${place}/${name}`)].map((file) => `${place}/${name}/${file.name}`)
    );
  if (found.length !== 1) {
    giveUp(`${place} has ${found.length} esbuilds: remove them all, Deno brings one again`);
  }
  return found[0];
}

/**
 * Writes what is not ASCII as escapes of JavaScript. V8 keeps a source with one such character as two bytes a
 * character: 2 MB more for each process. They stand in string literals, templates and comments only, where an
 * escape means the same.
 */
function escapeNonAscii(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
