//! Sockets in: accept, guard, scan, route; answer what the registry can answer, hand the rest up, write, drain.
//!
//! This crate knows HTTP and no JavaScript. Whoever is above (the N-API binding, a test) drains [`Listener::drain`] and
//! gives replies back with [`Listener::complete`]; nothing here assumes on which thread that happens. Which error a
//! doubtful message deserves is not decided here either: it is handed up, so that both engines give the same answer.

mod bind;
mod body;
mod calls;
mod compress;
mod config;
mod connection;
mod cors;
mod door;
mod guard;
mod handoff;
mod head;
mod http1;
mod http2;
mod listen;
mod reply;
mod service;
mod sessions;
mod socket;
mod stats;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod timer;
mod tls;
mod tokens;

pub use bind::Address;
pub use calls::Down;
pub use config::{Config, Pem};
pub use door::{CALL_LEGACY, CALL_PROGRESS, CALL_STREAM, Verdict, decide};
pub use handoff::{Job, Task, Up};
pub use head::Head;
pub use listen::Listener;
pub use reply::Shape;
pub use stats::{STAT_COUNT, Stat};
