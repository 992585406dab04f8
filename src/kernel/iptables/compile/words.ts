/**
 * Words of iptables that several files need, and the error where it has none. Pure.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import { OperationError } from "../../../net/error.ts";
import { hex } from "../../../net/hex.ts";

/** Ends the packet's way through our chains. */
export const RETURN = "-j RETURN";

/** Writes bits and the mask for them: `0x2/0x2`. */
export function bits(mark: number): string {
  return `${hex(mark)}/${hex(mark)}`;
}

/** Sets bits of the packet's mark. */
export function markWith(mark: number): string {
  return `-j MARK --set-xmark ${bits(mark)}`;
}

/** Asks for packets that `raw` has marked for `filter`. */
export function isRefused({ refused }: Marks): string {
  return `-m mark --mark ${bits(refused)}`;
}

/** Makes the error for what no rule can say. A rule without a condition that it needs would match everything. */
export function cannotSay(kind: string): OperationError {
  return new OperationError({
    operation: "write for iptables",
    object: kind,
    reason: "no rule of iptables says this yet",
    hint: "Set kernel.backend to netlink",
  });
}
