/**
 * Tables of iptables-legacy as the kernel has handed them out (scripts/record legacy).
 * @module
 */
import type { LegacyTable } from "../../../../../src/doctor/machine/legacy/decode.ts";
import type { Family } from "../../../../../src/net/ip.ts";

const DIRECTORY = new URL("../../../../testdata/legacy/", import.meta.url);

/** The tables of a recording: a line of JSON for each, and its entries in hexadecimal. */
export function recordedTables(family: Family): LegacyTable[] {
  const text = Deno.readTextFileSync(new URL(`rules.${family}.hex`, DIRECTORY));
  return text.split("\n\n").slice(1).map((block) => {
    const [head, ...lines] = block.trim().split("\n");
    const bytes = lines.join(" ").split(" ").map((byte) => parseInt(byte, 16));
    return { ...JSON.parse(head), entries: Uint8Array.from(bytes) };
  });
}
