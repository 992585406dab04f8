/** `fib`: asks the routing tables about the packet. @module */
import { type AttributeMap, AttributeWriter } from "../../attribute.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import type { Codec } from "./codec.ts";

/** Parts of the question. */
export type FibFlag = "saddr" | "daddr" | "mark" | "iif" | "oif";
/** The answer: an interface index, its name, or the type of the address (RTN_*, host byte order). */
export type FibResult = "oif" | "oifname" | "type";

// linux/netfilter/nf_tables.h: NFTA_FIB_F_*, enum nft_fib_result, enum nft_fib_attributes
const FLAGS = new Names<FibFlag>("fib flag", { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 });
const NFTA_FIB_F_PRESENT = 32;
const RESULTS = new Names<FibResult>("fib result", { oif: 1, oifname: 2, type: 3 });
const NFTA_FIB_DREG = 1;
const NFTA_FIB_RESULT = 2;
const NFTA_FIB_FLAGS = 3;

/** `[ fib daddr type => reg 1 ]`. */
export interface FibExpression {
  /** Tells the expressions apart. */
  readonly kind: "fib";
  /** Parts of the packet that are looked up (NFTA_FIB_FLAGS). */
  readonly flags: readonly FibFlag[];
  /** The answer that is wanted (NFTA_FIB_RESULT). */
  readonly result: FibResult;
  /** Set where the answer is 1 or 0: there is a route, or none (NFTA_FIB_F_PRESENT; `exists`, `missing`). */
  readonly present?: true;
  /** Register that it reads or writes. */
  readonly register: number;
}

/** The attributes of the expression. */
function encode(expression: FibExpression): Uint8Array {
  return new AttributeWriter()
    .u32be(NFTA_FIB_FLAGS, FLAGS.bits(expression.flags) | (expression.present ? NFTA_FIB_F_PRESENT : 0))
    .u32be(NFTA_FIB_RESULT, RESULTS.number(expression.result))
    .u32be(NFTA_FIB_DREG, expression.register)
    .finish();
}

/** The inverse of {@linkcode encode}. */
function decode(data: AttributeMap): FibExpression {
  const bits = required(data.u32be(NFTA_FIB_FLAGS), "NFTA_FIB_FLAGS");
  if (bits >= 2 * NFTA_FIB_F_PRESENT) throw new RangeError(`Cannot decode fib flags ${bits}`);
  return {
    kind: "fib",
    flags: FLAGS.flags(bits & ~NFTA_FIB_F_PRESENT),
    result: RESULTS.name(data.u32be(NFTA_FIB_RESULT)),
    ...(bits & NFTA_FIB_F_PRESENT) === 0 ? {} : { present: true },
    register: required(data.u32be(NFTA_FIB_DREG), "NFTA_FIB_DREG"),
  };
}

/** Codec of `fib`. */
export const fib: Codec<FibExpression> = { name: "fib", kinds: ["fib"], encode, decode };
