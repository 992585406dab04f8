/**
 * Runs the checks of the self-test one after another.
 * @module
 */
import { type Check, type CheckContext, CheckSkip } from "./checks/check.ts";
import { CHECKS } from "./checks/checks.ts";
import { type Network, openNetwork } from "./network.ts";
import type { Result } from "./report.ts";

/** Tools of a run. */
export interface RunnerOptions {
  /** The module of a host's thread. */
  readonly hostUrl: URL;
  readonly tproxy: CheckContext["tproxy"];
  readonly routerTraffic: boolean;
  readonly admission: CheckContext["admission"];
  readonly uninstall: CheckContext["uninstall"];
  /** Told before each check, and after it. */
  onStart(name: string): void;
  onResult(result: Result): void;
}

/** A self-test under way. */
export interface Runner {
  /** All results. Rejects where the network cannot be made. */
  readonly results: Promise<Result[]>;
  /** Ends it at once, and what it has started. */
  abort(): Promise<void>;
  /** Kills the proxy, without waiting: for when the process ends at once. */
  killProxy(): void;
}

/** Starts the self-test. */
export function runChecks(options: RunnerOptions): Runner {
  let aborted = false;
  const opened = openNetwork(options.hostUrl);
  let network: Network | undefined;
  const abort = async () => {
    aborted = true;
    await (await opened.catch(() => null))?.close();
  };
  async function run(): Promise<Result[]> {
    network = await opened;
    const context: CheckContext = {
      network,
      tproxy: options.tproxy,
      routerTraffic: options.routerTraffic,
      admission: options.admission,
      uninstall: options.uninstall,
      before: [],
    };
    const results: Result[] = [];
    let obstacle: string | undefined;
    try {
      for (const check of CHECKS) {
        if (aborted) break;
        options.onStart(check.name);
        const row = obstacle === undefined || check.cleanup
          ? await runCheck(check, context)
          : skip(check, `not tried: "${obstacle}" failed`);
        if (aborted) break;
        if (check.essential && row.result === "fail") obstacle ??= check.name;
        results.push(row);
        options.onResult(row);
      }
      await network.client.closeFlows();
    } finally {
      if (!aborted) await network.close();
    }
    return results;
  }
  return {
    results: run(),
    abort,
    killProxy: () => kill(network?.proxyPid),
  };
}

async function runCheck(check: Check, context: CheckContext): Promise<Result> {
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  try {
    const detail = await check.run(context) ?? "";
    return { name: check.name, result: "pass", detail, milliseconds: elapsed() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const result = error instanceof CheckSkip ? "skip" : "fail";
    return { name: check.name, result, detail, milliseconds: elapsed() };
  }
}

function skip(check: Check, detail: string): Result {
  return { name: check.name, result: "skip", detail, milliseconds: 0 };
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}
