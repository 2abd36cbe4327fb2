//! The registry of families, and the only place that knows all recorders. It records nothing itself.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::directory::{Definition, Directory, Family, Kind};
use crate::merged::Merged;
use crate::recorder::Recorder;
use crate::shard::Shard;
use crate::{exposition, snapshot};

#[derive(Default)]
pub(crate) struct Shards {
    all: Vec<Arc<Shard>>,
    pub(crate) free: Vec<Arc<Shard>>,
}

pub(crate) struct Inner {
    directory: Mutex<Directory>,
    pub(crate) shards: Mutex<Shards>,
    /// Series made so far. Written when one is made, which is rare; every record reads it.
    pub(crate) indices: AtomicU32,
    max_series: usize,
}

/// Families and series by number; clones share them.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

impl Metrics {
    /// At most `max_series` label sets per family (at least 1); further ones count as one whose labels are `_other`.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                directory: Mutex::default(),
                shards: Mutex::default(),
                indices: AtomicU32::new(0),
                max_series: max_series.max(1),
            }),
        }
    }

    /// Number of a counter family; the same again for the same definition.
    ///
    /// `None` (for gauges and histograms too): a name or label that Prometheus does not allow, a label twice, `le` on a
    /// histogram, a name that another definition uses, more than 1024 families, or 32 labels.
    pub fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Option<u32> {
        self.family(Kind::Counter, name, help, labels, 1.0)
    }

    /// Number of a gauge family.
    pub fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Option<u32> {
        self.family(Kind::Gauge, name, help, labels, 1.0)
    }

    /// Number of a histogram family. Values are divided by `scale` (positive, finite) in the exposition.
    pub fn histogram(&self, name: &str, help: &str, labels: &[&str], scale: f64) -> Option<u32> {
        self.family(Kind::Histogram, name, help, labels, scale)
    }

    fn family(&self, kind: Kind, name: &str, help: &str, labels: &[&str], scale: f64) -> Option<u32> {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let definition = Definition {
            name: name.to_owned(),
            help: help.to_owned(),
            kind,
            labels,
            scale,
        };
        self.inner.directory.lock().family(definition)
    }

    /// Number of the series of a family for these label values, made when new. `None`: no such family, or another number
    /// of labels. Values longer than 1024 bytes, and series beyond the bound, give the family's `_other` series.
    pub fn series(&self, family: u32, values: &[&str]) -> Option<u32> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let mut directory = self.inner.directory.lock();
        let series = directory.series(family, &values, self.inner.max_series)?;
        self.inner.indices.store(directory.indices, Relaxed);
        Some(series)
    }

    /// A recorder for one thread.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        let mut shards = self.inner.shards.lock();
        let shard = shards.free.pop().unwrap_or_else(|| {
            let shard = Arc::<Shard>::default();
            shards.all.push(shard.clone());
            shard
        });
        Recorder {
            shard,
            inner: self.inner.clone(),
            one_thread: PhantomData,
        }
    }

    /// JSON: `{"families":[{name,type,help,labels,series:[{labels,value}]}]}`, in the order they were made. Histogram
    /// families also have `scale`, and their series `{labels,count,sum,min,max,p50,p90,p95,p99,p999}` as recorded (not
    /// scaled), null where nothing was recorded.
    #[must_use]
    pub fn snapshot(&self) -> String {
        self.read(snapshot::write)
    }

    /// Prometheus text exposition format 0.0.4, families and series in the order they were made.
    #[must_use]
    pub fn exposition(&self) -> String {
        self.read(exposition::write)
    }

    fn read(&self, write: impl FnOnce(&[Family], &Reading) -> String) -> String {
        // The list of shards is copied, so that a thread that starts or ends does not wait for the text.
        let shards = self.inner.shards.lock().all.clone();
        write(&self.inner.directory.lock().families, &Reading { shards })
    }
}

/// All threads' parts, for whoever writes a report.
pub(crate) struct Reading {
    shards: Vec<Arc<Shard>>,
}

impl Reading {
    pub(crate) fn number(&self, index: u32) -> f64 {
        self.shards.iter().fold(0.0, |sum, shard| sum + shard.number(index))
    }

    pub(crate) fn histogram(&self, index: u32) -> Merged {
        let mut merged = Merged::default();
        self.shards.iter().for_each(|shard| shard.merge(index, &mut merged));
        merged
    }
}
