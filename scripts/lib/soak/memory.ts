/**
 * The slope of a process's memory by Theil and Sen: the median of the slopes between any two values, which
 * values that lie far off do not move. The lowest value of each bucket counts: not what V8 has not collected
 * yet. Pure.
 * @module
 */

/** Anonymous memory at a time. */
export interface Sample {
  /** Milliseconds. */
  readonly time: number;
  readonly bytes: number;
}

/** Growth in bytes an hour: so much, and with 95 of 100 chances between two bounds. */
export interface Growth {
  readonly perHour: number;
  readonly least: number;
  readonly most: number;
  /** The time that counts. */
  readonly hours: number;
  /** Medians of the first quarter of the time that counts, and of the last. */
  readonly first: number;
  readonly last: number;
}

/** Time of a bucket. */
const BUCKET_MS = 20_000;
/** Share of the samples, from the start on, that is warm-up: caches and pools grow to what the load needs. */
const WARM_UP = 1 / 3;
/** A shorter time tells nothing. */
const SHORTEST_MS = 120_000;
const HOUR_MS = 3600_000;
/** Standard deviations that leave out 5 of 100. */
const DEVIATIONS = 1.96;

/** Finds the growth; undefined where the time is too short to tell. */
export function growthOf(samples: readonly Sample[]): Growth | undefined {
  const points = lowestOf(samples);
  if (points.length < SHORTEST_MS / BUCKET_MS) return undefined;
  const slopes = points.flatMap((point, i) =>
    points.slice(i + 1).map((later) => (later.bytes - point.bytes) / (later.time - point.time) * HOUR_MS)
  ).toSorted((one, other) => one - other);
  // The bounds of Kendall's test: so many of the slopes lie on the wrong side of the true one by chance.
  const n = points.length;
  const apart = DEVIATIONS * Math.sqrt(n * (n - 1) * (2 * n + 5) / 18) / 2;
  const middle = (slopes.length - 1) / 2;
  const at = (place: number) => slopes[Math.min(Math.max(Math.round(place), 0), slopes.length - 1)];
  const quarter = Math.ceil(n / 4);
  return {
    perHour: median(slopes),
    least: at(middle - apart),
    most: at(middle + apart),
    hours: (points[n - 1].time - points[0].time) / HOUR_MS,
    first: median(points.slice(0, quarter).map(({ bytes }) => bytes)),
    last: median(points.slice(-quarter).map(({ bytes }) => bytes)),
  };
}

/** Chooses the lowest sample of each bucket, after the warm-up. */
function lowestOf(samples: readonly Sample[]): Sample[] {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined) return [];
  const begin = first.time + (last.time - first.time) * WARM_UP;
  const buckets = new Map<number, Sample>();
  for (const sample of samples) {
    if (sample.time < begin) continue;
    const bucket = Math.floor((sample.time - begin) / BUCKET_MS);
    if (sample.bytes < (buckets.get(bucket)?.bytes ?? Infinity)) buckets.set(bucket, sample);
  }
  return [...buckets.values()];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
