/**
 * A layer: some files that belong together, and what they are compressed to.
 * @module
 */
import { megabytes, sha256 } from "./bytes.ts";
import { exists, writeAll } from "./disk.ts";
import { PROJECT } from "./project.ts";
import { run, say } from "./run.ts";

/** A file of a layer. */
export interface LayerFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** Files under a name that says what is in them. */
export interface Layer {
  readonly name: "runtime" | "program";
  /** The directory that it gets in a cache: name, version, hash of the files. */
  readonly id: string;
  /** Sorted by name. */
  readonly files: readonly LayerFile[];
}

/** Processors that a product can be for, as `uname -m` names them. */
export type Arch = "x86_64" | "aarch64";

/** Names some files. The order of the files does not matter, in all forms they come sorted. */
export function makeLayer(name: Layer["name"], files: readonly LayerFile[], label: string): Layer {
  const sorted = [...files].sort((a, b) => a.name < b.name ? -1 : 1);
  const table = sorted.map((file) => `${file.name} ${file.mode} ${file.content.length}\n`).join("");
  const hash = sha256(table, ...sorted.map((file) => file.content)).slice(0, 16);
  return { name, id: `${name}-${label}-${hash}`, files: sorted };
}

/**
 * 29.6 MB of Deno in a minute on one core; zstd -19 gives 33.8 MB. The decoder's window stays at 8 MiB, for
 * small routers. One thread: then the bytes are always the same.
 */
const XZ = ["--format=xz", "--check=crc32", "--threads=1", "--lzma2=preset=9e,dict=8MiB"];
/** The filter that makes the addresses in machine code alike. liblzma knows that for arm64 since 5.4. */
const MACHINE_CODE: Readonly<Record<Arch, string>> = { x86_64: "--x86", aarch64: "--arm64" };

/** Compresses the files of a layer as one stream, or takes what an earlier build made of the same files. */
export function compressLayer(layer: Layer, arch: Arch): Uint8Array {
  const filters = layer.name === "runtime" ? [MACHINE_CODE[arch], ...XZ] : XZ;
  return keep(`${layer.name}-${arch}`, `${layer.id} ${filters.join(" ")}`, "xz", (path) => {
    const size = layer.files.reduce((sum, file) => sum + file.content.length, 0);
    if (size > 10e6) {
      say(`Compressing the ${layer.name} for ${arch}, ${megabytes(size)} (once, about a minute) …`);
    }
    const raw = `${path}.raw`;
    const out = Deno.openSync(raw, { write: true, create: true, truncate: true });
    for (const file of layer.files) writeAll(out, file.content);
    out.close();
    run("sh", [
      "-c",
      'raw=$1 out=$2; shift 2; exec xz "$@" --stdout "$raw" >"$out"',
      "sh",
      raw,
      path,
      ...filters,
    ]);
    Deno.removeSync(raw);
  });
}

/**
 * The file that `make` writes to the path it is given; from .cache/build where an earlier build has made the
 * same. `kind` has one file there, `recipe` is all that it depends on.
 */
export function keep(
  kind: string,
  recipe: string,
  extension: string,
  make: (path: string) => void,
): Uint8Array {
  const directory = `${PROJECT}/.cache/build`;
  const path = `${directory}/${kind}-${sha256(recipe).slice(0, 16)}.${extension}`;
  if (!exists(path)) {
    Deno.mkdirSync(directory, { recursive: true });
    for (const old of [...Deno.readDirSync(directory)]) {
      if (old.name.startsWith(`${kind}-`)) Deno.removeSync(`${directory}/${old.name}`, { recursive: true });
    }
    make(`${path}.part`);
    Deno.renameSync(`${path}.part`, path);
  }
  return Deno.readFileSync(path);
}

/** Writes the files of a layer into a new directory. */
export function writeLayer(layer: Layer, directory: string): void {
  Deno.mkdirSync(directory, { recursive: true });
  for (const file of layer.files) {
    const path = `${directory}/${file.name}`;
    Deno.writeFileSync(path, file.content);
    Deno.chmodSync(path, file.mode);
  }
}
