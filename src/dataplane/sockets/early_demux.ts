/**
 * Early demultiplexing of TCP: the kernel looks for a packet's socket before it routes it, and forwards none
 * for which it has found one. But a SYN must be forwarded to ask although the router has a socket of an
 * earlier connection with the same addresses (TIME_WAIT), or of the same SYN before (a request).
 * @module
 */
import type { Logger } from "../../log.ts";

const SYSCTL = "net.ipv4.tcp_early_demux"; // for IPv6 as well
const PATH = "/proc/sys/net/ipv4/tcp_early_demux";

/** Switches it off in this network namespace. Returns how it is made as it was before. */
export function suspendEarlyDemux(log: Logger): () => void {
  const before = read();
  if (before === "0" || !write("0", log)) return () => {};
  return () => void write(before, log);
}

function read(): string {
  try {
    return Deno.readTextFileSync(PATH).trim();
  } catch {
    return "1"; // the kernel's default
  }
}

function write(value: string, log: Logger): boolean {
  try {
    Deno.writeTextFileSync(PATH, `${value}\n`);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn("cannot set a sysctl; a client that uses a port again within a minute may have to wait", {
      sysctl: `${SYSCTL}=${value}`,
      reason,
    });
    return false;
  }
}
