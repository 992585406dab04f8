/**
 * Flows that end before they have a session: the books and the access log know of them all the same.
 * @module
 */
import type { FoundName } from "../../sniff/found.ts";
import { allocateLedger } from "../shared/columns.ts";
import { BLOCKED } from "../shared/endings.ts";
import { type FlowMemory, Ledger } from "../shared/ledger.ts";
import type { WorkerTotals } from "../shared/totals.ts";

/** A worker's way to note them, for one protocol. */
export class TurnedAway {
  /** One row is enough: no flow stays in it. */
  readonly #ledger: Ledger;

  constructor(protocol: number, totals: WorkerTotals, flows: FlowMemory) {
    this.#ledger = new Ledger(allocateLedger(8), protocol, totals, flows);
  }

  /**
   * Notes a flow that `rule` blocks, for its name. `client` and `destination` are where in `words` their
   * struct sockaddr begin. `now`: milliseconds of CLOCK_MONOTONIC.
   */
  blocked(
    words: Int32Array,
    client: number,
    destination: number,
    rule: number,
    name: FoundName,
    now: number,
  ): void {
    const ledger = this.#ledger;
    ledger.open(0, 1, words, client, now);
    ledger.destination(0, words, destination);
    ledger.decided(0, rule);
    ledger.named(0, name.bytes, name.length);
    ledger.end(0, BLOCKED);
  }
}
