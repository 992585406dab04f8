/**
 * Ingredients of a product of any form.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { compiledFiles } from "./compiled.ts";
import { type Layer, type LayerFile, makeLayer } from "../layer.ts";
import { describeBuild } from "./describe.ts";
import { NPM_PINS } from "../parts/pins.ts";
import { compileLauncher } from "./launcher.ts";
import { VERSION } from "../project.ts";
import { runtimeFiles } from "./runtime.ts";
import type { Target } from "../target.ts";

/** The launcher and the layers for one kind of processor. */
export interface Ingredients {
  readonly target: Target;
  /** An ELF program without payload. */
  readonly launcher: Uint8Array;
  readonly runtime: Layer;
  readonly program: Layer;
}

/**
 * The launcher and the two layers: the runtime, and the program with what Deno makes of it when it compiles
 * it. The program's own files are the same for every target.
 */
export function gatherIngredients(target: Target): Ingredients {
  const runtime = makeLayer("runtime", runtimeFiles(target), NPM_PINS.get(target.denoPackage)!);
  const code = [...bundleProgram()].map(([name, text]) => textFile(name, text));
  const program = makeLayer("program", [
    ...code,
    ...compiledFiles(target.arch, runtime, code),
    ...[...describeBuild(target)].map(([name, text]) => textFile(name, text)),
  ], VERSION);
  return { target, launcher: compileLauncher(target), runtime, program };
}

function textFile(name: string, text: string): LayerFile {
  return { name, mode: 0o644, content: new TextEncoder().encode(text) };
}
