//! Byte buffers in classes of powers of two, shared by threads. Bounded twice: what is taken, and what is kept free.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crossbeam_queue::ArrayQueue;

/// Size of the smallest class.
pub(crate) const SMALLEST: usize = 256;
/// Size of the largest class, whatever the bound: what both engines can allocate on every platform.
const LARGEST: usize = 1 << 30;
/// Buffers of one class that are kept free.
const KEPT_PER_CLASS: usize = 64;

/// Totals since creation, except those that say "now".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferStats {
    /// Buffers given out.
    pub taken: u64,
    /// Buffers given back.
    pub returned: u64,
    /// Times that a buffer would have passed the bound.
    pub refused: u64,
    /// Fresh allocations.
    pub grown: u64,
    /// Taken now.
    pub in_use: u64,
    /// Bytes taken now, by class.
    pub bytes_in_use: u64,
    /// Bytes kept free now.
    pub bytes_kept: u64,
}

struct Inner {
    // One list per class, smallest first. Only classes that fit into `max_bytes` exist.
    free: Vec<ArrayQueue<Vec<u8>>>,
    max_bytes: usize,
    bytes_in_use: AtomicUsize,
    bytes_kept: AtomicUsize,
    taken: AtomicU64,
    returned: AtomicU64,
    refused: AtomicU64,
    grown: AtomicU64,
}

/// A pool of buffers; clones share it.
#[derive(Clone)]
pub struct Buffers {
    inner: Arc<Inner>,
}

/// Class that holds `bytes`: 0 for up to 256, 1 for up to 512, and so on.
fn class_of(bytes: usize) -> usize {
    (bytes.max(SMALLEST) - 1).ilog2() as usize + 1 - SMALLEST.ilog2() as usize
}

fn size_of_class(class: usize) -> usize {
    SMALLEST << class
}

impl Buffers {
    /// A pool that gives out at most `max_bytes` at once (counted in whole classes).
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        let classes = if max_bytes < SMALLEST {
            0
        } else {
            class_of(max_bytes.min(LARGEST) / 2 + 1) + 1
        };
        let free = (0..classes)
            // Keeping more of a class than may be taken of it would be waste.
            .map(|class| ArrayQueue::new((max_bytes / size_of_class(class)).clamp(1, KEPT_PER_CLASS)))
            .collect();
        Self {
            inner: Arc::new(Inner {
                free,
                max_bytes,
                bytes_in_use: AtomicUsize::new(0),
                bytes_kept: AtomicUsize::new(0),
                taken: AtomicU64::new(0),
                returned: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                grown: AtomicU64::new(0),
            }),
        }
    }

    /// An empty buffer with room for at least `min` bytes, or `None` when that would pass the bound (or is above 1 GiB).
    #[must_use]
    pub fn take(&self, min: usize) -> Option<PooledBuf> {
        let class = self.inner.reserve(min)?;
        let bytes = self.inner.kept(class).or_else(|| self.inner.allocate(class))?;
        Some(PooledBuf {
            bytes,
            class: class as u8,
            home: self.inner.clone(),
        })
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> BufferStats {
        let inner = &self.inner;
        let (taken, returned) = (inner.taken.load(Relaxed), inner.returned.load(Relaxed));
        BufferStats {
            taken,
            returned,
            refused: inner.refused.load(Relaxed),
            grown: inner.grown.load(Relaxed),
            in_use: taken.saturating_sub(returned),
            bytes_in_use: inner.bytes_in_use.load(Relaxed) as u64,
            bytes_kept: inner.bytes_kept.load(Relaxed) as u64,
        }
    }
}

impl Inner {
    /// Counts the bytes of a class as taken, if they fit. Returns the class.
    fn reserve(&self, min: usize) -> Option<usize> {
        // Compared first: the class of an absurd size has no size.
        let class = if min <= LARGEST { class_of(min) } else { usize::MAX };
        let fits = |in_use: usize| {
            if class >= self.free.len() {
                return None;
            }
            in_use
                .checked_add(size_of_class(class))
                .filter(|sum| *sum <= self.max_bytes)
        };
        if self.bytes_in_use.fetch_update(Relaxed, Relaxed, fits).is_err() {
            self.refused.fetch_add(1, Relaxed);
            return None;
        }
        self.taken.fetch_add(1, Relaxed);
        Some(class)
    }

    fn kept(&self, class: usize) -> Option<Vec<u8>> {
        let bytes = self.free[class].pop()?;
        self.bytes_kept.fetch_sub(size_of_class(class), Relaxed);
        Some(bytes)
    }

