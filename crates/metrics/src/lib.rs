//! Counters, gauges and log-linear histograms.
//!
//! Recording is an index and an add on memory that only the recording thread writes ([`Recorder`]); reading merges what
//! all threads have written. Nothing is locked, and no cache line is fought over, on record.
//!
//! It reads no clock and knows nobody's metrics: who records names the families and measures the time.

mod bucket;
mod directory;
mod exposition;
mod handle;
mod merged;
mod metrics;
mod names;
mod number;
mod recorder;
mod shard;
mod snapshot;

pub use handle::HandleMetrics;
pub use metrics::Metrics;
pub use recorder::Recorder;
