/**
 * The export of an expression's file: its bytes, both ways. Pure.
 * @module
 */
import type { AttributeMap } from "../../attribute.ts";

/** An expression of the kernel, and the objects that stand for it here. */
export interface Codec<Expression extends { readonly kind: string }> {
  /** The kernel's name of it (NFTA_EXPR_NAME). */
  readonly name: string;
  /** The kinds of objects that it writes and reads. */
  readonly kinds: readonly Expression["kind"][];
  /** Writes NFTA_EXPR_DATA; undefined where the expression has none at all. */
  encode(expression: Expression): Uint8Array | undefined;
  /** Reads NFTA_EXPR_DATA. Throws a RangeError on what such an object cannot hold. */
  decode(data: AttributeMap): Expression;
}
