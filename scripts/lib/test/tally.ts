/**
 * Counting tests, and telling which failed, from the JUnit report that `deno test` writes.
 * @module
 */

/** Numbers of tests that passed, failed, were skipped. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** Adds `other` to `tally`. */
export function addTally(tally: Tally, other: Tally): void {
  tally.passed += other.passed;
  tally.failed += other.failed;
  tally.skipped += other.skipped;
}

/** A test that failed. */
export interface Failure {
  readonly name: string;
  /** Its message, several lines, cut to `MAX_FAILURE_LINES`. */
  readonly text: string;
}

const MAX_FAILURE_LINES = 25;

/** The tests of a JUnit report that failed or were cut off, with what they said. */
export function readFailures(junit: string): Failure[] {
  const cases = junit.matchAll(/<testcase name="([^"]*)"[^>]*?(?<!\/)>([\s\S]*?)<\/testcase>/g);
  return [...cases].flatMap(([, name, body]) => {
    const failure = /<(?:failure|error) message="([^"]*)"(?:\/>|>([\s\S]*?)<\/)/.exec(body);
    if (failure === null) return [];
    const lines = unescapeXml(failure[2] ?? failure[1]).split("\n");
    return [{ name: unescapeXml(name), text: lines.slice(0, MAX_FAILURE_LINES).join("\n") }];
  });
}

function unescapeXml(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, word: string) => characters[word]);
}

/**
 * Counts the test cases of a JUnit report; steps count as tests of their own. Tests that a filter left out
 * are not counted: they stand in the report as skipped, but without a time.
 */
export function countTests(junit: string): Tally {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, attributes, body] of junit.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(body ?? "")) tally.failed++;
    else if (!/ time="/.test(attributes)) continue;
    else if (/<skipped\b/.test(body ?? "")) tally.skipped++;
    else tally.passed++;
  }
  return tally;
}

/**
 * The tally of a `deno test` run. A run can fail without a failed test (a file that does not load, a leak
 * found at the end): that counts as one failure, as does a run without a report or without any test.
 */
export function judgeRun(run: { succeeded: boolean; junit: string | undefined }): Tally {
  const tally = countTests(run.junit ?? "");
  const ran = tally.passed + tally.failed + tally.skipped > 0;
  if ((!run.succeeded || !ran) && tally.failed === 0) tally.failed = 1;
  return tally;
}

/** The last line of `scripts/test`. */
export function formatTally(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}
