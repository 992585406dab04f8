/**
 * The upstreams of a proxy in the real world: its sockets, its time.
 * @module
 */
import { monotonicMilliseconds } from "../../../ffi/clock.ts";
import type { Config } from "../../config/types.ts";
import { upstreamMark } from "../../dataplane/groundwork.ts";
import { checkUpstream } from "./check.ts";
import { resolveName } from "./dns/resolve.ts";
import { REAL_PAUSES } from "./socket_wait.ts";
import { Upstreams, type UpstreamWorld } from "./upstreams.ts";

/** Ties to the rest of the proxy. */
export interface UpstreamOptions extends Pick<UpstreamWorld, "log" | "spare"> {
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** Makes them; none is in force yet. */
export function openUpstreams(config: Config, options: UpstreamOptions): Upstreams {
  const { log, readTextFile, spare } = options;
  const sockets = { mark: upstreamMark(config), pauses: REAL_PAUSES };
  return new Upstreams({
    log,
    resolve: (name) => resolveName(name, { ...sockets, readTextFile }),
    check: (upstream, { check }) => checkUpstream(upstream, check, sockets),
    spare,
    now: monotonicMilliseconds,
    chance: Math.random,
  });
}
