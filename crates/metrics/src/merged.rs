//! A histogram as it is read: all threads' parts together, and what can be said about it.

use crate::bucket::{GROUP, GROUPS, middle_of, place_of};

/// Percentiles of the snapshot: its key and how many of a thousand values are at or below it.
pub(crate) const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 500.0),
    ("p90", 900.0),
    ("p95", 950.0),
    ("p99", 990.0),
    ("p999", 999.0),
];

pub(crate) struct Merged {
    pub(crate) groups: [Option<Box<[u64; GROUP]>>; GROUPS],
    pub(crate) sum: f64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Default for Merged {
    fn default() -> Self {
        Self {
            groups: [const { None }; GROUPS],
            sum: 0.0,
            min: u64::MAX,
            max: 0,
        }
    }
}

impl Merged {
    /// Counted from the buckets, so that it always agrees with them, also while others record.
    pub(crate) fn count(&self) -> u64 {
        self.groups.iter().flatten().flat_map(|group| group.iter()).sum()
    }

    /// The value that `permille` of a thousand do not exceed, within the width of a bucket. Not for an empty histogram.
    pub(crate) fn percentile(&self, count: u64, permille: f64) -> u64 {
        let rank = (count as f64 * permille / 1000.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (g, group) in self.groups.iter().enumerate() {
            for (place, bucket) in group.iter().flat_map(|group| group.iter()).enumerate() {
                seen += bucket;
                if seen >= rank {
                    return middle_of(g, place).clamp(self.min.min(self.max), self.max);
                }
            }
        }
        self.max
    }

    /// How many values are in buckets up to the one of `bound`: all that are at most `bound`, and those less than 1 %
    /// above it that share its bucket. `bounds` ascend.
    pub(crate) fn cumulative(&self, bounds: &[u64]) -> Vec<u64> {
        let (mut next, mut seen) = (0, 0);
        let step = |bound: &u64| {
            let (group, place) = place_of(*bound);
            while next <= group * GROUP + place {
                match &self.groups[next / GROUP] {
                    Some(buckets) => {
                        seen += buckets[next % GROUP];
                        next += 1;
                    }
                    None => next = (next / GROUP + 1) * GROUP,
                }
            }
            seen
        };
        bounds.iter().map(step).collect()
    }
}
