/**
 * `scripts/build --check`: the same commit once more, in another directory and with caches of its own; are
 * its products those in dist/, byte for byte? Only what was brought from npm and Debian is not brought again.
 * @module
 */
import { sha256 } from "../bytes.ts";
import { exists } from "../disk.ts";
import type { BuildOptions } from "../options.ts";
import { imagePath, productPath, PROJECT } from "../project.ts";
import { giveUp, run, runAloud, say } from "../run.ts";
import { NPM_PINS } from "../parts/pins.ts";
import type { Target } from "../target.ts";

const PATHS: Readonly<Partial<Record<BuildOptions["forms"][number], (target: Target) => string>>> = {
  packed: productPath,
  image: imagePath,
};

/** Builds again and compares. Ends the build if a product differs, or is not there. */
export function checkBuild({ targets, forms }: BuildOptions): void {
  const git = ["-c", `safe.directory=${PROJECT}`, "-c", `safe.directory=${PROJECT}/.git`];
  if (run("git", [...git, "status", "--porcelain"]) !== "") {
    giveUp("the work tree differs from its commit; --check builds a commit again");
  }
  const products = targets.flatMap((target) => forms.flatMap((form) => PATHS[form]?.(target) ?? []));
  for (const path of products) if (!exists(path)) giveUp(`${path} is not there: build it first`);
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-second-build-" });
  try {
    run("git", [...git, "clone", "--quiet", "--no-local", PROJECT, `${directory}/again`]);
    Deno.mkdirSync(`${directory}/again/.cache`);
    for (const name of [`deno-${NPM_PINS.get("deno")}`, "debian"]) {
      Deno.symlinkSync(`${PROJECT}/.cache/${name}`, `${directory}/again/.cache/${name}`);
    }
    const choices = (option: string, words: readonly string[]) => words.map((word) => [option, word]);
    for (const target of choices("--target", targets.map(({ arch }) => arch))) {
      for (const form of choices("--form", forms)) {
        runAloud(`${directory}/again/scripts/build`, [...target, ...form]);
      }
    }
    for (const path of products) compare(path, path.replace(PROJECT, `${directory}/again`));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function compare(path: string, again: string): void {
  const name = path.slice(PROJECT.length + 1);
  const [first, second] = [path, again].map((file) => sha256(Deno.readFileSync(file)));
  if (first !== second) giveUp(`${name} is not the same when it is built again: ${first}, ${second}`);
  say(`${name}: built twice, the same bytes, sha256 ${first}`);
}
