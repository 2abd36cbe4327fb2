//! The memory of one recording thread. One writer, any number of readers; nothing is ever moved or freed while it lives.

use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::bucket::{GROUP, GROUPS, LARGEST, place_of};
use crate::merged::Merged;

/// One series: a number, or a histogram once something was observed.
#[derive(Default)]
struct Cell {
    /// Bits of an `f64`.
    number: AtomicU64,
    histogram: OnceLock<Box<Histogram>>,
}

const BLOCK: usize = 64;

// Aligned, so that two threads' blocks never meet in a (pair of) cache lines. So are histograms and their groups.
#[repr(align(128))]
struct Block([Cell; BLOCK]);

impl Default for Block {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Cell::default()))
    }
}

#[repr(align(128))]
struct Group([AtomicU64; GROUP]);

impl Default for Group {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; GROUP])
    }
}

#[repr(align(128))]
struct Histogram {
    /// Bits of an `f64`.
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    groups: [OnceLock<Box<Group>>; GROUPS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            groups: [const { OnceLock::new() }; GROUPS],
        }
    }
}

/// Runs of blocks, each twice as long as the one before: grows without moving what readers may be looking at.
const RUNS: usize = 11;

/// Cells by series index. The writer's methods must be called by one thread at a time (see `Recorder`).
#[derive(Default)]
pub(crate) struct Shard {
    runs: [OnceLock<Box<[Block]>>; RUNS],
}

/// Run, block and cell of an index; run k starts at block 2^k - 1.
#[inline]
fn locate(index: u32) -> (usize, usize, usize) {
    let block = index as usize / BLOCK + 1;
    let run = block.ilog2() as usize;
    (run, block - (1 << run), index as usize % BLOCK)
}

impl Shard {
    #[inline]
    fn cell(&self, index: u32) -> &Cell {
        let (run, block, cell) = locate(index);
        let blocks = self.runs[run].get_or_init(|| (0..1 << run).map(|_| Block::default()).collect());
        &blocks[block].0[cell]
    }

    fn existing(&self, index: u32) -> Option<&Cell> {
        let (run, block, cell) = locate(index);
        self.runs[run].get().map(|blocks| &blocks[block].0[cell])
    }

    /// Writer only. A sum that would not be finite is not made.
    #[inline]
    pub(crate) fn add(&self, index: u32, by: f64) {
        let number = &self.cell(index).number;
        let sum = f64::from_bits(number.load(Relaxed)) + by;
        if sum.is_finite() {
            number.store(sum.to_bits(), Relaxed);
        }
    }

    /// Writer only.
    #[inline]
    pub(crate) fn set(&self, index: u32, to: f64) {
        self.cell(index).number.store(to.to_bits(), Relaxed);
    }

    /// Writer only.
    #[inline]
    pub(crate) fn observe(&self, index: u32, value: u64) {
        let value = value.min(LARGEST);
        let histogram = self.cell(index).histogram.get_or_init(Box::default);
        let sum = f64::from_bits(histogram.sum.load(Relaxed)) + value as f64;
        histogram.sum.store(sum.to_bits(), Relaxed);
        if value < histogram.min.load(Relaxed) {
            histogram.min.store(value, Relaxed);
        }
        if value > histogram.max.load(Relaxed) {
            histogram.max.store(value, Relaxed);
        }
        let (group, place) = place_of(value);
        let bucket = &histogram.groups[group].get_or_init(Box::default).0[place];
        // Release: a reader that counts this value also sees it in sum, min and max.
        bucket.store(bucket.load(Relaxed) + 1, Release);
    }

    pub(crate) fn number(&self, index: u32) -> f64 {
        self.existing(index)
            .map_or(0.0, |cell| f64::from_bits(cell.number.load(Relaxed)))
    }

    /// Adds this thread's part of a histogram.
    pub(crate) fn merge(&self, index: u32, into: &mut Merged) {
        let Some(histogram) = self.existing(index).and_then(|cell| cell.histogram.get()) else {
            return;
        };
        for (group, merged) in histogram.groups.iter().zip(&mut into.groups) {
            let Some(group) = group.get() else { continue };
            let merged = merged.get_or_insert_with(|| Box::new([0; GROUP]));
            for (bucket, sum) in group.0.iter().zip(merged.iter_mut()) {
                *sum += bucket.load(Acquire);
            }
        }
        into.sum += f64::from_bits(histogram.sum.load(Relaxed));
        into.min = into.min.min(histogram.min.load(Relaxed));
        into.max = into.max.max(histogram.max.load(Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_once_each() {
        let found: Vec<_> = [0, 63, 64, 191, 192, 448, 66_559].map(locate).into();
        assert_eq!(
            found,
            [
                (0, 0, 0),
                (0, 0, 63),
                (1, 0, 0),
                (1, 1, 63),
                (2, 0, 0),
                (3, 0, 0),
                (10, 16, 63)
            ],
            "the last one is the last series that can be"
        );
    }

    #[test]
    fn no_line_is_shared() {
        for align in [align_of::<Block>(), align_of::<Group>(), align_of::<Histogram>()] {
            assert_eq!(align, 128);
        }
    }
}
