/**
 * Parts that tests of redirect share: a target, and a report that can be compared.
 * @module
 */
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { RedirectReport, RedirectTarget } from "../../../../src/dataplane/upstream/listed.ts";
import type { Sockaddr } from "../../../../src/dataplane/upstream/upstream.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";

/** A target without any option. */
export const TARGET: RedirectTarget = { upstreams: null, fromClient: false, fastOpen: false, listenPort: 0 };

/** An address as text. */
export function show(address: Sockaddr): string {
  return formatEndpoint(readSockaddr(address));
}

/** A report that writes down what it is told. */
export function writeDown(reports: string[]): RedirectReport {
  return {
    handling: (_client, upstream) => reports.push(`handling ${show(upstream)}`),
    failed: (_client, upstream, error) => reports.push(`failed ${show(upstream)} ${error}`),
    looped: () => reports.push("looped"),
  };
}
