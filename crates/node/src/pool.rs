//! Binds `thirdrail-pool`.

use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;
use thirdrail_pool::{HandleBuffers, HandleSlots};

use crate::memory::floats;

/// Call slots by handle.
#[napi]
pub struct NativeSlots(HandleSlots);

#[napi]
impl NativeSlots {
    /// At most `capacity` taken at once.
    #[napi(constructor)]
    pub fn new(capacity: u32) -> Self {
        NativeSlots(HandleSlots::new(capacity))
    }

    /// A handle or -1.
    #[napi]
    pub fn take(&mut self) -> f64 {
        self.0.take()
    }

    /// False when dead.
    #[napi]
    pub fn give(&mut self, handle: f64) -> bool {
        self.0.give(handle)
    }

    /// Whether taken.
    #[napi]
    pub fn alive(&self, handle: f64) -> bool {
        self.0.alive(handle)
    }

    /// The six counters.
    #[napi]
    pub fn stats(&self, mut out: Float64ArraySlice<'_>) {
        self.0.stats(floats(&mut out));
    }
}

/// Buffers by handle.
#[napi]
pub struct NativeBuffers(HandleBuffers);

#[napi]
impl NativeBuffers {
    /// At most `max_bytes` taken at once.
    #[napi(constructor)]
    pub fn new(max_bytes: f64) -> Self {
        NativeBuffers(HandleBuffers::new(max_bytes))
    }

    /// A handle or -1.
    #[napi]
    pub fn take(&mut self, bytes: f64) -> f64 {
        self.0.take(bytes)
    }

    /// False when dead.
    #[napi]
    pub fn give(&mut self, handle: f64) -> bool {
        self.0.give(handle)
    }

    /// Bytes or -1.
    #[napi]
    pub fn capacity(&self, handle: f64) -> f64 {
        self.0.capacity(handle)
    }

    /// The six counters.
    #[napi]
    pub fn stats(&self, mut out: Float64ArraySlice<'_>) {
        self.0.stats(floats(&mut out));
    }
}
