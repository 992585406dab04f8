/**
 * tcpdump on an interface of the laboratory.
 * @module
 */
import type { Namespace } from "./namespace.ts";
import { delay } from "./wait.ts";

/** Captures until `stop`, which gives one line a packet. */
export interface Capture {
  stop(): Promise<string[]>;
}

/** Starts tcpdump and waits until it captures. */
export async function startCapture(
  namespace: Namespace,
  options: { link: string; filter: string },
): Promise<Capture> {
  const argv = ["tcpdump", "-nlt", "--immediate-mode", "-i", options.link, options.filter];
  const program = await namespace.start(argv);
  await program.waitForOutput("listening on");
  return {
    async stop() {
      await delay(100);
      await program.stop("SIGINT");
      return program.stdout.split("\n").filter((line) => line !== "");
    },
  };
}
