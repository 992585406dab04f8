/**
 * Waiting for a condition, with a limit.
 * @module
 */

/** Sleeps for so many milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Polls until the condition holds; throws `Timed out waiting for <what>` after `timeoutMs`. The default,
 * 15,000, is for a machine that does much else: nothing is measured by it.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { what: string; timeoutMs?: number; pollMs?: number },
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`Timed out after ${timeoutMs} ms waiting for ${options.what}`);
    }
    await delay(options.pollMs ?? 10);
  }
}
