/**
 * The control socket's server: HTTP/1.1 for few. Deno's own would take 3 MB of memory as soon as it listens.
 * @module
 */
import type { Logger } from "../../log.ts";
import type { ControlSocket } from "./control_socket.ts";
import { Exchange } from "./exchange.ts";
import { RateWatch } from "./rates.ts";
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

/** Serves a socket until it is ended; where there is none, nobody. */
export function serveControl(
  socket: ControlSocket | undefined,
  started: Omit<Subject, "rates">,
  log: Logger,
): ControlServer {
  if (socket === undefined) return { end() {} };
  const { listener } = socket;
  const rates = new RateWatch(started.proxy.dataplane);
  const subject = { ...started, rates };
  const open = new Set<Exchange>();
  let ended = false;
  const take = (conn: Deno.UnixConn) => {
    const exchange = new Exchange(conn);
    if (!makeRoom(open)) return exchange.turnAway();
    open.add(exchange);
    return exchange.serve(subject).catch((error) => {
      // A defect of ours: it ends one answer, and no proxy.
      log.error("a request to the control socket failed", { reason: String(error) });
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
      rates.end();
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
