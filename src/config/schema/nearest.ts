/**
 * "Did you mean": the known word that is nearest to a misspelt one.
 * @module
 */

/**
 * The nearest of `known`, or `undefined` if none is near enough to be meant. Case, `-` and `_` do not count.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const asked = fold(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(asked.length * 0.4)) + 1;
  for (const candidate of known) {
    const name = fold(candidate);
    // A beginning that was not finished is nearer than any misspelling.
    const distance = asked.length >= 3 && name.startsWith(asked) ? 0.5 : editDistance(asked, name);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function fold(word: string): string {
  // A word of any length may come from a file; the cost is quadratic.
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_]/g, "");
}

/** The number of inserted, deleted, replaced and swapped letters between two words. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length];
}
