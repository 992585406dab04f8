/**
 * The payload's index and trailer. Their format is described in ffi/launcher/payload.c.
 * @module
 */
import { sha256 } from "./bytes.ts";
import type { Layer } from "./layer.ts";
import { VERSION } from "./project.ts";

/** Index and trailer for layers that begin at `offset`. */
export function makeIndex(layers: readonly Layer[], offset: number): Uint8Array {
  let text = `version ${VERSION}\n`;
  for (const layer of layers) {
    text += `layer ${layer.name} ${layer.id} ${
      sha256(layer.compressed)
    } ${offset} ${layer.compressed.length}\n`;
    for (const file of layer.files) {
      text += `file ${file.name} ${file.mode.toString(8)} ${file.content.length}\n`;
    }
    offset += layer.compressed.length;
  }
  const index = new TextEncoder().encode(text);
  const trailer = new Uint8Array(64);
  trailer.set(new TextEncoder().encode("TPROXY1\n"));
  const view = new DataView(trailer.buffer);
  view.setBigUint64(8, BigInt(offset), true);
  view.setBigUint64(16, BigInt(index.length), true);
  trailer.set(Uint8Array.from(sha256(index).match(/../g)!, (byte) => parseInt(byte, 16)), 24);
  const result = new Uint8Array(index.length + trailer.length);
  result.set(index);
  result.set(trailer, index.length);
  return result;
}
