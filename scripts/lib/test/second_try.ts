/**
 * The second try of tests that failed beside others. Pure.
 * @module
 */
import type { Failure, Tally } from "./tally.ts";

/** The most tests of a step that get one: where more fail, it is no accident. */
const MOST = 3;

/** The results of a run of tests. */
interface Run {
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

/**
 * Gives the filter of `deno test` that chooses the tests that failed; undefined where they are too many, or
 * where something else than a test has failed too.
 */
export function chooseFailed({ tally, failures }: Run): string | undefined {
  if (failures.length === 0 || failures.length !== tally.failed) return undefined;
  const names = failures.map(({ name }) => name);
  const tests = names.filter((name) => !names.some((other) => name.startsWith(`${other} > `)));
  if (tests.length > MOST) return undefined;
  return `/^(?:${tests.map(escapePattern).join("|")})$/`;
}

/** Gives the tally of a step whose failed tests have all passed at the second try. */
export function forgive({ passed, failed, skipped }: Tally): Tally {
  return { passed: passed + failed, failed: 0, skipped };
}

function escapePattern(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
