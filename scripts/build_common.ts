/**
 * What both ways of building share: the project, running programs, bundling.
 * @module
 */
import { createHash } from "node:crypto";

/** Absolute path of the project, without a slash at the end. */
export const PROJECT: string = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
/** The product. */
export const PRODUCT: string = `${PROJECT}/dist/tproxy`;
/** What is built, until it has shown that it runs. */
export const UNPROVED: string = `${PRODUCT}.new`;
/** Version of the program, from deno.json. */
export const VERSION: string = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)).version;
/** The executable of the program. */
export const ENTRY = "src/cli/entry.ts";

/** Writes a line for the one who builds. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

class BuildFailure extends Error {}

/** Ends the build with a reason. */
export function giveUp(reason: string): never {
  throw new BuildFailure(reason);
}

/** Runs a build; its failure is a line for people and exit code 1. */
export function runBuild(build: () => void): void {
  try {
    build();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    say(`scripts/build: ${error.message}`);
    run("rm", ["-f", UNPROVED]);
    Deno.exit(1);
  }
}

/** Runs a program in the project; its output goes through unless it is asked for. Ends the build if it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string> } = {},
): string {
  const result = new Deno.Command(command, {
    args: [...args],
    cwd: PROJECT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).outputSync();
  const text = new TextDecoder().decode(result.stdout);
  if (!result.success) {
    const errors = new TextDecoder().decode(result.stderr);
    giveUp(`${command} failed (exit ${result.code}): ${args.join(" ")}\n${text}${errors}`.trimEnd());
  }
  return text;
}

/** SHA-256 of some bytes, in hexadecimal. */
export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Size for reading: `32.4 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

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
export function findWorkers(): Map<string, string> {
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
 * "browser" chooses the plain modules of a package where it has them. With "deno" the package `yaml` comes as CommonJS
 * with parts of Node: a start takes 1.6 times the processor time. (Minifying gains nothing beside that.)
 */
const PLATFORM = "browser";

/**
 * Bundles the program and its workers into single files, all in one directory: content by file name. `tproxy.js` is
 * the program, `worker.js` what was worker.ts somewhere in src/.
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
      bundles.set(name, text);
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  return bundles;
}

/** Puts the finished product in its place and shows that it runs: itself, and reading a config. */
export function finish(): void {
  Deno.chmodSync(UNPROVED, 0o755);
  const version = tryProduct(UNPROVED, ["--version"]);
  if (!(version.startsWith("tproxy") && version.includes(VERSION))) {
    giveUp(`the product does not run: --version gave\n${version}`);
  }
  tryProduct(UNPROVED, ["check", "/dev/null"]);
  Deno.renameSync(UNPROVED, PRODUCT);
  const bytes = Deno.readFileSync(PRODUCT);
  say(`dist/tproxy: ${version}, ${megabytes(bytes.length)}, sha256 ${sha256(bytes)}`);
}

function tryProduct(path: string, args: readonly string[]): string {
  return run(path, args, { env: { TPROXY_CACHE_DIR: `${PROJECT}/.cache/tproxy` } }).trim();
}
