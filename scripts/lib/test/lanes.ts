/**
 * Running files of tests side by side: as many at once as the machine has processors.
 * @module
 */

/** More at once would disturb one another by what they do to the one kernel. */
const MOST_LANES = 4;

/**
 * Runs `run` for each file, in order, several at once; gives the results in the order in which they came.
 * Begins no other once `isOver` says so.
 */
export async function runSideBySide<T>(
  files: readonly string[],
  run: (file: string) => Promise<T>,
  isOver: () => boolean = () => false,
): Promise<T[]> {
  const waiting = [...files];
  const results: T[] = [];
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined && !isOver(); file = waiting.shift()) {
      results.push(await run(file));
    }
  };
  await Promise.all(Array.from({ length: Math.min(navigator.hardwareConcurrency, MOST_LANES) }, lane));
  return results;
}
