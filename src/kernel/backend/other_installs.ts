/**
 * Installs with other backends, or other kinds of one: rules of two are never mixed. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { FoundInstall } from "./backend.ts";
import type { ObjectStatus } from "./object_status.ts";

/** Throws an OperationError if there are others; `backend`: who would install. */
export function refuseOthers(others: readonly FoundInstall[], backend: string): void {
  if (others.length === 0) return;
  throw new OperationError({
    operation: "install with backend",
    object: backend,
    reason: `an earlier install is there: ${others.map(({ words }) => words).join(", ")}`,
    hint: 'Run "tproxy uninstall" first; clients are not intercepted in between',
  });
}

/** Gives the state of one as an object that the plan knows nothing of. */
export function foreignObject({ name }: FoundInstall): ObjectStatus {
  return { kind: "table", name, state: "foreign", detail: "of an install with another backend" };
}
