/**
 * Port numbers of netlink sockets: by them notifications of what we do are known as ours.
 * @module
 */

// The process in the lower bits, as libnl has it, and the number of the socket.
const PROCESS_BITS = 22;
const PROCESS_MASK = (1 << PROCESS_BITS) - 1;
const SOCKETS = 1023;
/** Threads begin anywhere: a number that is taken makes room for one of the kernel's choice. */
let socketCount = Math.floor(Math.random() * SOCKETS);

/** The number of the next socket of this process. */
export function nextPort(): number {
  socketCount = (socketCount + 1) % SOCKETS;
  return (((socketCount + 1) << PROCESS_BITS) | (Deno.pid & PROCESS_MASK)) >>> 0;
}

/** Those of sockets that another process has given to this one. */
const adopted = new Set<number>();

/** Knows a socket's number as ours from now on. */
export function adoptPort(portId: number): void {
  adopted.add(portId);
}

/** Tells whether a port number is of a socket of this process. */
export function isOurPort(portId: number): boolean {
  return portId !== 0 && ((portId & PROCESS_MASK) === (Deno.pid & PROCESS_MASK) || adopted.has(portId));
}
