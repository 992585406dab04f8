/**
 * A ledger for a test.
 * @module
 */
import { allocateLedger } from "../../../../src/dataplane/shared/columns.ts";
import { allocateDialTimes } from "../../../../src/dataplane/flows/dial_times.ts";
import { allocateRing } from "../../../../src/dataplane/flows/flow_ring.ts";
import { allocateNames } from "../../../../src/dataplane/flows/name_places.ts";
import { type FlowMemory, Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { Totals, WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { UDP } from "../../../../src/dataplane/shared/session_key.ts";

/** A ledger of UDP with so many rows, its memory, and the totals of generation 1 with 2 rules. */
export function testLedger(
  rows: number,
): { ledger: Ledger; memory: SharedArrayBuffer; totals: Totals; flows: FlowMemory } {
  const memory = allocateLedger(rows);
  const totals = new Totals({ generation: 1, rules: 2, upstreams: 0, workers: 1 });
  const flows = testFlows();
  return {
    ledger: new Ledger(memory, UDP, new WorkerTotals(0, totals.memory), flows),
    memory,
    totals,
    flows,
  };
}

/** Returns memory for the names and the ended flows of a worker. */
export function testFlows(): FlowMemory {
  return { names: allocateNames(1), ended: allocateRing(), dials: allocateDialTimes() };
}
