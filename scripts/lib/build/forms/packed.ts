/**
 * The packed form: launcher, two compressed layers, index and trailer in one file. It unpacks itself into a
 * cache.
 * @module
 */
import type { Ingredients } from "../ingredients/ingredients.ts";
import { compressLayer } from "../layer.ts";
import { join, makeIndex, type PlacedLayer } from "./payload.ts";

/** Bytes of the single file that unpacks itself. */
export function makePacked({ target: { arch }, launcher, runtime, program }: Ingredients): Uint8Array {
  let offset = launcher.length;
  const layers = [runtime, program].map((layer): PlacedLayer => {
    const bytes = compressLayer(layer, arch);
    const parts = [{ kind: "xz" as const, offset, bytes }];
    offset += bytes.length;
    return { layer, parts };
  });
  return join(
    launcher,
    ...layers.flatMap(({ parts }) => parts.map(({ bytes }) => bytes)),
    makeIndex("packed", layers, offset),
  );
}
