/**
 * Run by read_ledger_test.ts as a thread: sessions come and go in a ledger as fast as they can. Every word of
 * a row comes from its tag, so that a reader knows a row that was put together from two.
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { ADDRESS_WORDS } from "../../../../src/dataplane/shared/columns.ts";
import { type FlowMemory, Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { UDP } from "../../../../src/dataplane/shared/session_key.ts";
import { WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";

interface Work {
  readonly memory: SharedArrayBuffer;
  readonly totals: SharedArrayBuffer;
  readonly flows: FlowMemory;
  /** The word in which the test says that it is enough. */
  readonly enough: Int32Array;
  readonly rows: number;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Work>) => void;
  postMessage(message: unknown): void;
  close(): void;
};

scope.onmessage = ({ data: { memory, totals, flows, enough, rows } }) => {
  const ledger = new Ledger(memory, UDP, new WorkerTotals(0, totals), flows);
  const address = new Int32Array(ADDRESS_WORDS);
  const live = new Array<boolean>(rows).fill(false);
  let tag = 0;
  scope.postMessage("ready");
  while (Atomics.load(enough, 0) === 0) {
    tag = (tag % 0xffff) + 1;
    const slot = tag % rows;
    if (live[slot]) ledger.end(slot, 0);
    address.fill(tag);
    address[0] = AF_INET | (tag << 16);
    ledger.open(slot, tag, address, 0, tag);
    ledger.client(slot, tag);
    ledger.upstream(slot, tag, address, 0);
    ledger.destination(slot, address, 0);
    live[slot] = true;
  }
  scope.postMessage(tag);
  scope.close();
};
