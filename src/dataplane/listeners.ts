/**
 * Opens the listeners of all workers, before any worker starts: what is wrong is then told by one clear error.
 * @module
 */
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EPERM } from "../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../ffi/sockaddr.ts";
import { closeFd } from "../../ffi/socket.ts";
import { LISTENER_IPV4, LISTENER_IPV6 } from "../constants.ts";
import { OperationError } from "../net/error.ts";
import { type Endpoint, type Family, formatEndpoint, parseIp } from "../net/ip.ts";
import type { ListenerHandle } from "./options.ts";
import { openListener } from "./sockets.ts";

/** The address of the listener of a family: loopback, for reasons told in constants.ts. */
function listenerEndpoint(family: Family, port: number): Endpoint {
  return { address: parseIp(family === "ipv4" ? LISTENER_IPV4 : LISTENER_IPV6)!, port };
}

/** What is listened on. */
export interface ListenOptions {
  readonly families: readonly Family[];
  readonly port: number;
  readonly workers: number;
  /** SO_MARK of the sockets towards clients. */
  readonly mark: number;
}

/**
 * One listener per worker and family: `[worker][family]`. Throws OperationError, with nothing left open, if the port is
 * taken, or transparent sockets are not permitted.
 */
export function openListeners(options: ListenOptions): ListenerHandle[][] {
  const opened: number[] = [];
  try {
    const endpoints = options.families.map((family) => listenerEndpoint(family, options.port));
    // SO_REUSEPORT would share the port with another tproxy without a word: the first try is without it.
    for (const endpoint of endpoints) closeFd(open(endpoint, options.mark, false));
    return Array.from({ length: options.workers }, () =>
      endpoints.map((endpoint) => {
        const fd = open(endpoint, options.mark, true);
        opened.push(fd);
        const address = makeSockaddr();
        writeSockaddr(address, endpoint);
        return { fd, address };
      }));
  } catch (error) {
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

function open(endpoint: Endpoint, mark: number, shared: boolean): number {
  const address = makeSockaddr();
  writeSockaddr(address, endpoint);
  const fd = openListener({ address, mark, shared });
  if (fd >= 0) return fd;
  throw new OperationError({
    operation: "listen on",
    object: formatEndpoint(endpoint),
    errno: -fd,
    hint: hintFor(-fd, endpoint),
  });
}

function hintFor(errno: number, { address, port }: Endpoint): string {
  switch (errno) {
    case EADDRINUSE:
      return `Another program holds the port, perhaps another tproxy run; "ss -ltnp sport = :${port}" shows which. ` +
        `Stop it, or set listener.port`;
    case EPERM:
    case EACCES:
      return "Transparent sockets need root, or CAP_NET_ADMIN and CAP_NET_RAW";
    case EADDRNOTAVAIL:
      return address.family === "ipv6"
        ? "IPv6 is off on the loopback interface: set intercept.families to [ipv4], or net.ipv6.conf.lo.disable_ipv6 to 0"
        : "Is the loopback interface up?";
    default:
      return "";
  }
}
