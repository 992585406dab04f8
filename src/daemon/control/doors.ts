/**
 * The listeners at which a proxy is asked: the control socket, and that of `metrics`, which is off unless the
 * config says where.
 * @module
 */
import type { Logger } from "../../log.ts";
import { formatIp, parseEndpoint } from "../../net/ip.ts";
import type { ControlSocket } from "./control_socket.ts";
import { ADDRESSES, TUNNEL } from "./guard.ts";
import type { Subject } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { type ControlServer, serveHttp } from "./server.ts";

/** Milliseconds until an address is tried again that is another's, or not there yet. */
const RETRY_MS = 2000;
const NOBODY: ControlServer = { end() {} };

/** Serves the control socket; where there is none, nobody. */
export function serveControl(
  socket: ControlSocket | undefined,
  subject: Subject,
  log: Logger,
): ControlServer {
  if (socket === undefined) return NOBODY;
  return serveHttp(socket.listener, { hosts: TUNNEL, routes: ROUTES }, subject, log);
}

/**
 * Serves the metrics, and nothing else, at `metrics`: an address and a port, or off. One that cannot be had
 * is said, and tried again: the former proxy may have it until its last connection ends.
 */
export function serveMetrics(metrics: string, subject: Subject, log: Logger): ControlServer {
  const place = parseEndpoint(metrics);
  if (place === undefined) return NOBODY;
  const { port } = place;
  const hostname = formatIp(place.address);
  let listener: Deno.Listener | undefined;
  let server = NOBODY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    try {
      listener = Deno.listen({ hostname, port });
    } catch (error) {
      if (timer === undefined) log.warn("nobody can read metrics yet", { metrics, reason: String(error) });
      timer = setTimeout(open, RETRY_MS);
      return;
    }
    if (timer !== undefined) log.info("metrics can be read", { metrics });
    server = serveHttp(listener, { hosts: ADDRESSES, routes: [metricsRoute] }, subject, log);
  };
  open();
  return {
    end() {
      clearTimeout(timer);
      server.end();
      listener?.close();
    },
  };
}
