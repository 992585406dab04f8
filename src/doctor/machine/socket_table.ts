/**
 * The sockets of this network namespace, as /proc/net lists them.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";
import type { MachineFiles } from "./files.ts";

/** TCP_LISTEN and, for UDP, TCP_CLOSE: net/tcp_states.h */
const STATES: Readonly<Record<Protocol, string>> = { tcp: "0A", udp: "07" };
/** Loopback and wildcard, as /proc/net writes them: 32-bit words in the machine's byte order. */
const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["0100007F", "00000000"],
  ipv6: ["00000000000000000000000001000000", "00000000000000000000000000000000"],
};
const WILDCARD_6 = "00000000000000000000000000000000";

/**
 * The inodes of the sockets that hold a port of the loopback: bound to it, or to all addresses. A wildcard of
 * IPv6 may hold the port of IPv4 too.
 */
export function findSockets(
  files: MachineFiles,
  { protocol, family, port }: { protocol: Protocol; family: Family; port: number },
): string[] {
  const own = listRows(files, family === "ipv4" ? protocol : `${protocol}6`)
    .filter(({ address }) => ADDRESSES[family].includes(address));
  const dual = family === "ipv6"
    ? []
    : listRows(files, `${protocol}6`).filter(({ address }) => address === WILDCARD_6);
  return [...own, ...dual]
    .filter((row) => row.port === port && row.state === STATES[protocol])
    .map(({ inode }) => inode);
}

/** Lines such as `0: 0100007F:C3A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 …`. */
function listRows(files: MachineFiles, table: string) {
  const text = files.readText(`/proc/thread-self/net/${table}`) ?? "";
  return text.split("\n").slice(1).map((line) => line.trim().split(/\s+/)).filter((fields) =>
    fields.length > 9
  )
    .map((fields) => {
      const [address, port] = fields[1].split(":");
      return { address, port: parseInt(port, 16), state: fields[3], inode: fields[9] };
    });
}
