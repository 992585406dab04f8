/**
 * A layer: some files, compressed as one stream.
 * @module
 */
import { exists, megabytes, sha256, writeAll } from "./bytes.ts";
import { PROJECT } from "./project.ts";
import { run, say } from "./run.ts";

/** 33.8 MB in 23 s on two cores; level 17 gives 35 MB in 18 s. The decoder's window stays at 8 MiB, for small routers. */
const LEVEL = "-19";

/** A file of a layer. */
export interface LayerFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** Files, and what they are compressed to. */
export interface Layer {
  readonly name: string;
  readonly id: string;
  readonly files: readonly LayerFile[];
  readonly compressed: Uint8Array;
}

/** Compresses the files of a layer, or takes what an earlier build made of the same files. */
export function makeLayer(name: string, files: readonly LayerFile[], label: string): Layer {
  const table = files.map((file) => `${file.name} ${file.mode} ${file.content.length}\n`).join("");
  const hash = sha256(LEVEL, table, ...files.map((file) => file.content)).slice(0, 16);
  const directory = `${PROJECT}/.cache/build`;
  const path = `${directory}/${name}-${hash}.zst`;
  if (!exists(path)) {
    const size = files.reduce((sum, file) => sum + file.content.length, 0);
    if (size > 10e6) say(`Compressing the ${name}, ${megabytes(size)} (once, about half a minute) …`);
    Deno.mkdirSync(directory, { recursive: true });
    for (const old of [...Deno.readDirSync(directory)]) {
      if (old.name.startsWith(`${name}-`)) Deno.removeSync(`${directory}/${old.name}`);
    }
    const raw = `${path}.raw`;
    const out = Deno.openSync(raw, { write: true, create: true, truncate: true });
    for (const file of files) writeAll(out, file.content);
    out.close();
    run("zstd", ["--quiet", "--force", LEVEL, "--threads=0", "--check", "-o", `${path}.part`, raw]);
    Deno.removeSync(raw);
    Deno.renameSync(`${path}.part`, path);
  }
  return { name, id: `${name}-${label}-${hash}`, files, compressed: Deno.readFileSync(path) };
}
