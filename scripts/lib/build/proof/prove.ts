/**
 * Shows that a product runs, before it gets its name.
 * @module
 */
import { megabytes, sha256 } from "../bytes.ts";
import { findEmulation } from "./emulation.ts";
import { PROJECT, VERSION } from "../project.ts";
import { giveUp, run, say } from "../run.ts";
import { HOST, type Target } from "../target.ts";

/** The directory into which products unpack when they are tried. */
const CACHE = `${PROJECT}/.cache/tproxy`;

/** Writes a product, shows that it runs (itself, and reading a config) and puts it in its place. */
export function finish(target: Target, path: string, product: Uint8Array): void {
  const unproved = `${path}.new`;
  const name = path.slice(PROJECT.length + 1);
  Deno.writeFileSync(unproved, product);
  Deno.chmodSync(unproved, 0o755);
  try {
    const version = prove(target, unproved);
    Deno.renameSync(unproved, path);
    say(`${name}: ${version}, ${megabytes(product.length)}, sha256 ${sha256(product)}`);
  } catch (error) {
    Deno.removeSync(unproved);
    throw error;
  }
}

/** Runs `--version` of a product. Returns its words, or the reason why this machine cannot run it. */
function prove(target: Target, path: string): string {
  const emulation = target === HOST ? [] : findEmulation(target);
  if (typeof emulation === "string") return `built, but not run: ${emulation}`;
  const version = tryProduct([...emulation, path, "--version"]);
  if (!(version.startsWith("tproxy") && version.includes(VERSION) && version.includes(target.arch))) {
    giveUp(`the product does not run: --version gave\n${version}`);
  }
  tryProduct([...emulation, path, "check", "/dev/null"]);
  return version;
}

function tryProduct([command, ...args]: readonly string[]): string {
  return run(command, args, { env: { TPROXY_CACHE_DIR: CACHE } }).trim();
}

/** Shows that what `deno compile` has made runs, and puts it in its place. */
export function finishCompiled(unproved: string): void {
  const version = tryProduct([unproved, "--version"]);
  if (!(version.startsWith("tproxy") && version.includes(VERSION))) {
    giveUp(`the product does not run: --version gave\n${version}`);
  }
  tryProduct([unproved, "check", "/dev/null"]);
  Deno.renameSync(unproved, `${PROJECT}/dist/tproxy`);
  say(`dist/tproxy: ${version}`);
}
