/**
 * The routes of this machine.
 * @module
 */
import { FAMILIES } from "../../net/families.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRoutes, type Route } from "../../netlink/route/route.ts";
import { ifFamilyExists } from "./rules.ts";

/** The routes of all families and tables. */
export function readAllRoutes(connection: NetlinkConnection): Route[] {
  return FAMILIES.flatMap((family) => ifFamilyExists(() => listRoutes(connection, { family })));
}
