/**
 * Options of `tproxy connections` that do not go together. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";

/** The options, as far as they may contradict each other. */
export interface Combination {
  readonly act?: string | undefined;
  readonly watch?: boolean | undefined;
  readonly follow?: boolean | undefined;
  readonly sort?: string | undefined;
  readonly top?: number | undefined;
  readonly json?: boolean | undefined;
}

const NOT_WITH = {
  close: ["watch", "follow", "sort", "top", "json"],
  watch: ["follow", "sort", "top", "json"],
  follow: ["sort", "top"],
} as const;

/** Throws an OperationError with exit code 2 for an option that another one leaves without effect. */
export function refuseCombinations(options: Combination): void {
  const { act, watch = false, follow = false } = options;
  const mode = act === "close" ? act : watch ? "watch" : follow ? "follow" : undefined;
  if (mode === undefined) return;
  const found = NOT_WITH[mode].find((name) => options[name] !== undefined);
  if (found === undefined) return;
  throw new OperationError({
    operation: "use option",
    object: `--${found}`,
    reason: `it does not go with ${mode === "close" ? mode : `--${mode}`}`,
    usage: true,
  });
}
