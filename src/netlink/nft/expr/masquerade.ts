/** `masq`: source NAT to the address of the interface that the packet leaves by. @module */
import type { AttributeMap } from "../../attribute.ts";
import type { Codec } from "./codec.ts";

/** `[ masq ]`. */
export interface MasqueradeExpression {
  /** Tells the expressions apart. */
  readonly kind: "masquerade";
}

/** Reads `masq` without flags and ports. Others throw a RangeError. */
function decode(data: AttributeMap): MasqueradeExpression {
  if (data.size > 0) throw new RangeError("Cannot decode masquerade with flags or ports");
  return { kind: "masquerade" };
}

/** Codec of `masq`. */
export const masquerade: Codec<MasqueradeExpression> = {
  name: "masq",
  kinds: ["masquerade"],
  encode: () => new Uint8Array(0),
  decode,
};
