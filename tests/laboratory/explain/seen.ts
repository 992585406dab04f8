/**
 * Flows as a server's link shows them: who comes, from where, and what is refused. Pure.
 * @module
 */
import { formatIp } from "../../../src/net/ip.ts";

/** A packet that has come to a server, or an answer to a client that has come there. */
export interface Seen {
  /** `arrived`: the first packet of a flow. */
  readonly what: "arrived" | "refused" | "no route";
  readonly protocol: "tcp" | "udp";
  /** The client's address and port as the server sees them; of an answer, as the client has them. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

const TCP = 6;
const UDP = 17;
const RST = 4;
const SYN_OR_ACK = 18;

/** Reads an Ethernet frame; undefined: it is something else. */
export function readSeen(frame: Uint8Array): Seen | undefined {
  return readIp(frame.subarray(14), "arrived");
}

function readIp(packet: Uint8Array, what: Seen["what"]): Seen | undefined {
  const version = packet[0] >> 4;
  if (version !== 4 && version !== 6) return undefined;
  const [protocol, start, at, width] = version === 4
    ? [packet[9], (packet[0] & 15) * 4, 12, 4]
    : [packet[6], 40, 8, 16];
  const bytes = packet.subarray(start);
  if (protocol === 1 || protocol === 58) return readError(bytes, protocol);
  const family = version === 4 ? "ipv4" : "ipv6";
  const address = (offset: number) => formatIp({ family, bytes: packet.slice(offset, offset + width) });
  const flow: Omit<Seen, "what"> = {
    protocol: protocol === TCP ? "tcp" : "udp",
    source: address(at),
    destination: address(at + width),
    sourcePort: bytes[0] << 8 | bytes[1],
    destinationPort: bytes[2] << 8 | bytes[3],
  };
  // What an error quotes may end behind the ports.
  if (protocol === UDP || what !== "arrived" && protocol === TCP) return { what, ...flow };
  if (protocol !== TCP) return undefined;
  if ((bytes[13] & RST) !== 0) {
    return {
      what: "refused",
      protocol: "tcp",
      source: flow.destination,
      sourcePort: flow.destinationPort,
      destination: flow.source,
      destinationPort: flow.sourcePort,
    };
  }
  return (bytes[13] & SYN_OR_ACK) === 2 ? { what, ...flow } : undefined;
}

/** Filters refuse with "port unreachable" here. */
function readError(bytes: Uint8Array, protocol: number): Seen | undefined {
  if (bytes[0] !== (protocol === 1 ? 3 : 1)) return undefined;
  const isPort = bytes[1] === (protocol === 1 ? 3 : 4);
  return readIp(bytes.subarray(8), isPort ? "refused" : "no route");
}
