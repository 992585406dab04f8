/**
 * The pieces of which phrases are made: a value comes into register 1, a mask may change it, something is
 * asked of it. Pure.
 * @module
 */
import { FAMILY_NUMBERS } from "../../../net/families.ts";
import { REGISTER_1 } from "../data.ts";
import type { CmpOperator } from "../expr/cmp.ts";
import type { CtKey } from "../expr/ct.ts";
import type { MetaKey } from "../expr/meta.ts";
import type { NftExpression } from "../expression.ts";
import { hostKey } from "../sets/set_type.ts";

/** A set to look up; `setId` where it is of the same batch and has no name. */
export interface SetReference {
  /** Its name, or the pattern of an anonymous one. */
  readonly set: string;
  /** Number within the batch (NFTA_SET_ID). */
  readonly setId?: number;
}

/** The key of an address family, as `meta nfproto` yields it. */
export function familyKey(family: "ipv4" | "ipv6"): Uint8Array {
  return Uint8Array.of(FAMILY_NUMBERS[family]);
}

/** `[ cmp eq reg 1 VALUE ]`. */
export function compare(operator: CmpOperator, value: Uint8Array): NftExpression {
  return { kind: "cmp", operator, register: REGISTER_1, value };
}

/** `[ meta load KEY => reg 1 ]`. */
export function loadMeta(key: MetaKey): NftExpression {
  return { kind: "meta", direction: "load", key, register: REGISTER_1 };
}

/** `[ ct load KEY => reg 1 ]`. */
export function loadConntrack(key: CtKey): NftExpression {
  return { kind: "ct", direction: "load", key, register: REGISTER_1 };
}

/** `[ lookup reg 1 set SET ]`; inverted, the key must not be in it. */
export function lookUp(reference: SetReference, inverted: boolean): NftExpression {
  return { kind: "lookup", register: REGISTER_1, ...reference, ...(inverted ? { inverted } : {}) };
}

/** `[ dynset update reg_key 1 set SET ]`: adds the key, or begins its timeout again. */
export function update(set: string): NftExpression {
  return { kind: "dynset", operation: "update", set, register: REGISTER_1 };
}

/** `[ bitwise reg 1 = ( reg 1 & MASK ) ^ XOR ]`, of 32 bits in the machine's byte order. */
export function masked(mask: number, xor: number): NftExpression {
  return {
    kind: "bitwise",
    source: REGISTER_1,
    destination: REGISTER_1,
    mask: hostKey(mask >>> 0),
    xor: hostKey(xor >>> 0),
  };
}