    #[cold]
    fn allocate(&self, class: usize) -> Option<Vec<u8>> {
        // Taken and kept together stay within the bound: what is kept makes room, the largest first.
        let mut largest = self.free.len();
        while largest > 0 && self.bytes_in_use.load(Relaxed) + self.bytes_kept.load(Relaxed) > self.max_bytes {
            if self.kept(largest - 1).is_none() {
                largest -= 1;
            }
        }
        let mut bytes = Vec::new();
        // Memory that is not there is a refusal like any other, not the end of the process.
        if bytes.try_reserve_exact(size_of_class(class)).is_err() {
            self.bytes_in_use.fetch_sub(size_of_class(class), Relaxed);
            self.taken.fetch_sub(1, Relaxed);
            self.refused.fetch_add(1, Relaxed);
            return None;
        }
        self.grown.fetch_add(1, Relaxed);
        Some(bytes)
    }

    fn give(&self, mut bytes: Vec<u8>, class: usize) {
        let size = size_of_class(class);
        let in_use = self.bytes_in_use.fetch_sub(size, Relaxed) - size;
        self.returned.fetch_add(1, Relaxed);
        // A buffer that outgrew its class would be kept as something it is not.
        if bytes.capacity() != size {
            return;
        }
        bytes.clear();
        let kept = self.bytes_kept.fetch_add(size, Relaxed) + size;
        if kept + in_use > self.max_bytes || self.free[class].push(bytes).is_err() {
            self.bytes_kept.fetch_sub(size, Relaxed);
        }
    }
}

/// A buffer on loan; dropping it gives it back.
///
/// It is a `Vec<u8>`: it may grow beyond its class, and is then freed instead of kept. It can be a `Bytes` without a copy
/// (`Bytes::from_owner`).
pub struct PooledBuf {
    bytes: Vec<u8>,
    class: u8,
    home: Arc<Inner>,
}

impl Drop for PooledBuf {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.bytes), usize::from(self.class));
    }
}

impl Deref for PooledBuf {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for PooledBuf {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for PooledBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_powers_of_two_from_256() {
        let classes = [0, 1, 256, 257, 512, 513, 1024, 1 << 20, (1 << 20) + 1].map(class_of);
        assert_eq!(classes, [0, 0, 0, 1, 1, 2, 2, 12, 13]);
        assert_eq!(size_of_class(12), 1 << 20);
    }

    #[test]
    fn a_buffer_comes_back_empty_and_with_its_room() {
        let buffers = Buffers::new(4096);
        let mut first = buffers.take(300).expect("room");
        first.extend_from_slice(b"secret");
        let place = first.as_ptr();
        drop(first);
        let second = buffers.take(512).expect("room");
        assert_eq!((second.len(), second.capacity(), second.as_ptr()), (0, 512, place));
        assert_eq!(buffers.stats().grown, 1);
    }

    #[test]
    fn a_buffer_that_outgrew_its_class_is_not_kept() {
        let buffers = Buffers::new(4096);
        let mut buffer = buffers.take(10).expect("room");
        buffer.resize(300, 0);
        drop(buffer);
        let stats = buffers.stats();
        assert_eq!((stats.bytes_in_use, stats.bytes_kept, stats.returned), (0, 0, 1));
    }

    #[test]
    fn threads_never_pass_the_bound_together() {
        const MAX: usize = 64 << 10;
        let buffers = Buffers::new(MAX);
        let threads: Vec<_> = (0..4usize)
            .map(|seed| {
                let buffers = buffers.clone();
                std::thread::spawn(move || {
                    let mut held = Vec::new();
                    for i in 0..4000 {
                        if let Some(mut buffer) = buffers.take((i * 37 + seed * 101) % 9000) {
                            buffer.push(seed as u8);
                            held.push(buffer);
                        }
                        assert!(buffers.stats().bytes_in_use <= MAX as u64);
                        if i % 5 == 4 {
                            held.clear();
                        }
                        assert!(
                            held.iter().all(|buffer| buffer[..] == [seed as u8]),
                            "nobody else writes here"
                        );
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("thread");
        }
        let stats = buffers.stats();
        assert_eq!((stats.in_use, stats.bytes_in_use, stats.taken), (0, 0, stats.returned));
        let kept: usize = buffers
            .inner
            .free
            .iter()
            .enumerate()
            .map(|(i, list)| list.len() * size_of_class(i))
            .sum();
        assert_eq!(stats.bytes_kept, kept as u64);
        assert!(kept <= MAX);
    }
}
