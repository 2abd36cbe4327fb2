//! Bytes to JSON-RPC and back: envelope scan, frames (lines, server-sent events), encoding by splice, canonical form.
//!
//! Pure and without I/O. The twin of `ts/engine/js/codec`, byte for byte: both read `test/vectors/codec`.

mod canonical;
mod digest;
pub mod encode;
mod envelope;
pub mod errors;
pub mod events;
mod frames;
mod keys;
pub mod lines;
mod scan;
mod simd;
mod skip;

pub use canonical::canonical;
pub use digest::digest;
pub use encode::{encode_error, encode_event, encode_refusal, encode_result};
pub use envelope::{Envelope, Kind, MAX_ID_BYTES, field, flag};
pub use errors::{Refusal, RefusalError};
pub use events::Events;
pub use lines::Lines;
#[doc(hidden)]
pub use scan::scan_at;
pub use scan::{scan, scan_ranges};
#[doc(hidden)]
pub use simd::Level;
pub use skip::DEPTH_CEILING;

/// The SIMD level chosen for this CPU: `avx2`, `sse4.2`, `neon` or `scalar`.
pub fn simd_level() -> &'static str {
    simd::level().name()
}
