/**
 * A running proxy in one line, for the page that looks at it every second.
 * @module
 */
import type { Subject } from "./route.ts";
import { describeOutline, type ProxyOutline } from "./status.ts";

/** The line: the outline of the report, and the machine. */
export interface LookState extends ProxyOutline {
  /** Name of the machine. */
  readonly host: string;
  /** Milliseconds since 1970 by the proxy's clock: the browser's is another machine's. */
  readonly now: number;
  /** Upstreams that are not up. */
  readonly down: readonly string[];
}

/** Describes a proxy as it is now. */
export function describeLook(subject: Subject): LookState {
  const { proxy } = subject;
  return {
    ...describeOutline(subject, proxy.facts()),
    host: Deno.hostname(),
    now: Date.now(),
    down: proxy.upstreams.status().filter(({ state }) => state !== "up").map(({ name }) => name),
  };
}
