/**
 * What goes into a product, whatever its form.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { compiledFiles } from "./compiled.ts";
import { type Arch, type Layer, type LayerFile, makeLayer } from "./layer.ts";
import { VERSION } from "./project.ts";

/** The launcher and the layers for one kind of processor. */
export interface Ingredients {
  readonly arch: Arch;
  /** An ELF program without payload. */
  readonly launcher: Uint8Array;
  readonly runtime: Layer;
  readonly program: Layer;
}

/** The two layers: the runtime, and the program with what Deno makes of it when it compiles it. */
export function makeLayers(
  arch: Arch,
  runtimeFiles: readonly LayerFile[],
): Pick<Ingredients, "runtime" | "program"> {
  const runtime = makeLayer("runtime", runtimeFiles, Deno.version.deno);
  const encoder = new TextEncoder();
  const code = [...bundleProgram()].map(([name, text]) => ({
    name,
    mode: 0o644,
    content: encoder.encode(text),
  }));
  return {
    runtime,
    program: makeLayer("program", [...code, ...compiledFiles(arch, runtime, code)], VERSION),
  };
}
