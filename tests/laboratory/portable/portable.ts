/**
 * The portable file as a test subject: read its index, make variants of it (another version, another program,
 * damage).
 * @module
 */
import { createHash } from "node:crypto";
import { runProgram } from "../program.ts";

const TRAILER_SIZE = 64;

/** Bytes of the file and what its index says. */
export interface Portable {
  readonly bytes: Uint8Array;
  /** Beginning of the index, and its lines. */
  readonly indexAt: number;
  readonly lines: readonly string[];
}

/** One layer as the index tells it. */
export interface PortableLayer {
  readonly id: string;
  readonly offset: number;
  readonly size: number;
}

/** Reads a portable file. */
export function readPortable(path: string): Portable {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.length - TRAILER_SIZE);
  const indexAt = Number(view.getBigUint64(8, true));
  const index = bytes.subarray(indexAt, bytes.length - TRAILER_SIZE);
  return { bytes, indexAt, lines: new TextDecoder().decode(index).trimEnd().split("\n") };
}

/** The lines of a layer, `runtime` or `program`; its data are one part. */
export function layerOf(portable: Portable, name: string): PortableLayer {
  const at = portable.lines.findIndex((line) => line.startsWith(`layer ${name} `));
  const part = portable.lines.slice(at).find((line) => line.startsWith("part "));
  if (at < 0 || part === undefined) throw new Error(`The file has no layer ${name}`);
  const [, , offset, size] = part.split(" ");
  return { id: portable.lines[at].split(" ")[2], offset: Number(offset), size: Number(size) };
}

/** Writes the file with other index lines and, in front of the index, more bytes. */
export function writeVariant(
  path: string,
  portable: Portable,
  change: { lines: readonly string[]; append?: Uint8Array },
): void {
  const payload = [portable.bytes.subarray(0, portable.indexAt), change.append ?? new Uint8Array()];
  const index = new TextEncoder().encode(change.lines.join("\n") + "\n");
  const trailer = new Uint8Array(TRAILER_SIZE);
  const view = new DataView(trailer.buffer);
  trailer.set(new TextEncoder().encode("TPROXY2\n"));
  view.setBigUint64(8, BigInt(portable.indexAt + (change.append?.length ?? 0)), true);
  view.setBigUint64(16, BigInt(index.length), true);
  trailer.set(createHash("sha256").update(index).digest(), 24);
  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o755 });
  for (const part of [...payload, index, trailer]) {
    for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
  }
}

/** The file with another program in it, under the id `program-test-<name>`. */
export async function writeWithProgram(
  path: string,
  portable: Portable,
  program: { name: string; text: string },
): Promise<void> {
  const source = `${path}.js`;
  await Deno.writeTextFile(source, program.text);
  await runProgram(["xz", "-kf", "--check=crc32", source]);
  const layer = await Deno.readFile(`${source}.xz`);
  const hash = createHash("sha256").update(layer).digest("hex");
  const at = portable.lines.findIndex((line) => line.startsWith("layer program "));
  const lines = [
    ...portable.lines.slice(0, at),
    `layer program program-test-${program.name} ${hash}`,
    `file tproxy.js 644 ${new TextEncoder().encode(program.text).length}`,
    `part xz ${portable.indexAt} ${layer.length}`,
  ];
  writeVariant(path, portable, { lines, append: layer });
}
