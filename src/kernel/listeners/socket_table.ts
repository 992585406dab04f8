/**
 * The listening sockets of this network namespace, as /proc/net lists them. It does not tell which are
 * transparent.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";
import type { ReadTextFile } from "../machine/machine.ts";

/** TCP_LISTEN and, for UDP, TCP_CLOSE: net/tcp_states.h */
const STATES: Readonly<Record<Protocol, string>> = { tcp: "0A", udp: "07" };
/** Loopback addresses as /proc/net writes them: 32-bit words in the machine's byte order. */
const LOOPBACK: Readonly<Record<Family, string>> = {
  ipv4: "0100007F",
  ipv6: "00000000000000000000000001000000",
};
const WILDCARD: Readonly<Record<Family, string>> = { ipv4: "0".repeat(8), ipv6: "0".repeat(32) };

/** A socket to look for, on the loopback address. */
export interface SocketKey {
  readonly protocol: Protocol;
  readonly family: Family;
  readonly port: number;
  /** One on all addresses does as well. */
  readonly anyAddress?: boolean;
}

/** Finds the inodes of the sockets that listen there, in the network namespace of the calling thread. */
export function findSockets(key: SocketKey, readTextFile: ReadTextFile): string[] {
  const { protocol, family, port, anyAddress = false } = key;
  const find = (table: Family, addresses: readonly string[]) =>
    listRows(`${protocol}${table === "ipv6" ? "6" : ""}`, readTextFile)
      .filter((row) => addresses.includes(row.address) && row.port === port && row.state === STATES[protocol])
      .map(({ inode }) => inode);
  const own = find(family, anyAddress ? [LOOPBACK[family], WILDCARD[family]] : [LOOPBACK[family]]);
  // A socket of IPv6 on all addresses takes IPv4 too, unless it has IPV6_V6ONLY, which is not told here.
  const dual = anyAddress && family === "ipv4" ? find("ipv6", [WILDCARD.ipv6]) : [];
  return [...own, ...dual];
}

/** Tells whether anybody listens there. */
export function hasListener(key: SocketKey, readTextFile: ReadTextFile): boolean {
  return findSockets(key, readTextFile).length > 0;
}

/** Lines such as `0: 0100007F:C3A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 …`. */
function listRows(table: string, readTextFile: ReadTextFile) {
  return readTable(table, readTextFile).split("\n").slice(1).map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 9)
    .map((fields) => {
      const [address, port] = fields[1].split(":");
      return { address, port: parseInt(port, 16), state: fields[3], inode: fields[9] };
    });
}

function readTable(table: string, readTextFile: ReadTextFile): string {
  try {
    return readTextFile(`/proc/thread-self/net/${table}`);
  } catch {
    return ""; // no IPv6, or no /proc
  }
}
