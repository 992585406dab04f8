/**
 * Whether a proxy is running: looks for its listeners in /proc/net.
 * @module
 */
import type { Protocol } from "../config/types.ts";
import type { Family } from "../net/ip.ts";

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
      listening: isListening({ protocol, family }, question),
    }))
  );
}

function isListening(
  { protocol, family }: { protocol: Protocol; family: Family },
  { port, readTextFile }: ListenerQuestion,
): boolean {
  const local = `${ADDRESSES[family]}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readProcNet(`${protocol}${family === "ipv6" ? "6" : ""}`, readTextFile)
    .split("\n").map((line) => line.trim().split(/\s+/))
    .some((fields) => fields[1] === local && fields[3] === STATES[protocol]);
}

function readProcNet(file: string, readTextFile: (path: string) => string): string {
  try {
    return readTextFile(`/proc/thread-self/net/${file}`);
  } catch {
    return ""; // no IPv6, or no /proc
  }
}
