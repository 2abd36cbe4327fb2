//! Counters of a listener: one padded block per I/O thread, one for the side above; summed when read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Index of a counter, the same numbers as `ListenerStat` in the seam.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
#[allow(missing_docs)] // the names say it, and the seam documents them
pub enum Stat {
    Accepted,
    Connections,
    Requests,
    Answered,
    Calls,
    Messages,
    Refused,
    Overloaded,
    Aborted,
    StaleReplies,
    Panics,
    Wakes,
    Flushes,
    BytesIn,
    BytesOut,
    InFlight,
}

/// Number of counters.
pub const STAT_COUNT: usize = 16;

/// One thread's counters. Padded so that two threads never write the same cache line (128: adjacent-line prefetch).
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Stats([AtomicU64; STAT_COUNT]);

impl Stats {
    pub(crate) fn add(&self, stat: Stat, by: u64) {
        // Load and store instead of fetch_add: every block has a single writer, and a locked add costs 5 ns.
        let cell = &self.0[stat as usize];
        cell.store(cell.load(Relaxed).wrapping_add(by), Relaxed);
    }

    pub(crate) fn sub(&self, stat: Stat, by: u64) {
        let cell = &self.0[stat as usize];
        cell.store(cell.load(Relaxed).wrapping_sub(by), Relaxed);
    }

    pub(crate) fn sum_into(&self, out: &mut [f64]) {
        for (out, cell) in out.iter_mut().zip(&self.0) {
            *out += cell.load(Relaxed) as f64;
        }
    }
}
