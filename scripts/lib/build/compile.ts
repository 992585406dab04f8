/**
 * `scripts/build compile`: dist/tproxy with `deno compile`, for hosts with glibc. Needs Deno's base for such
 * files, denort, which the npm package does not hold: from $DENORT_BIN, from .cache, or downloaded by Deno
 * from its own site.
 * @module
 */
import { bundleProgram } from "./ingredients/bundle.ts";
import { describeBuild } from "./ingredients/describe.ts";
import { PROJECT } from "./project.ts";
import { finishCompiled } from "./proof/prove.ts";
import { HOST } from "./target.ts";
import { giveUp, say } from "./run.ts";

/** The place where Deno looks for its base. */
const zip = `${PROJECT}/.cache/deno/dl/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;

/** Makes dist/tproxy with `deno compile`. */
export function compileProduct(): void {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-compile-" });
  try {
    const bundles = new Map([...bundleProgram(), ...describeBuild(HOST)]);
    for (const [name, text] of bundles) Deno.writeTextFileSync(`${directory}/${name}`, text);
    const workers = [...bundles.keys()].filter((name) => name !== "tproxy.js").flatMap((
      name,
    ) => ["--include", name]);
    Deno.mkdirSync(`${PROJECT}/dist`, { recursive: true });
    const output = `${PROJECT}/dist/tproxy.new`;
    say(`Base: ${Deno.env.get("DENORT_BIN") ?? zip}`);
    const flags = [
      "--quiet",
      "--allow-all",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--no-npm",
      "--no-remote",
      "--v8-flags=--expose-gc",
    ];
    const compiled = new Deno.Command(Deno.execPath(), {
      args: ["compile", ...flags, ...workers, "--output", output, "tproxy.js"],
      cwd: directory,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).outputSync();
    if (!compiled.success) {
      giveUp(`deno compile failed. If it could not download its base, put it at ${zip}
or name the unpacked denort in DENORT_BIN. \`scripts/build\` needs neither.`);
    }
    finishCompiled(output);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
