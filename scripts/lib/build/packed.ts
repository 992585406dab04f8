/**
 * `scripts/build`: launcher, layer with the runtime, layer with the program, index and trailer in one file.
 * @module
 */
import { bundleProgram } from "./bundle.ts";
import { writeAll } from "./bytes.ts";
import { compileLauncher } from "./launcher.ts";
import { type LayerFile, makeLayer } from "./layer.ts";
import { makeIndex } from "./payload.ts";
import { PROJECT, UNPROVED, VERSION } from "./project.ts";
import { finish } from "./prove.ts";
import { runtimeFiles } from "./runtime.ts";

function programFiles(): LayerFile[] {
  const encoder = new TextEncoder();
  return [...bundleProgram()].map(([name, text]) => ({ name, mode: 0o644, content: encoder.encode(text) }));
}

/** Makes the single file that unpacks itself. */
export function makePacked(): void {
  Deno.mkdirSync(`${PROJECT}/dist`, { recursive: true });
  const launcher = compileLauncher(UNPROVED);
  const layers = [
    makeLayer("runtime", runtimeFiles(), Deno.version.deno),
    makeLayer("program", programFiles(), VERSION),
  ];
  const product = Deno.openSync(UNPROVED, { write: true, create: true, truncate: true });
  for (
    const part of [
      launcher,
      ...layers.map((layer) => layer.compressed),
      makeIndex(layers, launcher.length),
    ]
  ) {
    writeAll(product, part);
  }
  product.close();
  finish();
}
