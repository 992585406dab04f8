/**
 * The slope of a process's memory, by a straight line through the lowest values of its buckets: what V8 has
 * not collected yet does not count. Pure.
 * @module
 */

/** Anonymous memory at a time. */
export interface Sample {
  /** Milliseconds. */
  readonly time: number;
  readonly bytes: number;
}

/** Time of a bucket. */
const BUCKET_MS = 20_000;
/** Share of the samples, from the start on, that is warm-up: caches and pools grow to what the load needs. */
const WARM_UP = 1 / 3;
/** A shorter time tells nothing. */
const SHORTEST_MS = 120_000;
const HOUR_MS = 3600_000;

/** Bytes an hour; undefined where the time is too short to tell. */
export function slopeOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const begin = first.time + (last.time - first.time) * WARM_UP;
  if (last.time - begin < SHORTEST_MS) return undefined;
  const buckets = new Map<number, Sample>();
  for (const sample of samples) {
    if (sample.time < begin) continue;
    const bucket = Math.floor((sample.time - begin) / BUCKET_MS);
    if (sample.bytes < (buckets.get(bucket)?.bytes ?? Infinity)) buckets.set(bucket, sample);
  }
  return fitLine([...buckets.values()]) * HOUR_MS;
}

/** The slope of the least squares, bytes a millisecond. */
function fitLine(points: readonly Sample[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [time, bytes] = [mean(points.map((p) => p.time)), mean(points.map((p) => p.bytes))];
  const sum = (value: (point: Sample) => number) => points.reduce((total, point) => total + value(point), 0);
  const spread = sum((point) => (point.time - time) ** 2);
  return spread === 0 ? 0 : sum((point) => (point.time - time) * (point.bytes - bytes)) / spread;
}
