/**
 * The listener's port: free, held by a proxy of ours, or taken by another program.
 * @module
 */
import { AF_INET, AF_INET6, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import type { Protocol } from "../../config/types.ts";
import { EACCES, EADDRINUSE } from "../../net/errno.ts";
import { listenerAddress } from "../../net/families.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";
import type { MachineFiles } from "../machine/files.ts";
import { describeErrno, type Finding, notPermitted, warning, works } from "../finding.ts";
import { describeProcess, findHolders, isTproxy, type Process } from "../machine/processes.ts";
import type { Situation } from "../situation.ts";
import { findSockets } from "../../kernel/listeners/socket_table.ts";

/** One place where the proxy listens. */
export interface PortFacts {
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  /** What bind(2) says to a socket like the proxy's: a positive errno, 0 if it is free. */
  readonly errno: number;
  /** Who holds it, as far as it can be seen. */
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

/** A finding for each place. */
export function judgePorts(facts: readonly PortFacts[]): Finding[] {
  return facts.map(({ protocol, endpoint, errno, holders }) => {
    const id = `listener-${protocol}-${endpoint.address.family}`;
    const what = `${protocol} ${formatEndpoint(endpoint)}`;
    if (errno === 0) return works(id, what, "free");
    const proxy = holders.find(isTproxy);
    if (proxy !== undefined) return works(id, what, `${describeProcess(proxy)} listens`);
    if (errno === EACCES) return notPermitted(id, { what, errno, blocks: true });
    return warning(id, {
      what,
      blocks: true,
      cause: errno === EADDRINUSE ? describeHolders(holders) : describeErrno(errno),
      remedy: errno === EADDRINUSE
        ? "Stop that program, or set listener.port in the config to a port that nobody uses"
        : "Is the loopback up, with its address? ip link set lo up",
    });
  });
}

/** Command lines are cut to this length. */
const SHOWN = 80;

function describeHolders(holders: readonly Process[]): string {
  if (holders.length === 0) return "Another program holds the port; only root can see which";
  return holders.map((holder) => {
    const line = holder.words.join(" ");
    return `${describeProcess(holder)} holds it: ${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}`;
  }).join("; ");
}
