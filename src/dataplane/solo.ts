/**
 * A worker's context in a thread that has no main thread: its books are its own.
 * @module
 */
import type { Logger } from "../log.ts";
import { makeContext, type WorkerContext } from "./context.ts";
import type { Settings } from "./settings.ts";
import { Books } from "./shared/books.ts";
import { allocateMemory } from "./shared/memory.ts";

/** A context, and the books that are kept in it. */
export interface Solo {
  readonly context: WorkerContext;
  readonly books: Books;
}

/** Makes the context of a lone worker. */
export function makeSolo({ log, settings }: { readonly log: Logger; readonly settings: Settings }): Solo {
  const memory = allocateMemory({
    workers: 1,
    connections: settings.maxConnections,
    udpSessions: settings.udp.maxSessions,
  });
  const books = new Books(memory);
  const totals = books.begin({ generation: 0, rules: [], otherwise: "default" });
  return { context: makeContext({ index: 0, memory, totals, log, settings }), books };
}
