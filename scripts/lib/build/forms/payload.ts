/**
 * The payload's index and trailer. Their format is described in ffi/launcher/payload.c.
 * @module
 */
import { sha256 } from "../bytes.ts";
import type { Layer } from "../layer.ts";
import { VERSION } from "../project.ts";

/** The way in which the files are kept. */
export type Form = "packed" | "image" | "installed";

/** A piece of the product's file: plain data, or one or several .xz streams. */
export interface Part {
  readonly kind: "xz" | "raw";
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A layer and the parts that give its files, one after the other. */
export interface PlacedLayer {
  readonly layer: Layer;
  readonly parts: readonly Part[];
}

function layerLines({ layer, parts }: PlacedLayer): string[] {
  const hash = sha256(...parts.map(({ bytes }) => bytes));
  return [
    `layer ${layer.name} ${layer.id} ${hash}`,
    ...layer.files.map(({ name, mode, content }) => `file ${name} ${mode.toString(8)} ${content.length}`),
    ...parts.map(({ kind, offset, bytes }) => `part ${kind} ${offset} ${bytes.length}`),
  ];
}

/** Index and trailer for a product; they stand at `offset` of its file. */
export function makeIndex(
  form: Form,
  layers: readonly PlacedLayer[],
  offset: number,
  image?: Part,
): Uint8Array {
  const lines = [
    `form ${form}`,
    `version ${VERSION}`,
    ...image ? [`image ${image.offset} ${image.bytes.length} ${sha256(image.bytes)}`] : [],
    ...layers.flatMap(layerLines),
  ];
  const index = new TextEncoder().encode(lines.join("\n") + "\n");
  const trailer = new Uint8Array(64);
  trailer.set(new TextEncoder().encode("TPROXY2\n"));
  const view = new DataView(trailer.buffer);
  view.setBigUint64(8, BigInt(offset), true);
  view.setBigUint64(16, BigInt(index.length), true);
  trailer.set(Uint8Array.fromHex(sha256(index)), 24);
  return join(index, trailer);
}

/** One after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
