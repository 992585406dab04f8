/** Rows of connections to begin with. */
import type { ConnectionRow } from "../../../../src/daemon/control/connections/row.ts";

/** A row, with what is said of it. */
export function row(more: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    id: "t0.1.2",
    protocol: "tcp",
    family: "ipv4",
    client: "192.168.1.23",
    clientPort: 50123,
    device: null,
    mac: null,
    destination: "203.0.113.9",
    destinationPort: 443,
    name: null,
    rule: "default",
    upstream: null,
    state: "open",
    bytesUp: 1000,
    bytesDown: 2_500_000,
    started: "2026-01-01T00:00:00.000Z",
    ...more,
  };
}

/** An hour after they have begun. */
export const NOW = Date.parse("2026-01-01T01:00:00Z");
