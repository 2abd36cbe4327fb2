//! Layout of the two rings that JavaScript owns: fixed records of eight 32-bit integers, and bytes beside them.
//!
//! `ts/engine/native/rings.ts` has the same numbers; a test compares them through [`ring_layout`].

use napi_derive::napi;

/// Integers a record.
pub const WIDTH: usize = 8;

/// Added to the count that `drain` returns when the ring was full before the queue was empty.
pub const MORE: u32 = 65536;

/// Up: kind, slot index, slot generation, handler or HTTP method, flags, byte length, 1 when the bytes are ASCII, spare.
pub mod up {
    pub const CALL: i32 = 0;
    pub const MESSAGE: i32 = 1;
    pub const ABORT: i32 = 2;
    /// Added to the kind when the bytes did not fit and are to be fetched with `take`.
    pub const LARGE: i32 = 16;
}

/// Down: kind, slot index, slot generation, status, shape plus 256 when failed, head length, text length, text offset.
/// The head (header lines or event id) stands directly before the text.
pub mod down {
    pub const REPLY: i32 = 0;
    pub const EVENT: i32 = 1;
    pub const FAILED: i32 = 256;
}

/// HTTP methods by number; others cross as the last.
pub const METHODS: [&str; 8] = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "OTHER"];

/// The numbers above, for the test that compares them with their mirror.
#[napi]
pub fn ring_layout() -> Vec<i32> {
    vec![
        WIDTH as i32,
        up::CALL,
        up::MESSAGE,
        up::ABORT,
        up::LARGE,
        down::REPLY,
        down::EVENT,
        down::FAILED,
        METHODS.len() as i32,
        MORE as i32,
    ]
}
