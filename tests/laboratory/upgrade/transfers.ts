/**
 * Transfers for tests of upgrades: transfers.c, built for a laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { print } from "../machine/print.ts";
import type { Namespace } from "../namespace.ts";
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

/** Amount of transfers. */
export interface TransferOptions {
  readonly count: number;
  /** Most of them at once. */
  readonly atOnce: number;
  /** Seconds that the long ones take at most. */
  readonly seconds: number;
  /** Their ends; without it the client and the server. */
  readonly way?: TransferWay;
}

/** The ends of transfers. */
export interface TransferWay {
  readonly from: Namespace;
  readonly host: Namespace;
  /** The address of the host. */
  readonly address: string;
  /** The one that is dialled, if not that. */
  readonly dialled?: string;
}

/** Begins transfers. */
export async function startTransfers(
  lab: Lab,
  { count, atOnce, seconds, way }: TransferOptions,
): Promise<RunningTransfers> {
  const path = `${lab.directory}/transfers`;
  const source = new URL("transfers.c", import.meta.url).pathname;
  const plain: TransferWay = { from: lab.client, host: lab.server, address: ADDRESSES[4].server };
  const { from, host, address, dialled = address } = way ?? plain;
  if (!isThere(path)) await runProgram(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, source]);
  const server = await host.start([path, "serve", address, `${PORT}`], { listens: PORT });
  const amount = [count, atOnce, seconds].map(String);
  const program = await from.start([path, "run", dialled, `${PORT}`, ...amount]);
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

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function counts({ stdout, stderr }: Program): TransferCounts {
  if (stderr !== "") print(stderr.split("\n").slice(0, 20).join("\n"));
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}
