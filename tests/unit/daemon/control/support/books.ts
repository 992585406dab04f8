/** Books of a worker with live sessions that nobody serves. */
import { Books } from "../../../../../src/dataplane/shared/books.ts";
import { Ledger } from "../../../../../src/dataplane/shared/ledger.ts";
import { allocateMemory } from "../../../../../src/dataplane/shared/memory.ts";
import { TCP, UDP } from "../../../../../src/dataplane/shared/session_key.ts";
import { WorkerTotals } from "../../../../../src/dataplane/shared/totals.ts";
import { OPEN } from "../../../../../src/dataplane/tcp/stage_numbers.ts";
import { sockaddr } from "../../../dataplane/support/addresses.ts";

/** The moment at which they began, in milliseconds of CLOCK_MONOTONIC. */
export const BEGUN = 5000;

/** Facts of a session. */
export interface Live {
  readonly slot: number;
  readonly client: string;
  readonly destination: string;
  readonly name?: string;
  readonly rule?: number;
  readonly carrier?: number;
}

/** Opens books, and gives the ledgers of their only worker. */
export function openBooks(rows: number): { books: Books; tcp: Ledger; udp: Ledger } {
  const memory = allocateMemory({ workers: 1, connections: rows, udpSessions: rows });
  const books = new Books(memory);
  const rules = { generation: 1, rules: ["games", "work"], otherwise: "default", upstreams: ["office"] };
  const totals = new WorkerTotals(0, books.begin(rules));
  const [flows] = memory.ledgers;
  return {
    books,
    tcp: new Ledger(flows.tcp, TCP, totals, flows),
    udp: new Ledger(flows.udp, UDP, totals, flows),
  };
}

/** Begins a session. */
export function begin(ledger: Ledger, { slot, client, destination, name, rule, carrier }: Live): void {
  ledger.open(slot, slot + 1, sockaddr(client), 0, BEGUN);
  ledger.destination(slot, sockaddr(destination), 0);
  ledger.stage(slot, OPEN);
  if (rule !== undefined) ledger.decided(slot, rule);
  ledger.through(slot, carrier ?? 0);
  if (name !== undefined) ledger.named(slot, new TextEncoder().encode(name), name.length);
}
