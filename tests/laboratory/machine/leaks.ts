/**
 * The check that a piece of code closes what it opens. Deno's own sanitizer does not see descriptors opened
 * through FFI.
 * @module
 */
import { listDescriptors } from "./procfs.ts";
import { runProgram } from "../program.ts";
import { until } from "./wait.ts";

/** Runs the code and throws if descriptors of this process are open after it that were not before. */
export async function checkLeaks(code: () => Promise<void>): Promise<void> {
  // The first child process makes Deno open descriptors of its own, for good.
  await runProgram(["true"]);
  const before = listDescriptors();
  await code();
  const opened = () => listDescriptors().filter((descriptor) => !before.includes(descriptor));
  await until(() => opened().length === 0, { what: "descriptors to be closed", timeoutMs: 1_000 })
    .catch((error) => {
      throw new Error(`${error.message}: ${opened().join(", ")}`);
    });
}
