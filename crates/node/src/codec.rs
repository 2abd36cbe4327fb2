//! Binds `thirdrail-codec`. Refusals cross as negative numbers.

use napi::Either;
use napi::bindgen_prelude::{Buffer, Int32ArraySlice};
use napi_derive::napi;
use thirdrail_codec as codec;

use crate::memory::ints;

/// Scans one message; fills the 19 fields of the seam; returns its kind or a refusal.
#[napi]
pub fn codec_scan(message: &[u8], max_depth: u32, mut out: Int32ArraySlice<'_>) -> i32 {
    let mut envelope = codec::Envelope::default();
    match codec::scan(message, max_depth, &mut envelope) {
        Ok(kind) => {
            for (out, field) in ints(&mut out).iter_mut().zip(envelope.fields) {
                *out = field;
            }
            kind as i32
        }
        Err(refusal) => refusal as i32,
    }
}

/// RFC 8785 form, or a refusal.
#[napi]
pub fn codec_canonical(json: &[u8], max_depth: u32) -> Either<Buffer, i32> {
    match codec::canonical(json, max_depth) {
        Ok(bytes) => Either::A(bytes.into()),
        Err(refusal) => Either::B(refusal as i32),
    }
}

/// SHA-256 of the RFC 8785 form, or a refusal.
#[napi]
pub fn codec_digest(json: &[u8], max_depth: u32) -> Either<Buffer, i32> {
    match codec::digest(json, max_depth) {
        Ok(bytes) => Either::A(bytes.to_vec().into()),
        Err(refusal) => Either::B(refusal as i32),
    }
}

/// A response around a result.
#[napi]
pub fn codec_encode_result(id: &[u8], result: &[u8]) -> Buffer {
    let mut out = Vec::new();
    codec::encode::encode_result(&mut out, id, result);
    out.into()
}

/// A response around an error.
#[napi]
pub fn codec_encode_error(id: &[u8], error: &[u8]) -> Buffer {
    let mut out = Vec::new();
    codec::encode::encode_error(&mut out, id, error);
    out.into()
}

/// One SSE event.
#[napi]
pub fn codec_encode_event(id: String, data: &[u8]) -> Buffer {
    let mut out = Vec::new();
    codec::encode::encode_event(&mut out, &id, data);
    out.into()
}

fn frames(pushed: Result<Vec<Vec<u8>>, codec::Refusal>) -> Either<Vec<Buffer>, i32> {
    match pushed {
        Ok(frames) => Either::A(frames.into_iter().map(Buffer::from).collect()),
        Err(refusal) => Either::B(refusal as i32),
    }
}

/// Newline-delimited framing.
#[napi]
pub struct NativeLines(codec::Lines);

#[napi]
impl NativeLines {
    /// A framer for messages of at most `max_bytes`.
    #[napi(constructor)]
    pub fn new(max_bytes: u32) -> Self {
        NativeLines(codec::Lines::new(max_bytes as usize))
    }

    /// Complete frames, or a refusal.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Either<Vec<Buffer>, i32> {
        frames(self.0.push(chunk))
    }

    /// The unterminated rest.
    #[napi]
    pub fn end(&mut self) -> Option<Buffer> {
        self.0.end().map(Buffer::from)
    }

    /// Bytes held.
    #[napi(getter)]
    pub fn held(&self) -> u32 {
        self.0.held() as u32
    }
}

/// `text/event-stream` framing.
#[napi]
pub struct NativeEvents(codec::Events);

#[napi]
impl NativeEvents {
    /// A parser for events of at most `max_bytes`.
    #[napi(constructor)]
    pub fn new(max_bytes: u32) -> Self {
        NativeEvents(codec::Events::new(max_bytes as usize))
    }

    /// Data of complete events, or a refusal.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Either<Vec<Buffer>, i32> {
        frames(self.0.push(chunk))
    }

    /// The unterminated rest.
    #[napi]
    pub fn end(&mut self) -> Option<Buffer> {
        self.0.end().map(Buffer::from)
    }

    /// Bytes held.
    #[napi(getter)]
    pub fn held(&self) -> u32 {
        self.0.held() as u32
    }
}
