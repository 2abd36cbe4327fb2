/** Counters of one entry. They are totals for reading now and then, not a histogram. */

/** Calls, errors and time of one entry; one object for all entries that have had its id. */
export interface EntryStats {
  calls: number;
  errors: number;
  nanoseconds: number;
}

export function newStats(): EntryStats {
  return { calls: 0, errors: 0, nanoseconds: 0 };
}

/** Counts one call. A time that is no positive number counts as 0, a fraction is dropped, 2^53 - 1 is the most. */
export function recordCall(stats: EntryStats, failed: 0 | 1, nanoseconds: number): void {
  stats.calls += 1;
  stats.errors += failed;
  // The comparison is false for NaN too: one test keeps every impossible value out.
  if (nanoseconds >= 1) stats.nanoseconds += Math.min(Math.floor(nanoseconds), Number.MAX_SAFE_INTEGER);
}
