//! Things that are taken and given back: byte buffers, call slots, arenas. All of them are bounded.
//!
//! Taking one that is kept free allocates nothing (`tests/allocations.rs` counts). Nothing here waits: what is not to be
//! had is refused at once. It knows neither requests nor JSON.

mod arena;
mod buffers;
mod handle;
mod slots;

pub use arena::{Arena, Span};
pub use buffers::{BufferStats, Buffers, PooledBuf};
pub use handle::{HandleBuffers, HandleSlots};
pub use slots::{MAX_SLOTS, SlotStats, SlotTable};
