/** Snapshots of proxies that nobody has started. */
import { Books } from "../../../../../src/dataplane/shared/books.ts";
import { allocateMemory } from "../../../../../src/dataplane/shared/memory.ts";
import type { Snapshot } from "../../../../../src/daemon/metrics/snapshot.ts";

/** A proxy that has just begun, with so many rules and upstreams. */
export function snapshotOf(size: { rules?: number; upstreams?: number } = {}): Snapshot {
  const books = new Books(allocateMemory({ workers: 1, connections: 8, udpSessions: 8 }));
  books.begin({ generation: 1, rules: [], otherwise: "default" });
  const names = (kind: string, count = 0) => Array.from({ length: count }, (_, i) => `${kind} ${i + 1}`);
  const bytes = { bytesUp: 0, bytesDown: 0 };
  const account = books.account();
  return {
    build: { version: "1.2.3", commit: "0123456789ab", deno: "2.9.6" },
    process: { cpuSeconds: 0.5, residentBytes: 7e7, openDescriptors: 40, mostDescriptors: 1e5, started: 1e9 },
    isDraining: false,
    limits: { connections: 8, udpSessions: 8 },
    account,
    traffic: account.live,
    rules: [...names("rule", size.rules), "default"].map((name) => ({
      name,
      action: "direct",
      flows: 0,
      ...bytes,
    })),
    upstreams: names("upstream", size.upstreams).map((name) => (
      { name, carried: 0, failed: 0, isUp: true, connections: 0, ...bytes }
    )),
    kernel: {
      inForce: true,
      healings: { table: 0, set: 0, chain: 0, rule: 0, "routing-rule": 0, route: 0 },
    },
    unrelayed: { "tcp-md5": 0, "tcp-ao": 0, mptcp: 0 },
    reload: { isRefused: false, since: 1e12 },
    lines: { heldBack: 0, lost: 0, access: { overTheRate: 0, notReadInTime: 0 } },
  };
}
