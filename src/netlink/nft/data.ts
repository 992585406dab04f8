/**
 * NFTA_DATA: a value or a verdict, as registers, set elements and comparisons hold them. Pure.
 * @module
 */
import { AttributeMap, type AttributeWriter } from "../attribute.ts";
import { Names } from "../names.ts";

// linux/netfilter/nf_tables.h: enum nft_data_attributes, enum nft_verdict_attributes
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;

/** Verdict on a packet. */
export type VerdictCode = "accept" | "drop" | "queue" | "continue" | "break" | "jump" | "goto" | "return";

/** A verdict; `chain` with `jump` and `goto` only. */
export interface Verdict {
  /** NFTA_VERDICT_CODE. */
  readonly code: VerdictCode;
  /** The chain to go to, for jump and goto (NFTA_VERDICT_CHAIN). */
  readonly chain?: string;
}

// linux/netfilter.h NF_*, linux/netfilter/nf_tables.h enum nft_verdicts
const VERDICTS = new Names<VerdictCode>("verdict", {
  drop: 0,
  accept: 1,
  queue: 3,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
});

/** The first 16-byte register. 0 is the verdict register; the 4-byte ones begin at 8. */
export const REGISTER_1 = 1;
/** The second 16-byte register. */
export const REGISTER_2 = 2;

/** Writes a value as a nest of type `type`. */
export function writeValue(writer: AttributeWriter, type: number, value: Uint8Array): void {
  writer.nest(type, (nest) => nest.bytes(NFTA_DATA_VALUE, value));
}

/** Writes a verdict as a nest of type `type`. */
export function writeVerdict(writer: AttributeWriter, type: number, verdict: Verdict): void {
  writer.nest(type, (data) =>
    data.nest(NFTA_DATA_VERDICT, (nest) => {
      nest.u32be(NFTA_VERDICT_CODE, VERDICTS.number(verdict.code));
      if (verdict.chain !== undefined) nest.string(NFTA_VERDICT_CHAIN, verdict.chain);
    }));
}

/** Reads a value. Throws a RangeError if there is none. */
export function readValue(data: Uint8Array | undefined): Uint8Array {
  const value = data === undefined ? undefined : new AttributeMap(data).bytes(NFTA_DATA_VALUE);
  if (value === undefined) throw new RangeError("Cannot decode nf_tables data: it holds no value");
  return value.slice();
}

/** Reads a verdict; `undefined` where the data is a value. */
export function readVerdict(data: Uint8Array | undefined): Verdict | undefined {
  const nest = data === undefined ? undefined : new AttributeMap(data).nested(NFTA_DATA_VERDICT);
  if (nest === undefined) return undefined;
  const code = VERDICTS.name(nest.i32be(NFTA_VERDICT_CODE));
  const chain = nest.string(NFTA_VERDICT_CHAIN);
  return { code, ...(chain === undefined ? {} : { chain }) };
}

/** The number of an attribute that must be there. Throws a RangeError if it is not. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RangeError(`Cannot decode nf_tables object: ${name} is missing`);
  return value;
}
