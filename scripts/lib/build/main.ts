/**
 * `scripts/build`, in one of its ways.
 * @module
 */
import { compileProduct } from "./compile.ts";
import { makeLayers } from "./forms.ts";
import { makeImage } from "./image.ts";
import { writeInstalled } from "./installed.ts";
import { compileLauncher } from "./launcher.ts";
import { makePacked } from "./packed.ts";
import { PROJECT, UNPROVED } from "./project.ts";
import { finish } from "./prove.ts";
import { runBuild } from "./run.ts";
import { runtimeFiles } from "./runtime.ts";

function makeForms(): void {
  Deno.mkdirSync(`${PROJECT}/dist`, { recursive: true });
  const arch = Deno.build.arch;
  const ingredients = { arch, launcher: compileLauncher(UNPROVED), ...makeLayers(arch, runtimeFiles()) };
  const form = Deno.args[1] ?? "packed";
  if (form === "installed" || form === "all") {
    writeInstalled(ingredients, `${PROJECT}/dist/installed-${arch}`);
  }
  if (form === "image" || form === "all") {
    Deno.writeFileSync(`${PROJECT}/dist/tproxy-${arch}-image`, makeImage(ingredients), { mode: 0o755 });
  }
  Deno.writeFileSync(UNPROVED, makePacked(ingredients));
  finish();
}

runBuild(Deno.args[0] === "compile" ? compileProduct : makeForms);
