/**
 * `scripts/build`: launcher, layer with the runtime, layer with the program, index and trailer in one file.
 * The format is described in ffi/launcher/payload.c.
 * @module
 */
import {
  bundleProgram,
  finish,
  giveUp,
  megabytes,
  PROJECT,
  run,
  runBuild,
  say,
  sha256,
  UNPROVED,
  VERSION,
} from "./build_common.ts";

/** 33.8 MB in 23 s on two cores; level 17 gives 35 MB in 18 s. The decoder's window stays at 8 MiB, for small routers. */
const LEVEL = "-19";

interface LayerFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

interface Layer {
  readonly name: string;
  readonly id: string;
  readonly files: readonly LayerFile[];
  readonly compressed: Uint8Array;
}

/** Deno, and the C library and loader of this machine that it needs. */
function runtimeFiles(): LayerFile[] {
  const deno = Deno.execPath();
  const files = [{ name: "deno", mode: 0o755, content: Deno.readFileSync(deno) }];
  for (const line of run("ldd", [deno]).split("\n")) {
    const library = /^\s*(\S+) => (\/\S+) \(0x/.exec(line);
    const loader = /^\s*(\/\S*\/ld-linux\S+) \(0x/.exec(line);
    if (library) files.push({ name: library[1], mode: 0o644, content: Deno.readFileSync(library[2]) });
    // The name of the loader's file is the name of the process.
    if (loader) files.push({ name: "tproxy", mode: 0o755, content: Deno.readFileSync(loader[1]) });
    if (line.includes("not found")) giveUp(`Deno misses a library here: ${line.trim()}`);
  }
  if (!files.some((file) => file.name === "tproxy")) giveUp(`ldd names no loader for ${deno}`);
  return files;
}

function programFiles(): LayerFile[] {
  const encoder = new TextEncoder();
  return [...bundleProgram()].map(([name, text]) => ({ name, mode: 0o644, content: encoder.encode(text) }));
}

/** Compresses the files of a layer, or takes what an earlier build made of the same files. */
function makeLayer(name: string, files: readonly LayerFile[], label: string): Layer {
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

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

function compileLauncher(output: string): Uint8Array {
  const directory = `${PROJECT}/ffi/launcher`;
  const sources = [...Deno.readDirSync(directory)].map((entry) => `ffi/launcher/${entry.name}`)
    .filter((path) => path.endsWith(".c")).sort();
  run("gcc", [
    ..."-std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -Wshadow -Wconversion -Werror -static -s".split(" "),
    ..."-ffunction-sections -Wl,--gc-sections".split(" "),
    "-o",
    output,
    ...sources,
    "-lzstd",
  ]);
  return Deno.readFileSync(output);
}

/** Index and trailer for layers that begin at `offset`. */
function makeIndex(layers: readonly Layer[], offset: number): Uint8Array {
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

runBuild(() => {
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
});
