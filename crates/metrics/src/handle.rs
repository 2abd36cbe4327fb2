//! Metrics as the seam sees them: one thread, every argument a number or a text, -1 for "none". For the binding.

use crate::metrics::Metrics;
use crate::recorder::Recorder;

/// One seam `Metrics`.
pub struct HandleMetrics {
    metrics: Metrics,
    recorder: Recorder,
}

fn number(id: Option<u32>) -> f64 {
    id.map_or(-1.0, f64::from)
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// A family or a series that came from JavaScript.
fn id(number: f64) -> Option<u32> {
    let id = number as u32;
    (f64::from(id) == number).then_some(id)
}

impl HandleMetrics {
    /// At most `max_series` label sets per family; what is less than 1 or no number counts as 1.
    #[must_use]
    pub fn new(max_series: f64) -> Self {
        // The conversion saturates: NaN and negative numbers are 0.
        let metrics = Metrics::new(max_series as usize);
        let recorder = metrics.recorder();
        Self { metrics, recorder }
    }

    /// The same families for threads of our own.
    #[must_use]
    pub fn shared(&self) -> Metrics {
        self.metrics.clone()
    }

    /// See [`Metrics::counter`].
    pub fn counter(&self, name: &str, help: &str, labels: &[String]) -> f64 {
        number(self.metrics.counter(name, help, &borrowed(labels)))
    }

    /// See [`Metrics::gauge`].
    pub fn gauge(&self, name: &str, help: &str, labels: &[String]) -> f64 {
        number(self.metrics.gauge(name, help, &borrowed(labels)))
    }

    /// See [`Metrics::histogram`].
    pub fn histogram(&self, name: &str, help: &str, labels: &[String], scale: f64) -> f64 {
        number(self.metrics.histogram(name, help, &borrowed(labels), scale))
    }

    /// See [`Metrics::series`].
    pub fn series(&self, family: f64, values: &[String]) -> f64 {
        number(id(family).and_then(|family| self.metrics.series(family, &borrowed(values))))
    }

    /// See [`Recorder::add`].
    #[inline]
    pub fn add(&self, series: f64, by: f64) {
        if let Some(series) = id(series) {
            self.recorder.add(series, by);
        }
    }

    /// See [`Recorder::set`].
    #[inline]
    pub fn set(&self, series: f64, to: f64) {
        if let Some(series) = id(series) {
            self.recorder.set(series, to);
        }
    }

    /// See [`Recorder::observe`]. A fraction is dropped; less than 0, and what is no number, is ignored.
    #[inline]
    pub fn observe(&self, series: f64, value: f64) {
        if let (Some(series), true) = (id(series), value >= 0.0) {
            self.recorder.observe(series, value as u64);
        }
    }

    /// See [`Metrics::snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> String {
        self.metrics.snapshot()
    }

    /// See [`Metrics::exposition`].
    #[must_use]
    pub fn exposition(&self) -> String {
        self.metrics.exposition()
    }
}
