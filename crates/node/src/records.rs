//! Layout of the two rings that JavaScript owns: fixed records of eight 32-bit integers, and bytes beside them.
//!
//! `ts/engine/native/rings.ts` has the same numbers; a test compares them through [`ring_layout`].

use napi_derive::napi;
use thirdrail_serve::{Job, Task};

use crate::live::{generation, index};

/// Integers a record.
pub const WIDTH: usize = 8;

/// Added to the count that `drain` returns when the ring was full before the queue was empty.
pub const MORE: u32 = 65536;

/// Up: kind, slot index, slot generation, handler or HTTP method, flags, byte length, 1 when the bytes are ASCII, spare.
pub mod up {
    pub const CALL: i32 = 0;
    pub const MESSAGE: i32 = 1;
    pub const ABORT: i32 = 2;
    /// Byte length: text that a stream has sent since the last of these.
    pub const FLUSHED: i32 = 3;
    /// Added to the kind when the bytes did not fit and are to be fetched with `take`.
    pub const LARGE: i32 = 16;
}

/// Down: kind, slot index, slot generation, status, shape plus 256 when failed, head length, text length, text offset.
/// The head (header lines or event id) stands directly before the text.
pub mod down {
    pub const REPLY: i32 = 0;
    pub const EVENT: i32 = 1;
    pub const OPEN: i32 = 2;
    pub const WRITE: i32 = 3;
    pub const FAILED: i32 = 256;
}

/// HTTP methods by number; others cross as the last.
pub const METHODS: [&str; 8] = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "OTHER"];

/// The bytes that go up with a job: of a call its arguments, of a message all of it.
pub fn payload(job: &Job) -> &[u8] {
    match job.task {
        Task::Call(..) => job.range(job.envelope.arguments()),
        Task::Message(_) => &job.body,
    }
}

/// The record of a job. `large`: its bytes are not in the ring.
pub fn describe(job: &Job, length: usize, large: bool, record: &mut [i32]) {
    let (kind, handler, flags) = match &job.task {
        Task::Call(handler, flags) => (up::CALL, *handler as i32, *flags as i32),
        Task::Message(method) => {
            let number = METHODS
                .iter()
                .position(|m| *m == method.as_str())
                .unwrap_or(METHODS.len() - 1);
            (up::MESSAGE, number as i32, 0)
        }
    };
    let ascii = i32::from(job.envelope.flags() & thirdrail_codec::flag::ASCII != 0);
    let kind = if large { kind + up::LARGE } else { kind };
    record.copy_from_slice(&[
        kind,
        index(job.slot) as i32,
        generation(job.slot),
        handler,
        flags,
        length as i32,
        ascii,
        0,
    ]);
}

/// The numbers above, for the test that compares them with their mirror.
#[napi]
pub fn ring_layout() -> Vec<i32> {
    vec![
        WIDTH as i32,
        up::CALL,
        up::MESSAGE,
        up::ABORT,
        up::FLUSHED,
        up::LARGE,
        down::REPLY,
        down::EVENT,
        down::OPEN,
        down::WRITE,
        down::FAILED,
        METHODS.len() as i32,
        MORE as i32,
    ]
}
