/**
 * A plan that uses all that `admission: forward-path` may ask the kernel for, to be tried where it steers
 * nothing. Pure.
 * @module
 */
import { clientZone, DEFAULT_MARK, DEFAULT_PORT, DEFAULT_ROUTE_TABLE, LOOPBACK } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import type { Family } from "../../net/ip.ts";
import { compileLive, compileTable } from "../nft/chains.ts";
import type { CompiledTable } from "../nft/model.ts";
import { planIntent } from "../plan/intent.ts";
import { planLive } from "../plan/live/live_plan.ts";
import { LIVE_OPTIONS, type LiveOptions } from "../plan/live/options.ts";
import type { Scope } from "../plan/scope.ts";

const SCOPE: Omit<Scope, "families"> = {
  protocols: ["tcp", "udp"],
  tcp: true,
  udp: true,
  lan: { set: "lan", names: [LOOPBACK] },
  inner: { set: "inner", names: [LOOPBACK] },
  bridged: null,
  ports: "all",
  marks: new Marks(DEFAULT_MARK),
  routingTable: DEFAULT_ROUTE_TABLE,
  listenerPort: DEFAULT_PORT,
  admission: "forward-path",
  clientZone: clientZone(DEFAULT_PORT),
  onFailure: "reset",
  mptcp: "forward",
  upstreams: [],
  ownTraffic: false,
  source: "client",
  filtering: "endpoint-independent",
  rules: [],
  insisting: [],
  otherwise: { outcome: { kind: "proxy" }, why: "" },
  ruleSets: [],
  watchesUdp: false,
  remembersPasses: false,
  brings: true,
};

/** The same where all flows are watched. */
export function watchTrialTables(families: readonly Family[]): CompiledTable[] {
  return watchTables(families, "log");
}

/** The same where they are held in queues. */
export function queueTrialTables(families: readonly Family[]): CompiledTable[] {
  return watchTables(families, "queue");
}

function watchTables(families: readonly Family[], holding: LiveOptions["holding"]): CompiledTable[] {
  const why = "tried";
  const rules = [{
    index: 0,
    part: 0,
    conditions: {},
    alternatives: [[]],
    outcome: { kind: "watch" },
    why,
  }] as const;
  return tablesOf({ ...SCOPE, watchesUdp: true, families, rules }, { ...LIVE_OPTIONS, workers: 2, holding });
}

/** The rules of an install and those of a running proxy. */
export function trialTables(families: readonly Family[]): CompiledTable[] {
  return tablesOf({ ...SCOPE, families });
}

function tablesOf(scope: Scope, options: LiveOptions = { ...LIVE_OPTIONS, workers: 2 }): CompiledTable[] {
  return [
    compileTable({ intent: planIntent(scope) }),
    compileLive(planLive(scope, options)),
  ];
}
