/**
 * The upstreams of a proxy in the real world: its sockets, its time.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { upstreamMark } from "../../dataplane/groundwork.ts";
import type { Logger } from "../../log.ts";
import { checkUpstream } from "./check.ts";
import { resolveName } from "./dns/resolve.ts";
import { REAL_PAUSES } from "./socket_wait.ts";
import { Upstreams } from "./upstreams.ts";

/** Makes them; none is in force yet. */
export function openUpstreams(
  config: Config,
  log: Logger,
  readTextFile: (path: string) => string,
): Upstreams {
  const sockets = { mark: upstreamMark(config), pauses: REAL_PAUSES };
  return new Upstreams({
    log,
    resolve: (name) => resolveName(name, { ...sockets, readTextFile }),
    check: (upstream, { check }) => checkUpstream(upstream, check, sockets),
    now: Date.now,
    chance: Math.random,
  });
}
