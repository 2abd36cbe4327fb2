//! What one thread records with. It never reads what others recorded.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::directory::{Kind, index_of};
use crate::metrics::Inner;
use crate::shard::Shard;

/// A thread's own cells of all series. Get one per thread from `Metrics::recorder` and keep it.
///
/// Numbers that are no series (of the right kind) are ignored. When it is dropped, what it recorded stays; the next
/// recorder goes on with its memory.
pub struct Recorder {
    pub(crate) shard: Arc<Shard>,
    pub(crate) inner: Arc<Inner>,
    // It may move to another thread, but two must not use it at once: there is one writer per shard.
    pub(crate) one_thread: PhantomData<Cell<()>>,
}

impl Recorder {
    #[inline]
    fn index(&self, series: u32) -> Option<u32> {
        let index = index_of(series);
        (index < self.inner.indices.load(Relaxed)).then_some(index)
    }

    /// Adds to a counter or to this thread's part of a gauge. Ignored: what is not finite; less than 0 for a counter.
    #[inline]
    pub fn add(&self, series: u32, by: f64) {
        let Some(index) = self.index(series) else { return };
        let allowed = match series & 3 {
            kind if kind == Kind::Counter as u32 => by >= 0.0 && by.is_finite(),
            kind if kind == Kind::Gauge as u32 => by.is_finite(),
            _ => false,
        };
        if allowed {
            self.shard.add(index, by);
        }
    }

    /// Sets this thread's part of a gauge; what is read is the sum of all threads' parts.
    #[inline]
    pub fn set(&self, series: u32, to: f64) {
        let Some(index) = self.index(series) else { return };
        if series & 3 == Kind::Gauge as u32 && to.is_finite() {
            self.shard.set(index, to);
        }
    }

    /// Records a value in a histogram; 2^53 and more counts as 2^53 - 1.
    #[inline]
    pub fn observe(&self, series: u32, value: u64) {
        let Some(index) = self.index(series) else { return };
        if series & 3 == Kind::Histogram as u32 {
            self.shard.observe(index, value);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.inner.shards.lock().free.push(self.shard.clone());
    }
}
