/**
 * The installed form: a tree to be copied to `/`, for packages. Nothing in it is compressed, the file system
 * or the package does that.
 * @module
 */
import { exists } from "../disk.ts";
import type { Ingredients } from "../ingredients/ingredients.ts";
import { writeLayer } from "../layer.ts";
import { join, makeIndex } from "./payload.ts";

/** Writes `usr/bin/tproxy` and `usr/lib/tproxy/` under a directory, which is made anew. */
export function writeInstalled({ launcher, runtime, program }: Ingredients, directory: string): void {
  if (exists(directory)) Deno.removeSync(directory, { recursive: true });
  Deno.mkdirSync(`${directory}/usr/bin`, { recursive: true });
  const layers = [runtime, program];
  for (const layer of layers) writeLayer(layer, `${directory}/usr/lib/tproxy/${layer.name}`);
  const index = makeIndex("installed", layers.map((layer) => ({ layer, parts: [] })), launcher.length);
  Deno.writeFileSync(`${directory}/usr/bin/tproxy`, join(launcher, index), { mode: 0o755 });
}
