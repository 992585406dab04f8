/**
 * The fit of a running proxy's rules with those of the install: both know packets of its flows by its port
 * and its marks. Pure.
 * @module
 */
import type { ObjectStatus } from "../backend/object_status.ts";
import { LATE_CHAIN, LEG_CHAIN } from "../plan/concerns/forward_path/late.ts";

/** Rules that bring packets of the proxy's flows to it: by its port, and with its mark. */
const DELIVERS = [`${LATE_CHAIN}: ct zone `, `${LEG_CHAIN}: meta mark `];

/**
 * Tells from a status of the install that a proxy would take flows that it can never serve: the rules that
 * are there bring their packets to somebody else.
 */
export function isOfAnotherProxy(objects: readonly ObjectStatus[]): boolean {
  const isThere = ({ kind, name, state }: ObjectStatus) =>
    kind === "chain" && name === LATE_CHAIN && state === "present";
  const lacks = ({ kind, name, state }: ObjectStatus) =>
    kind === "rule" && DELIVERS.some((rule) => name.startsWith(rule)) && state === "missing";
  return objects.some(isThere) && objects.some(lacks);
}
