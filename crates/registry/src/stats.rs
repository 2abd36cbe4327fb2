//! Counters of one entry. They are totals for reading now and then, not a histogram.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Above this a duration is a broken clock; it is also where JavaScript's integers end.
const LONGEST: u64 = (1 << 53) - 1;

/// Calls, errors and time of one entry, shared by all threads that serve it.
///
/// Aligned to two cache lines, because x86 fetches lines in pairs: neighbours in memory would otherwise slow each other.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Stats {
    calls: AtomicU64,
    errors: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Stats {
    /// Counts one call that took `nanoseconds` (cut at 2^53 - 1).
    #[inline]
    pub fn record(&self, failed: bool, nanoseconds: u64) {
        self.calls.fetch_add(1, Relaxed);
        if failed {
            self.errors.fetch_add(1, Relaxed);
        }
        self.nanoseconds.fetch_add(nanoseconds.min(LONGEST), Relaxed);
    }

    /// `[calls, errors, total nanoseconds]`. Calls that end meanwhile may be in one number and not yet in the next.
    #[must_use]
    pub fn read(&self) -> [f64; 3] {
        [&self.calls, &self.errors, &self.nanoseconds].map(|counter| counter.load(Relaxed) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_entries_never_share_a_pair_of_cache_lines() {
        assert_eq!(std::mem::align_of::<Stats>(), 128);
        assert_eq!(std::mem::size_of::<Stats>(), 128);
    }

    #[test]
    fn counts_calls_errors_and_time() {
        let stats = Stats::default();
        stats.record(false, 5);
        stats.record(true, u64::MAX);
        assert_eq!(stats.read(), [2.0, 1.0, LONGEST as f64 + 5.0]);
    }
}
