//! The N-API binding: convert, call, convert. No decision is made here; each file binds the crate of its name.

#![deny(clippy::all)]
// Under `--all-targets` the registration that calls these functions is compiled away.
#![cfg_attr(test, allow(dead_code))]

mod codec;
mod config;
mod listener;
mod live;
mod memory;
mod metrics;
mod pool;
mod records;
mod registry;

use napi_derive::napi;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Version of the package that this addon was built for.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// SIMD level that the codec uses on this machine.
#[napi]
pub fn simd() -> &'static str {
    thirdrail_codec::simd_level()
}
