/**
 * Clears up what a failed worker has left: sockets are closed, counts corrected, books closed.
 * @module
 */
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { resetOnClose } from "../../../ffi/sockets/sockopt.ts";
import { NamePlaces } from "../flows/name_places.ts";
import type { Books } from "../shared/books.ts";
import { ADDRESS_WORDS, Columns } from "../shared/columns.ts";
import { LOST } from "../shared/endings.ts";
import { Ledger } from "../shared/ledger.ts";
import type { LedgerMemory } from "../shared/memory.ts";
import { PerClient } from "../shared/per_client.ts";
import { PROTOCOLS, TCP, UDP } from "../shared/session_key.ts";
import type { WorkerTotals } from "../shared/totals.ts";

/** Sessions that were left. */
export interface Salvaged {
  readonly connections: number;
  readonly udpSessions: number;
}

/** Closes the books of a worker whose thread writes no more, and all descriptors that stand in them. */
export function salvage(worker: number, memory: LedgerMemory, books: Books): Salvaged {
  const { state } = books;
  const totals = books.hold(worker);
  state.forgetLive(worker);
  books.upstreams.forgetWorker(worker);
  const salvaged = {
    connections: salvageLedger(memory, TCP, new PerClient(state.tcpClients), totals),
    udpSessions: salvageLedger(memory, UDP, new PerClient(state.udpClients), totals),
  };
  new NamePlaces(memory.names).clear(); // it may have failed between taking a place and noting it
  return salvaged;
}

/** Returns how many sessions the ledger of a protocol held. */
function salvageLedger(
  memory: LedgerMemory,
  protocol: number,
  perClient: PerClient,
  totals: WorkerTotals,
): number {
  const columns = new Columns(memory[PROTOCOLS[protocol]]);
  const ledger = new Ledger(memory[PROTOCOLS[protocol]], protocol, totals, memory);
  let sessions = 0;
  for (let slot = 0; slot < columns.used; slot++) {
    columns.mend(slot);
    if (columns.tag[slot] === 0) continue;
    sessions++;
    const fds = [columns.clientFd[slot], columns.upstreamFd[slot]];
    perClient.remove(columns.client, slot * ADDRESS_WORDS);
    ledger.end(slot, LOST);
    for (const fd of fds) {
      if (fd < 0) continue;
      resetOnClose(fd); // both ends are told, where there are two: of UDP it means nothing
      closeFd(fd);
    }
  }
  return sessions;
}
