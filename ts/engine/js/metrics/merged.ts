/** A histogram as it is read: what can be said about it. */
import { bucketOf, GROUP, middleOf } from './bucket.js';
import type { Histogram } from './shard.js';

/** Percentiles of the snapshot: its key and how many of a thousand values are at or below it. */
export const PERCENTILES = [
  ['p50', 500],
  ['p90', 900],
  ['p95', 950],
  ['p99', 990],
  ['p999', 999],
] as const;

export function countOf(histogram: Histogram): number {
  let count = 0;
  for (const group of histogram.groups) if (group !== null) for (const bucket of group) count += bucket;
  return count;
}

/** The value that `permille` of a thousand do not exceed, within the width of a bucket. Not for an empty histogram. */
export function percentile(histogram: Histogram, count: number, permille: number): number {
  const rank = Math.max(1, Math.ceil((count * permille) / 1000));
  let seen = 0;
  for (const [g, group] of histogram.groups.entries()) {
    if (group === null) continue;
    for (let place = 0; place < GROUP; place++) {
      seen += group[place] as number;
      if (seen >= rank) return Math.min(Math.max(middleOf(g, place), histogram.min), histogram.max);
    }
  }
  return histogram.max;
}

/**
 * How many values are in buckets up to the one of `bound`: all that are at most `bound`, and those less than 1 % above it
 * that share its bucket. `bounds` ascend.
 */
export function cumulative(histogram: Histogram | undefined, bounds: readonly number[]): number[] {
  let next = 0;
  let seen = 0;
  return bounds.map((bound) => {
    const last = bucketOf(bound);
    while (next <= last) {
      const group = histogram?.groups[next >>> 7];
      if (group) {
        seen += group[next & (GROUP - 1)] as number;
        next += 1;
      } else {
        next = ((next >>> 7) + 1) * GROUP;
      }
    }
    return seen;
  });
}
