//! Binds `thirdrail-registry`.

use std::sync::Arc;

use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;
use thirdrail_registry::{HandleRegistry, Registry};

use crate::memory::floats;

/// A registry that listeners of the same process can read.
#[napi]
#[derive(Default)]
pub struct NativeRegistry(HandleRegistry);

#[napi]
impl NativeRegistry {
    /// An empty one, published.
    #[napi(constructor)]
    pub fn new() -> Self {
        NativeRegistry(HandleRegistry::new())
    }

    pub(crate) fn shared(&self) -> Arc<Registry> {
        self.0.shared()
    }

    /// Adds or replaces ready answers.
    #[napi]
    pub fn answer(&self, method: String, name: String, modern: Option<&[u8]>, legacy: Option<&[u8]>) -> f64 {
        self.0.answer(&method, &name, modern, legacy)
    }

    /// Adds or replaces a handler.
    #[napi]
    pub fn handler(&self, method: String, name: String, handler: u32) -> f64 {
        self.0.handler(&method, &name, handler)
    }

    /// Removes; false when there was none.
    #[napi]
    pub fn remove(&self, method: String, name: String) -> bool {
        self.0.remove(&method, &name)
    }

    /// Makes changes visible.
    #[napi]
    pub fn publish(&self) -> u32 {
        self.0.publish()
    }

    /// Entry id or -1.
    #[napi]
    pub fn route(&self, method: String, name: String) -> f64 {
        self.0.route(&method, &name)
    }

    /// Counts one call.
    #[napi]
    pub fn record(&self, entry: f64, failed: u32, nanoseconds: f64) {
        self.0.record(entry, failed != 0, nanoseconds);
    }

    /// Calls, errors, nanoseconds.
    #[napi]
    pub fn stats(&self, entry: f64, mut out: Float64ArraySlice<'_>) -> bool {
        self.0.stats(entry, floats(&mut out))
    }

    /// Published entries.
    #[napi(getter)]
    pub fn size(&self) -> u32 {
        self.0.size()
    }

    /// Counts publications.
    #[napi(getter)]
    pub fn generation(&self) -> u32 {
        self.0.generation()
    }
}
