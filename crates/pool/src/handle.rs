//! Slots and buffers as the seam sees them: every argument a number, every handle one, -1 for "none". For the binding.

use crate::buffers::{Buffers, PooledBuf};
use crate::slots::{MAX_SLOTS, SlotTable};

/// A handle that came from JavaScript. Whatever is no handle becomes 0, which never is one.
fn handle_of(number: f64) -> u64 {
    let handle = number as u64;
    if handle as f64 == number { handle } else { 0 }
}

fn number_of(handle: Option<u64>) -> f64 {
    handle.map_or(-1.0, |handle| handle as f64)
}

/// Fills as much of `out` as there is.
fn fill(out: &mut [f64], counters: [u64; 6]) {
    for (place, counter) in out.iter_mut().zip(counters) {
        *place = counter as f64;
    }
}

/// One seam `Slots`.
pub struct HandleSlots(SlotTable<()>);

impl HandleSlots {
    /// At most `capacity` (and 2^24) handles at once.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self(SlotTable::new(capacity as usize))
    }

    /// A handle, or -1.
    pub fn take(&mut self) -> f64 {
        number_of(self.0.insert(()))
    }

    /// False, and counted as stale, when the handle is dead.
    pub fn give(&mut self, handle: f64) -> bool {
        self.0.remove(handle_of(handle)).is_some()
    }

    /// Whether the handle is taken.
    #[must_use]
    pub fn alive(&self, handle: f64) -> bool {
        self.0.contains(handle_of(handle))
    }

    /// Fills [taken, returned, refused, in use, capacity, stale].
    pub fn stats(&self, out: &mut [f64]) {
        let s = self.0.stats();
        fill(out, [s.taken, s.returned, s.refused, s.in_use, s.capacity, s.stale]);
    }
}

/// One seam `Buffers`.
pub struct HandleBuffers {
    buffers: Buffers,
    held: SlotTable<PooledBuf>,
}

impl HandleBuffers {
    /// At most `max_bytes` in use; a number that is none, or negative, allows nothing.
    #[must_use]
    pub fn new(max_bytes: f64) -> Self {
        // The conversion saturates: NaN and negative numbers are 0.
        Self {
            buffers: Buffers::new(max_bytes as usize),
            held: SlotTable::new(MAX_SLOTS),
        }
    }

    /// A handle to a buffer of at least `bytes`, or -1: the bound, or no whole number of bytes.
    pub fn take(&mut self, bytes: f64) -> f64 {
        if !(bytes >= 0.0 && bytes.fract() == 0.0) || self.held.len() >= MAX_SLOTS {
            return -1.0;
        }
        number_of(
            self.buffers
                .take(bytes as usize)
                .and_then(|buffer| self.held.insert(buffer)),
        )
    }

    /// False when the handle is dead.
    pub fn give(&mut self, handle: f64) -> bool {
        self.held.remove(handle_of(handle)).is_some()
    }

    /// Bytes that the buffer can hold, or -1.
    #[must_use]
    pub fn capacity(&self, handle: f64) -> f64 {
        self.held
            .get(handle_of(handle))
            .map_or(-1.0, |buffer| buffer.capacity() as f64)
    }

    /// The buffer behind a handle.
    pub fn get_mut(&mut self, handle: f64) -> Option<&mut PooledBuf> {
        self.held.get_mut(handle_of(handle))
    }

    /// Fills [taken, returned, grown, in use, bytes in use, bytes kept free].
    pub fn stats(&self, out: &mut [f64]) {
        let s = self.buffers.stats();
        fill(
            out,
            [s.taken, s.returned, s.grown, s.in_use, s.bytes_in_use, s.bytes_kept],
        );
    }
}
