/**
 * A ledger for a test.
 * @module
 */
import { allocateLedger } from "../../../../src/dataplane/shared/columns.ts";
import { Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { Totals, WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { UDP } from "../../../../src/dataplane/shared/session_key.ts";

/** A ledger of UDP with so many rows, its memory, and the totals of generation 1 with 2 rules. */
export function testLedger(rows: number): { ledger: Ledger; memory: SharedArrayBuffer; totals: Totals } {
  const memory = allocateLedger(rows);
  const totals = new Totals({ generation: 1, rules: 2, workers: 1 });
  return { ledger: new Ledger(memory, UDP, new WorkerTotals(0, totals.memory)), memory, totals };
}
