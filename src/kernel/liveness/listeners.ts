/**
 * Whether a proxy is running: looks for its listeners in /proc/net.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";

/** A listener that a running proxy would have. */
export interface ListenerStatus {
  readonly protocol: Protocol;
  readonly address: string;
  readonly listening: boolean;
}

/** TCP_LISTEN and, for UDP, TCP_CLOSE: net/tcp_states.h */
const STATES: Readonly<Record<Protocol, string>> = { tcp: "0A", udp: "07" };
/** The loopback addresses as /proc/net writes them: 32-bit words in the machine's byte order. */
const ADDRESSES: Readonly<Record<Family, string>> = {
  ipv4: "0100007F",
  ipv6: "00000000000000000000000001000000",
};

const WILDCARDS: Readonly<Record<Family, string>> = { ipv4: "0".repeat(8), ipv6: "0".repeat(32) };

/** What to look for. */
export interface ListenerQuestion {
  readonly protocols: readonly Protocol[];
  readonly families: readonly Family[];
  readonly port: number;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** Each listener of the proxy, there or not, in the network namespace of the calling thread. */
export function findListeners(question: ListenerQuestion): ListenerStatus[] {
  const { port } = question;
  return question.protocols.flatMap((protocol) =>
    question.families.map((family) => ({
      protocol,
      address: family === "ipv4" ? `127.0.0.1:${port}` : `[::1]:${port}`,
      listening: hasListener({ protocol, family, port }, question.readTextFile),
    }))
  );
}

/** A socket to look for. */
export interface ListenerKey {
  readonly protocol: Protocol;
  readonly family: Family;
  readonly port: number;
  /** One on all addresses does as well as one on the loopback address. */
  readonly anyAddress?: boolean;
}

/** Whether there is one in the network namespace of the calling thread. */
export function hasListener(
  { protocol, family, port, anyAddress = false }: ListenerKey,
  readTextFile: ListenerQuestion["readTextFile"],
): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const has = (file: string, addresses: readonly string[]) =>
    readProcNet(file, readTextFile).split("\n").map((line) => line.trim().split(/\s+/))
      .some((fields) =>
        addresses.some((address) => fields[1] === `${address}${end}`) && fields[3] === STATES[protocol]
      );
  const own = anyAddress ? [ADDRESSES[family], WILDCARDS[family]] : [ADDRESSES[family]];
  if (has(`${protocol}${family === "ipv6" ? "6" : ""}`, own)) return true;
  // A socket of IPv6 on all addresses takes IPv4 too, unless it has IPV6_V6ONLY, which is not told here.
  return anyAddress && family === "ipv4" && has(`${protocol}6`, [WILDCARDS.ipv6]);
}

function readProcNet(file: string, readTextFile: (path: string) => string): string {
  try {
    return readTextFile(`/proc/thread-self/net/${file}`);
  } catch {
    return ""; // no IPv6, or no /proc
  }
}
