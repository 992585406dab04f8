/**
 * The fit of a running proxy's rules with those of the install: both know packets of its flows by its port
 * and its marks. Pure.
 * @module
 */
import type { ObjectStatus } from "../backend/object_status.ts";

/** The chain of an install that brings packets of the proxy's flows to it. */
const DELIVERS = "late";
const BY_ZONE = `${DELIVERS}: ct zone `;

/**
 * Tells from a status of the install that a proxy would take flows that it can never serve: the rules that
 * are there bring their packets to somebody else.
 */
export function isOfAnotherProxy(objects: readonly ObjectStatus[]): boolean {
  const isThere = ({ kind, name, state }: ObjectStatus) =>
    kind === "chain" && name === DELIVERS && state === "present";
  const lacks = ({ kind, name, state }: ObjectStatus) =>
    kind === "rule" && name.startsWith(BY_ZONE) && state === "missing";
  return objects.some(isThere) && objects.some(lacks);
}
