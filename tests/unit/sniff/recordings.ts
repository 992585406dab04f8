/**
 * First bytes of real clients (scripts/record hellos) and of the RFCs, and the names in them.
 * @module
 */
import { FoundName } from "../../../src/sniff/found.ts";

export { join } from "../../fuzz/engine/mutate.ts";

const FOLDER = new URL("../../testdata/hellos/", import.meta.url);

/** Names of all recordings. */
export const RECORDINGS: readonly string[] = [...Deno.readDirSync(FOLDER)]
  .map(({ name }) => name.replace(/\.hex$/, "")).sort();

/** The stream, or the datagrams, of a recording. */
export function recorded(name: string): Uint8Array<ArrayBuffer>[] {
  const blocks = Deno.readTextFileSync(new URL(`${name}.hex`, FOLDER)).split("\n\n");
  return blocks.slice(1).map((block) => Uint8Array.fromHex(block.replace(/\s/g, "")));
}

/** The names of the recordings of one protocol, by the begin of their name. */
export function recordingsOf(protocol: "tls" | "http" | "quic"): string[] {
  return RECORDINGS.filter((name) => name.startsWith(`${protocol}-`));
}

/** The name that is in a recording; "" for none. */
export function expectedName(recording: string): string {
  if (/-(?:nameless|address|draft)$/.test(recording)) return "";
  return recording.startsWith("quic-rfc") ? "example.com" : "recorded.example";
}

/** The name as text. */
export function textOf(found: FoundName): string {
  return new TextDecoder().decode(found.bytes.subarray(0, found.length));
}

/** Bytes of a text of one byte a letter. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
