/**
 * `scripts/release`.
 * @module
 */
import { PROJECT, VERSION } from "../build/project.ts";
import { say } from "../build/run.ts";
import { build } from "./builds.ts";
import { readCommit, refusal } from "./commit.ts";
import { parseOptions, USAGE } from "./options.ts";
import { makeRelease } from "./release.ts";
import { formatTable } from "./table.ts";

const DIRECTORY = `${PROJECT}/dist/release`;

/** Makes dist/release; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    write(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  if (typeof options === "string") {
    say(`scripts/release: ${options}\n${USAGE.trimEnd()}`);
    return 2;
  }
  const commit = readCommit();
  const reason = refusal(commit, { version: VERSION, allowDirty: options.allowDirty });
  if (reason !== undefined) {
    say(`scripts/release: ${reason}`);
    return 1;
  }
  if (!options.keepBuild) build();
  const { url } = options;
  writeFiles(await makeRelease({ version: VERSION, commit, url }));
  const place = url ?? "URL";
  write(
    `\nOn a router: wget -O- ${place}/install.sh | ${url === undefined ? `TPROXY_URL=${place} ` : ""}sh\n`,
  );
  return 0;
}

/** Puts a whole release in the place of an older one, and shows it. */
function writeFiles(files: ReadonlyMap<string, Uint8Array>): void {
  const fresh = `${DIRECTORY}.new`;
  removeQuietly(fresh);
  Deno.mkdirSync(fresh, { recursive: true });
  for (const [name, bytes] of files) {
    Deno.writeFileSync(`${fresh}/${name}`, bytes);
    Deno.chmodSync(`${fresh}/${name}`, /-linux-[a-z0-9_]+(-image)?$|\.sh$/.test(name) ? 0o755 : 0o644);
  }
  removeQuietly(DIRECTORY);
  Deno.renameSync(fresh, DIRECTORY);
  write(`dist/release/\n${formatTable(files)}`);
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** Faults of the program keep their trace; what went wrong outside of it is a line. */
function report(error: unknown): number {
  const isFault = error instanceof TypeError || error instanceof RangeError ||
    error instanceof ReferenceError;
  if (!(error instanceof Error) || isFault) throw error;
  say(`scripts/release: ${error.message}`);
  return 1;
}

Deno.exit(await main(Deno.args).catch(report));
