/**
 * One try: the product is started for the first time, and then loaded, in a cgroup of so many bytes.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { MemoryCgroup } from "../../../../tests/laboratory/machine/memory_cgroup.ts";
import { anonymousBytes, isAlive, residentBytes } from "../../../../tests/laboratory/machine/procfs.ts";
import { tproxyCommand } from "../../../../tests/laboratory/proxy/proxy.ts";
import { startUdpProxy } from "../../../../tests/laboratory/network/udp_peers.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import { load, type Throughput } from "./load.ts";

/** After the start a proxy gives back what only the start has needed: src/daemon/daemon.ts. */
export const SETTLE_MS = 5000;

/** Result of a run under a limit. Bytes, milliseconds. */
export interface LimitResult {
  /** First start, with unpacking, of `--version`. undefined: it was killed or failed. */
  readonly firstStart: number | undefined;
  /** The proxy before the load. undefined: it did not come up. */
  readonly idle: { readonly resident: number; readonly anonymous: number } | undefined;
  /** The proxy after the load. undefined: the kernel has killed it. */
  readonly loaded: { readonly resident: number; readonly anonymous: number } | undefined;
  /** undefined: the load did not come to its end. */
  readonly throughput: Throughput | undefined;
  /** The processes that the kernel has killed for want of memory. */
  readonly killed: number;
}

/** Tries it in a fresh cache directory of the laboratory. */
export async function tryLimit(lab: Lab, bytes: number | undefined, seconds: number): Promise<LimitResult> {
  await using cgroup = new MemoryCgroup(bytes);
  const cache = `${lab.directory}/cache`;
  const env = { TPROXY_CACHE_DIR: cache };
  const started = performance.now();
  const first = await lab.router.run([...cgroup.wrapper, ...tproxyCommand(), "--version"], {
    env,
    mayFail: true,
    timeoutMs: 120_000,
  });
  const firstStart = first.code === 0 ? performance.now() - started : undefined;
  const config = { listener: { workers: 1 } };
  const proxy = await startUdpProxy(lab, config, { wrapper: cgroup.wrapper, env }).catch(() => undefined);
  if (proxy === undefined) return { firstStart, ...NOTHING, killed: cgroup.killed };
  await delay(SETTLE_MS);
  const memory = () =>
    isAlive(proxy.pid)
      ? { resident: residentBytes(proxy.pid), anonymous: anonymousBytes(proxy.pid) }
      : undefined;
  const idle = memory();
  const throughput = await load(lab, seconds).catch(() => undefined);
  const result = { firstStart, idle, loaded: memory(), throughput, killed: cgroup.killed };
  // The cgroup can be removed when nobody is in it.
  await proxy.program.stop("SIGKILL");
  return result;
}

const NOTHING = { idle: undefined, loaded: undefined, throughput: undefined };
