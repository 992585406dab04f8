/**
 * Transfers for tests of upgrades: transfers.c, built for a laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { print } from "../machine/print.ts";
import { type Program, runProgram } from "../program.ts";

const PORT = 7001;

/** Counts of one side. */
export interface TransferCounts {
  readonly done: number;
  readonly failed: number;
  readonly bytes: number;
}

/** Transfers that are made. */
export interface RunningTransfers {
  readonly program: Program;
  /** Resolves, when all have ended, with the counts of both sides; rejects if some have not by then. */
  end(timeoutMs: number): Promise<{ client: TransferCounts; server: TransferCounts }>;
}

/** Begins so many transfers, at most so many at once; the long ones take up to so many seconds. */
export async function startTransfers(
  lab: Lab,
  { count, atOnce, seconds }: { readonly count: number; readonly atOnce: number; readonly seconds: number },
): Promise<RunningTransfers> {
  const path = `${lab.directory}/transfers`;
  const source = new URL("transfers.c", import.meta.url).pathname;
  await runProgram(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, source]);
  const at = [ADDRESSES[4].server, `${PORT}`];
  const server = await lab.server.start([path, "serve", ...at], { listens: PORT });
  const program = await lab.client.start([path, "run", ...at, ...[count, atOnce, seconds].map(String)]);
  return {
    program,
    async end(timeoutMs) {
      await program.waitForExit({ timeoutMs });
      await server.closeInput();
      await server.waitForExit();
      return { client: counts(program), server: counts(server) };
    },
  };
}

function counts({ stdout, stderr }: Program): TransferCounts {
  if (stderr !== "") print(stderr.split("\n").slice(0, 20).join("\n"));
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}
