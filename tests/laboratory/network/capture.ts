/**
 * tcpdump on an interface of the laboratory.
 * @module
 */
import type { Namespace } from "../namespace.ts";
import { delay } from "../machine/wait.ts";

/** Captures until `stop`, which gives one line a packet. */
export interface Capture {
  stop(): Promise<string[]>;
}

/** Starts tcpdump and waits until it captures. `verbose`: with TOS and the verdict on checksums. */
export async function startCapture(
  namespace: Namespace,
  options: { link: string; filter: string; verbose?: boolean },
): Promise<Capture> {
  const flags = options.verbose === true ? "-nltvv" : "-nlt";
  const argv = ["tcpdump", flags, "--immediate-mode", "-i", options.link, options.filter];
  const program = await namespace.start(argv);
  await program.waitForOutput("listening on");
  return {
    async stop() {
      await delay(100);
      await program.stop("SIGINT");
      // Further lines of a packet, indented, are joined to its first.
      return program.stdout.replaceAll(/\n\s+/g, " ").split("\n").filter((line) => line !== "");
    },
  };
}
