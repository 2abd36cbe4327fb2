//! The registry as the seam sees it: numbers and bytes only, -1 for "none". For the binding; Rust code uses [`Registry`].

use std::sync::Arc;

use crate::registry::Registry;

/// One seam `Registry`: same methods, same numbers.
#[derive(Clone, Default)]
pub struct HandleRegistry {
    registry: Arc<Registry>,
}

impl HandleRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What `serve` routes by.
    #[must_use]
    pub fn shared(&self) -> Arc<Registry> {
        self.registry.clone()
    }

    /// See [`Registry::answer`]; -1 when full.
    pub fn answer(&self, method: &str, name: &str, modern: Option<&[u8]>, legacy: Option<&[u8]>) -> f64 {
        number(self.registry.answer(method, name, modern, legacy))
    }

    /// See [`Registry::handler`]; -1 when full.
    pub fn handler(&self, method: &str, name: &str, handler: u32) -> f64 {
        number(self.registry.handler(method, name, handler))
    }

    /// See [`Registry::remove`].
    pub fn remove(&self, method: &str, name: &str) -> bool {
        self.registry.remove(method, name)
    }

    /// See [`Registry::publish`].
    pub fn publish(&self) -> u32 {
        self.registry.publish()
    }

    /// Id of the published entry, or -1.
    #[must_use]
    pub fn route(&self, method: &str, name: &str) -> f64 {
        number(
            self.registry
                .snapshot()
                .route(method.as_bytes(), name.as_bytes())
                .map(|entry| entry.id),
        )
    }

    /// Counts one call. A time that is no positive number counts as 0, a fraction of a nanosecond is dropped.
    pub fn record(&self, entry: f64, failed: bool, nanoseconds: f64) {
        if let Some(id) = id(entry) {
            // Rust's conversion saturates: NaN and negative numbers are 0.
            self.registry.record(id, failed, nanoseconds as u64);
        }
    }

    /// Fills the first three of `out`; false, and nothing filled, when the entry is not known or `out` is too short.
    pub fn stats(&self, entry: f64, out: &mut [f64]) -> bool {
        let (Some(stats), Some(out)) = (id(entry).and_then(|id| self.registry.stats(id)), out.get_mut(..3)) else {
            return false;
        };
        out.copy_from_slice(&stats);
        true
    }

    /// Published entries.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.registry.size() as u32
    }

    /// Published generation.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.registry.generation()
    }
}

fn number(id: Option<u32>) -> f64 {
    id.map_or(-1.0, f64::from)
}

fn id(entry: f64) -> Option<u32> {
    (entry >= 0.0 && entry < f64::from(u32::MAX) && entry.fract() == 0.0).then_some(entry as u32)
}
