/**
 * Shows that the product runs.
 * @module
 */
import { megabytes, sha256 } from "./bytes.ts";
import { PRODUCT, PROJECT, UNPROVED, VERSION } from "./project.ts";
import { giveUp, run, say } from "./run.ts";

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
