/**
 * Runs the checks of the self-test one after another.
 * @module
 */
import { type CheckContext, CHECKS, CheckSkip } from "./checks.ts";
import { openNetwork } from "./network.ts";
import type { Result } from "./report.ts";

/** What a run needs. */
export interface RunnerOptions {
  /** The module of a host's thread. */
  readonly hostUrl: URL;
  readonly tproxy: CheckContext["tproxy"];
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
}

/** Starts the self-test. */
export function runChecks(options: RunnerOptions): Runner {
  let aborted = false;
  const opened = openNetwork(options.hostUrl);
  const abort = async () => {
    aborted = true;
    await (await opened.catch(() => null))?.close();
  };
  async function run(): Promise<Result[]> {
    const network = await opened;
    const context: CheckContext = {
      network,
      tproxy: options.tproxy,
      uninstall: options.uninstall,
      before: [],
    };
    const results: Result[] = [];
    try {
      for (const check of CHECKS) {
        if (aborted) break;
        options.onStart(check.name);
        const start = performance.now();
        const [result, detail] = await check.run(context).then(
          (remark): ["pass", string] => ["pass", remark ?? ""],
          (
            error: Error,
          ): ["skip" | "fail", string] => [error instanceof CheckSkip ? "skip" : "fail", error.message],
        );
        if (aborted) break;
        const row = { name: check.name, result, detail, milliseconds: Math.round(performance.now() - start) };
        results.push(row);
        options.onResult(row);
      }
      await network.client.closeFlows();
    } finally {
      if (!aborted) await network.close();
    }
    return results;
  }
  return { results: run(), abort };
}
