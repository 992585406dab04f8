/**
 * The listener's port: whether it is free, and who holds it.
 * @module
 */
import { AF_INET, AF_INET6, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import type { Protocol } from "../../config/types.ts";
import { findSockets } from "../../kernel/listeners/socket_table.ts";
import { listenerAddress } from "../../net/families.ts";
import type { Endpoint } from "../../net/ip.ts";
import type { Situation } from "../situation.ts";
import type { MachineFiles } from "./files.ts";
import { findHolders, type Process } from "./processes.ts";

/** A place where the proxy listens. */
export interface PortFacts {
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  /** The answer of bind(2) to a socket like the proxy's: a positive errno, 0 if it is free. */
  readonly errno: number;
  /** The processes that hold it, as far as they can be seen. */
  readonly holders: readonly Process[];
}

/** Tries each address of the proxy, and looks for who holds it. */
export function readPorts(
  files: MachineFiles,
  { config, families, processes }: Pick<Situation, "config" | "families" | "processes">,
): PortFacts[] {
  const { port } = config.listener;
  const read = (path: string) => files.readText(path) ?? "";
  return config.intercept.protocols.flatMap((protocol) =>
    families.map((family) => {
      const address = listenerAddress(family);
      const endpoint = { address, port };
      const errno = tryBind(endpoint, protocol);
      const inodes = errno === 0 ? [] : findSockets({ protocol, family, port, anyAddress: true }, read);
      return { protocol, endpoint, errno, holders: findHolders(files, processes, inodes) };
    })
  );
}

/** Binds and closes at once, without listening: no client notices. */
function tryBind(endpoint: Endpoint, protocol: Protocol): number {
  const domain = endpoint.address.family === "ipv4" ? AF_INET : AF_INET6;
  const fd = openSocket(domain, protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM);
  if (fd < 0) return -fd;
  // A TCP port whose connections still wait for their end is free for a listener.
  if (protocol === "tcp") setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  const address = makeSockaddr();
  writeSockaddr(address, endpoint);
  const bound = bindSocket(fd, address);
  closeFd(fd);
  return bound < 0 ? -bound : 0;
}

/** Lists the processes that hold one of the ports. */
export function holdersOf(ports: readonly PortFacts[]): Process[] {
  return ports.flatMap(({ holders }) => holders);
}
