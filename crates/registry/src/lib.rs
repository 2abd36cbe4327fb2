//! Who answers: (method, name) -> route.
//!
//! Writers collect changes in concurrent maps and make them visible together with [`Registry::publish`]; readers look at
//! an immutable [`Snapshot`] and never wait. Every entry carries its own padded counters.
//!
//! It does not parse: methods, names and answers are bytes that somebody else has checked. It does not serialise lists
//! either; it is given them ready, once per change.

mod entry;
mod handle;
mod registry;
mod snapshot;
mod stats;
mod word;

pub use entry::{Entry, Era, Route};
pub use handle::HandleRegistry;
pub use registry::{Limits, Registry};
pub use snapshot::{Reader, Snapshot};
pub use stats::Stats;
