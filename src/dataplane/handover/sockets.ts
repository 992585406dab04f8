/**
 * The sockets of a worker on their way to another process: descriptors become places in a list, and back.
 * Pure.
 * @module
 */
import type { AskingSockets } from "../orders.ts";
import type { WorkerSockets } from "../sockets/listeners.ts";

/** The sockets of a worker that outlive it. */
export interface LastingSockets {
  readonly own: WorkerSockets;
  /** null: nobody asks. */
  readonly asking: AskingSockets | null;
}

/** Keys whose values are descriptors, -1 for none. */
const DESCRIPTORS: readonly string[] = ["fd", "ipv4", "ipv6", "log", "refusals", "datagrams"];
const ADDRESS = "address";
/** A way to a child of the process that gives: the other one opens its own. */
const CHANNEL = "channel";

/** Describes the sockets of all workers; their descriptors are in the list. */
export function packSockets(sockets: readonly LastingSockets[]): { text: string; fds: number[] } {
  const fds: number[] = [];
  const text = JSON.stringify(sockets, (key, value) => {
    if (value instanceof Uint8Array) return [...value];
    if (key === CHANNEL) return -1;
    return DESCRIPTORS.includes(key) && typeof value === "number" && value >= 0 ? fds.push(value) - 1 : value;
  });
  return { text, fds };
}

/** Reads the description. `fds`: the descriptors as this process has them. */
export function unpackSockets(text: string, fds: readonly number[]): LastingSockets[] {
  return JSON.parse(text, (key, value) => {
    if (key === ADDRESS) return Uint8Array.from(value);
    return DESCRIPTORS.includes(key) && typeof value === "number" && value >= 0 ? fds[value] : value;
  });
}
