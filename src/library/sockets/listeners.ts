/**
 * The sockets of a listener: one for each address.
 * @module
 */
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { localAddress } from "../../../ffi/sockets/socket.ts";
import type { ListenerOptions } from "../../dataplane/sockets/transparent.ts";
import { check, OperationError } from "../../net/error.ts";
import { FAMILIES, listenerAddress } from "../../net/families.ts";
import { formatEndpoint, type IpAddress } from "../../net/ip.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";
import { checkTransparent } from "./refusal.ts";

/** The place of a listener, and its life. */
export interface ListenOptions {
  /** Port that the kernel steers flows to; 0: any that is free. */
  readonly port: number;
  /**
   * Addresses of the listener, as the kernel's rules name them. Default: 127.0.0.1, and ::1 where there is
   * IPv6.
   */
  readonly addresses?: readonly IpAddress[];
  /** SO_MARK of what is sent to clients; 0: none, the default. */
  readonly mark?: number;
  /** Ends listening, and so the loop over what comes; connections that are there go on. */
  readonly signal?: AbortSignal;
}

/** Opens the sockets, all with the same port, or throws OperationError with none left open. */
export function openListeners(
  options: ListenOptions,
  open: (options: ListenerOptions) => number,
): { sockets: WatchedSocket[]; port: number } {
  const sockets: WatchedSocket[] = [];
  let { port } = options;
  try {
    for (const address of options.addresses ?? FAMILIES.map(listenerAddress)) {
      const mayLack = options.addresses === undefined && sockets.length > 0;
      const fd = openAt({ address, port }, { mark: options.mark ?? 0, mayLack, open });
      if (fd === undefined) continue;
      sockets.push(watchSocket(fd));
      const local = makeSockaddr();
      check(localAddress(fd, local), "find", "the listener's port");
      port = readSockaddr(local).port; // the same for the next family, where any was asked for
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return { sockets, port };
}

/** Opens one; undefined where the machine lacks the address, if it may. */
function openAt(
  endpoint: { address: IpAddress; port: number },
  { mark, mayLack, open }: { mark: number; mayLack: boolean; open: (options: ListenerOptions) => number },
): number | undefined {
  const address = makeSockaddr();
  writeSockaddr(address, endpoint);
  try {
    const opened = open({ address, mark, shared: false });
    return checkTransparent(opened, "listen on", formatEndpoint(endpoint));
  } catch (error) {
    const isAbsent = error instanceof OperationError &&
      ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code);
    if (mayLack && isAbsent) return undefined;
    throw error;
  }
}
