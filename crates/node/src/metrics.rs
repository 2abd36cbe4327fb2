//! Binds `thirdrail-metrics`.

use napi_derive::napi;
use thirdrail_metrics::HandleMetrics;

/// Counters, gauges and histograms by number.
#[napi]
pub struct NativeMetrics(HandleMetrics);

#[napi]
impl NativeMetrics {
    /// At most `max_series` label sets per family.
    #[napi(constructor)]
    pub fn new(max_series: f64) -> Self {
        NativeMetrics(HandleMetrics::new(max_series))
    }

    /// A family, or -1.
    #[napi]
    pub fn counter(&self, name: String, help: String, labels: Vec<String>) -> f64 {
        self.0.counter(&name, &help, &labels)
    }

    /// A family, or -1.
    #[napi]
    pub fn gauge(&self, name: String, help: String, labels: Vec<String>) -> f64 {
        self.0.gauge(&name, &help, &labels)
    }

    /// A family, or -1.
    #[napi]
    pub fn histogram(&self, name: String, help: String, labels: Vec<String>, scale: f64) -> f64 {
        self.0.histogram(&name, &help, &labels, scale)
    }

    /// A series, or -1.
    #[napi]
    pub fn series(&self, family: f64, values: Vec<String>) -> f64 {
        self.0.series(family, &values)
    }

    /// Adds to a counter or gauge.
    #[napi]
    pub fn add(&mut self, series: f64, by: f64) {
        self.0.add(series, by);
    }

    /// Sets a gauge.
    #[napi]
    pub fn set(&mut self, series: f64, to: f64) {
        self.0.set(series, to);
    }

    /// Records into a histogram.
    #[napi]
    pub fn observe(&mut self, series: f64, value: f64) {
        self.0.observe(series, value);
    }

    /// JSON.
    #[napi]
    pub fn snapshot(&self) -> String {
        self.0.snapshot()
    }

    /// Prometheus text.
    #[napi]
    pub fn exposition(&self) -> String {
        self.0.exposition()
    }
}
