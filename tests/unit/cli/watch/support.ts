import type { WatchedFlow } from "../../../../src/cli/watch/flow.ts";

/** A flow of whatever kind. */
export function flow(id: string, more: Partial<WatchedFlow> = {}): WatchedFlow {
  return {
    id,
    protocol: "tcp",
    family: 4,
    client: "192.168.1.23",
    device: "laptop",
    destination: "203.0.113.9",
    destinationPort: 443,
    name: null,
    rule: "default",
    upstream: null,
    state: "open",
    bytesUp: 0,
    bytesDown: 0,
    started: 0,
    ...more,
  };
}
