/**
 * Early demultiplexing of TCP: the kernel looks for a packet's socket before it routes it, and forwards none
 * for which it has found one. But a SYN must be forwarded to ask although the router has a socket of an
 * earlier connection with the same addresses (TIME_WAIT), or of the same SYN before (a request).
 * @module
 */
import type { Logger } from "../../log.ts";
import { setEarlyDemux } from "../../netlink/served/services.ts";
import { forget, recall, remember } from "./early_demux_memory.ts";

const SYSCTL = "net.ipv4.tcp_early_demux"; // for IPv6 as well
const PATH = "/proc/sys/net/ipv4/tcp_early_demux";

/** Switches it off in this network namespace. Returns how it is made as it was before. */
export function suspendEarlyDemux(log: Logger): () => void {
  const now = read();
  // 0 may be what a proxy has left that was killed. It is written down first: this one may be killed as well.
  const before = now === "0" ? recall().before ?? now : now;
  if (before === "0") return () => {};
  remember(before);
  const failure = now === "0" ? undefined : write("0");
  if (failure !== undefined) {
    log.warn("cannot set a sysctl; a client that uses a port again within a minute may have to wait", {
      sysctl: `${SYSCTL}=0`,
      reason: failure,
    });
  }
  return () => {
    const { noted, used } = recall();
    if (noted || used) return void resumeEarlyDemux();
    // It cannot be written down, or is gone, or another user's proxy has the place: this process knows it.
    if (read() === "0") write(before);
  };
}

/**
 * Makes it as it was before this proxy, or one that has been killed, unless another one runs. Says what it
 * has set, or why that was not possible; undefined: nothing was to be done.
 */
export function resumeEarlyDemux(): { readonly set: string; readonly failure?: string } | undefined {
  const { before, used } = recall();
  if (before === undefined) return undefined;
  // What somebody has set meanwhile stays.
  if (used || read() !== "0") return void forget();
  const failure = write(before);
  if (failure === undefined) forget();
  return { set: `${SYSCTL}=${before}`, ...(failure === undefined ? {} : { failure }) };
}

function read(): string {
  try {
    return Deno.readTextFileSync(PATH).trim();
  } catch {
    return "1"; // the kernel's default
  }
}

/** Returns why it cannot; undefined: it is done. */
function write(value: string): string | undefined {
  try {
    Deno.writeTextFileSync(PATH, `${value}\n`);
    return undefined;
  } catch (error) {
    if (setEarlyDemux(value !== "0") === 0) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}
