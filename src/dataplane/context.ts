/**
 * Things that all parts of a worker have in common.
 * @module
 */
import type { Logger } from "../log.ts";
import type { PolicyImage } from "../policy/image.ts";
import { Policy } from "../policy/policy.ts";
import { TurnedAway } from "./flows/turned_away.ts";
import type { Clock } from "./loop/clock.ts";
import { Loop } from "./loop/loop.ts";
import type { Settings } from "./settings.ts";
import { Ledger } from "./shared/ledger.ts";
import type { SharedMemory } from "./shared/memory.ts";
import { TCP, UDP } from "./shared/session_key.ts";
import { SharedState } from "./shared/state.ts";
import { WorkerTotals } from "./shared/totals.ts";
import { UpstreamHealth } from "./upstream/health.ts";

/** One object for each worker, which every service is given. */
export interface WorkerContext {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
  /** The worker's number. */
  readonly index: number;
  readonly shared: SharedState;
  /** States of upstreams. */
  readonly health: UpstreamHealth;
  /** The worker's own row of the shared counters. */
  readonly counters: Float64Array<SharedArrayBuffer>;
  /** Its live sessions, in shared memory. */
  readonly ledgers: { readonly tcp: Ledger; readonly udp: Ledger };
  /** Its flows that never get a session. */
  readonly turnedAway: { readonly tcp: TurnedAway; readonly udp: TurnedAway };
  /** Totals of its ended sessions. */
  readonly totals: WorkerTotals;
  /** Those in force: replaced between two turns, never changed. */
  settings: Settings;
  /**
   * The rules in force, replaced like the settings; null: there are none that could decide otherwise than the
   * kernel.
   */
  policy: Policy | null;
}

/** Parts of a context. */
export interface ContextParts {
  readonly index: number;
  readonly memory: SharedMemory;
  /** Memory of the totals of the generation in force. */
  readonly totals: SharedArrayBuffer;
  readonly log: Logger;
  readonly settings: Settings;
  readonly policy?: PolicyImage | null;
}

/** The context of a worker that is about to start. */
export function makeContext({ index, memory, log, settings, ...parts }: ContextParts): WorkerContext {
  const loop = new Loop();
  const shared = new SharedState(memory.state, index);
  const totals = new WorkerTotals(index, parts.totals);
  const flows = memory.ledgers[index];
  return {
    loop,
    clock: loop.clock,
    log,
    index,
    shared,
    health: new UpstreamHealth(memory.upstreams, index),
    counters: shared.row(index),
    ledgers: {
      tcp: new Ledger(flows.tcp, TCP, totals, flows),
      udp: new Ledger(flows.udp, UDP, totals, flows),
    },
    turnedAway: {
      tcp: new TurnedAway(TCP, totals, flows),
      udp: new TurnedAway(UDP, totals, flows),
    },
    totals,
    settings,
    policy: policyOf(parts.policy ?? null),
  };
}

/** Returns the policy of an image; null where it has no rules, and so nothing to ask. */
export function policyOf(image: PolicyImage | null): Policy | null {
  if (image === null) return null;
  const { routes, otherwise } = image;
  const asks = routes.length > 0 || otherwise.action === "block" || otherwise.action === "proxy";
  return asks ? new Policy(image) : null;
}
