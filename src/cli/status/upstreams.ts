/**
 * Upstreams and groups, as status shows them. Pure.
 * @module
 */
import type { ProxyState } from "../../daemon/control/status.ts";
import { formatDuration } from "./duration.ts";

/** Describes them in lines; none where there are none. `now`: milliseconds since 1970. */
export function describeUpstreams(
  { upstreams = [], groups = [] }: Partial<Pick<ProxyState, "upstreams" | "groups">>,
  now: number,
): string[] {
  return [
    ...upstreams.map(({ name, state, since, reason, connections, addresses }) => {
      const where = addresses.length === 0 ? "" : ` (${addresses.join(", ")})`;
      const why = reason === "" ? "" : `: ${reason}`;
      return `upstream ${name}${where}: ${state} for ${formatDuration(now - since)}${why}, ` +
        `${connections} connections`;
    }),
    ...groups.map(({ name, strategy, inUse, whenDown }) => {
      const used = inUse.length > 0 ? inUse.join(", ") : `none is up: ${FATES[whenDown]}`;
      return `group ${name} (${strategy}): ${used}`;
    }),
  ];
}

const FATES = { block: "flows are refused", direct: "flows go direct" } as const;
