/**
 * The image form: launcher and squashfs in one file. It is mounted from the file, or unpacked like the packed
 * form.
 * @module
 */
import { megabytes, sha256 } from "../bytes.ts";
import type { Ingredients } from "../ingredients/ingredients.ts";
import { keep, type Layer, writeLayer } from "../layer.ts";
import { join, makeIndex, type Part, type PlacedLayer } from "./payload.ts";
import { giveUp, run, say } from "../run.ts";
import { type Block, readDataBlocks } from "./squashfs.ts";

/**
 * xz is what OpenWrt's kernels have, zstd they have not; Debian's have both. A block is read and decompressed
 * whole: with 1 MiB the image has 34.5 MB instead of 36.4, but a page that was dropped for want of memory
 * costs four times as much. Without fragments and sparse blocks the data of all files are plain streams,
 * which the launcher can unpack; filters for machine code are not in every kernel.
 */
const SQUASHFS = (
  "-comp xz -b 256K -noI -no-fragments -no-sparse -no-duplicates -no-xattrs -no-exports -all-root -all-time 0 " +
  "-mkfs-time 0 -noappend -no-progress -quiet"
).split(" ");
/** Loop devices begin at whole pages of a file. */
const PAGE = 4096;

function makeSquashfs({ target: { arch }, runtime, program }: Ingredients): Uint8Array {
  return keep(`image-${arch}`, `${runtime.id} ${program.id} ${SQUASHFS.join(" ")}`, "squashfs", (path) => {
    say(`Compressing the image for ${arch} (once, about 20 s) …`);
    const directory = Deno.makeTempDirSync({ prefix: "tproxy-image-" });
    try {
      for (const layer of [runtime, program]) writeLayer(layer, `${directory}/${layer.name}`);
      Deno.chmodSync(directory, 0o755);
      run("mksquashfs", [directory, path, ...SQUASHFS]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

/** Neighbours of the same kind become one part: several .xz streams are one. */
function toParts(image: Uint8Array, blocks: readonly Block[], base: number): Part[] {
  const pieces: { kind: Part["kind"]; from: number; to: number }[] = [];
  for (const { offset, size, compressed } of blocks) {
    const kind = compressed ? "xz" : "raw";
    const last = pieces.at(-1);
    if (last?.kind === kind && last.to === offset) last.to += size;
    else pieces.push({ kind, from: offset, to: offset + size });
  }
  return pieces.map(({ kind, from, to }) => ({ kind, offset: base + from, bytes: image.subarray(from, to) }));
}

/** Shows that the parts are what the launcher takes them for. */
function proveParts(layer: Layer, parts: readonly Part[]): void {
  const hash = sha256(...parts.map(({ kind, bytes }) => kind === "raw" ? bytes : decompress(bytes)));
  if (hash !== sha256(...layer.files.map(({ content }) => content))) {
    giveUp(`the blocks of the squashfs do not give the ${layer.name}`);
  }
}

function decompress(bytes: Uint8Array): Uint8Array {
  const path = Deno.makeTempFileSync({ prefix: "tproxy-image-" });
  try {
    Deno.writeFileSync(path, bytes);
    const { success, stdout } = new Deno.Command("xz", { args: ["-dc", "--format=xz", path] }).outputSync();
    return success ? stdout : giveUp("the blocks of the squashfs are no .xz streams");
  } finally {
    Deno.removeSync(path);
  }
}

/** Bytes of the single file that is mounted. */
export function makeImage(ingredients: Ingredients): Uint8Array {
  const { launcher, runtime, program } = ingredients;
  const offset = Math.ceil(launcher.length / PAGE) * PAGE;
  const image = makeSquashfs(ingredients);
  // mksquashfs goes through directories by name.
  const files = readDataBlocks(image);
  const layers = [program, runtime].map((layer): PlacedLayer => {
    const blocks = files.splice(0, layer.files.length);
    layer.files.forEach(({ name, content }, at) => {
      if (blocks[at]?.fileSize !== content.length) {
        giveUp(`${name} is not where it should be in the squashfs`);
      }
    });
    const parts = toParts(image, blocks.flatMap(({ blocks }) => blocks), offset);
    proveParts(layer, parts);
    return { layer, parts };
  });
  const padding = new Uint8Array(offset - launcher.length);
  const index = makeIndex("image", layers, offset + image.length, { kind: "raw", offset, bytes: image });
  const product = join(launcher, padding, image, index);
  if (product.length > 50e6) giveUp(`the image form has ${megabytes(product.length)}, more than 50 MB`);
  return product;
}
