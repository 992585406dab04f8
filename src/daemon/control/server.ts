/**
 * A server of HTTP/1.1 for few. Deno's own would take 3 MB of memory as soon as it listens.
 * @module
 */
import type { Logger } from "../../log.ts";
import { type Door, Exchange } from "./exchange.ts";
import type { Subject } from "./route.ts";

/** Connections at once. Descriptors are there for clients of the proxy. */
const MOST_CONNECTIONS = 16;
/** Milliseconds until it tries again where it may open no descriptor. */
const PAUSE_MS = 200;

/** A server. */
export interface ControlServer {
  /** Cuts off who is still asking. */
  end(): void;
}

/** Serves those who connect to a listener, until it is ended. The listener stays open. */
export function serveHttp(
  listener: Deno.Listener,
  door: Door,
  subject: Subject,
  log: Logger,
): ControlServer {
  const open = new Set<Exchange>();
  let ended = false;
  const take = (conn: Deno.Conn) => {
    const exchange = new Exchange(conn, door);
    const hasRoom = makeRoom(open);
    if (hasRoom) open.add(exchange);
    return (hasRoom ? exchange.serve(subject) : exchange.turnAway()).catch((error) => {
      // A defect of ours: it ends one answer, and no proxy.
      log.error("a request to the proxy itself failed", { reason: String(error) });
    }).finally(() => open.delete(exchange));
  };
  const accept = async () => {
    while (!ended) {
      try {
        take(await listener.accept());
      } catch {
        if (!ended) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  };
  accept();
  return {
    end() {
      ended = true;
      for (const exchange of open) exchange.end();
    },
  };
}

/** Makes room for one more: the oldest that has asked nothing yet goes. false: there is none. */
function makeRoom(open: Set<Exchange>): boolean {
  if (open.size < MOST_CONNECTIONS) return true;
  for (const exchange of open) {
    if (!exchange.isWaiting) continue;
    exchange.end();
    open.delete(exchange);
    return true;
  }
  return false;
}
