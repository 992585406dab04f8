/**
 * Inputs that a parser once did not bear, in tests/testdata/fuzz: a folder for each parser, and a file for
 * each input, by its hash.
 * @module
 */
import { createHash } from "node:crypto";
import type { Crash } from "./engine/trial.ts";

const FOLDER = new URL("../testdata/fuzz/", import.meta.url);
const LINE = 96;

/** An input of the corpus. */
export interface Kept {
  readonly file: string;
  readonly input: Uint8Array;
}

/** Names of the parsers of which there are any. */
export function listParsers(): string[] {
  return listNames(FOLDER).sort();
}

/** Lists those of a parser. */
export function readCorpus(parser: string): Kept[] {
  const folder = new URL(`${parser}/`, FOLDER);
  return listNames(folder).filter((name) => name.endsWith(".hex")).sort().map((name) => {
    const lines = Deno.readTextFileSync(new URL(name, folder)).split("\n");
    const hex = lines.filter((line) => !line.startsWith("#")).join("");
    return { file: `${parser}/${name}`, input: Uint8Array.fromHex(hex) };
  });
}

/** Adds the input of a crash. Returns the path of its file. */
export function keep(parser: string, { input, message }: Crash): string {
  const folder = new URL(`${parser}/`, FOLDER);
  Deno.mkdirSync(folder, { recursive: true });
  const name = createHash("sha256").update(input).digest("hex").slice(0, 16);
  const lines = input.toHex().match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  const title = message.split("\n", 1)[0].slice(0, 110);
  const file = new URL(`${name}.hex`, folder);
  Deno.writeTextFileSync(file, `# ${title}\n${lines.join("\n")}\n`);
  return file.pathname;
}

function listNames(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
