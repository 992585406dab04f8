/**
 * `scripts/build compile`: dist/tproxy with `deno compile`, for hosts with glibc. Needs Deno's base for such files,
 * denort, which the npm package does not hold: from $DENORT_BIN, from .cache, or downloaded by Deno from its own site.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { PROJECT, UNPROVED } from "./project.ts";
import { finish } from "./prove.ts";
import { giveUp, say } from "./run.ts";

/** Where Deno looks for its base. */
const zip = `${PROJECT}/.cache/deno/dl/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;

/** Makes dist/tproxy with `deno compile`. */
export function compileProduct(): void {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-compile-" });
  try {
    const bundles = bundleProgram();
    for (const [name, text] of bundles) Deno.writeTextFileSync(`${directory}/${name}`, text);
    const workers = [...bundles.keys()].filter((name) => name !== "tproxy.js").flatMap((
      name,
    ) => ["--include", name]);
    Deno.mkdirSync(`${PROJECT}/dist`, { recursive: true });
    say(`Base: ${Deno.env.get("DENORT_BIN") ?? zip}`);
    const flags = [
      "--quiet",
      "--allow-all",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--no-npm",
      "--no-remote",
    ];
    const compiled = new Deno.Command(Deno.execPath(), {
      args: ["compile", ...flags, ...workers, "--output", UNPROVED, "tproxy.js"],
      cwd: directory,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).outputSync();
    if (!compiled.success) {
      giveUp(`deno compile failed. If it could not download its base, put it at ${zip}
or name the unpacked denort in DENORT_BIN. \`scripts/build\` needs neither.`);
    }
    finish();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
