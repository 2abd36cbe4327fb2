//! Response heads and bodies. A reply is spliced around the bytes it was given; large ones are not copied to do so.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY,
};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use thirdrail_codec::encode;

use crate::compress::{BESIDE_FROM, Deflated, gzip};
use crate::connection::Stream;
use crate::guard::Refusal;
use crate::stream::{CutOff, StreamBody};

/// How the text of a reply is put on the wire; numbers as in the seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A result object, spliced with the request's id.
    Result,
    /// An error object, spliced with the request's id.
    Error,
    /// The body as it is.
    Raw,
}

impl TryFrom<i32> for Shape {
    type Error = ();

    fn try_from(number: i32) -> Result<Self, ()> {
        Ok(match number {
            0 => Shape::Result,
            1 => Shape::Error,
            2 => Shape::Raw,
            _ => return Err(()),
        })
    }
}

/// Above this size a reply is written in parts instead of being copied into one piece.
const COPY_UP_TO: usize = 16 * 1024;

/// Largest frame of HTTP/2: a longer one would wait inside of the protocol, where nobody sees that it does.
const FRAME: usize = 16 * 1024;

/// A response body: up to three pieces, or a stream.
pub(crate) struct Out {
    source: Source,
    /// On HTTP/2: tells the sweep how long the client has not taken more.
    over: Option<Rc<Stream>>,
}

enum Source {
    Parts { parts: [Bytes; 3], next: usize },
    Stream(StreamBody),
}

impl Out {
    pub(crate) fn one(bytes: Bytes) -> Self {
        Out::parts([bytes, Bytes::new(), Bytes::new()])
    }

    fn parts(parts: [Bytes; 3]) -> Self {
        let mut out = Out::from(Source::Parts { parts, next: 0 });
        out.skip_empty();
        out
    }

    /// It goes out over this stream of HTTP/2.
    pub(crate) fn over(&mut self, stream: Option<Rc<Stream>>) {
        self.over = stream;
    }

    /// The whole answer, when it is one.
    pub(crate) fn whole(&self) -> Option<&[Bytes; 3]> {
        match &self.source {
            Source::Parts { parts, .. } => Some(parts),
            Source::Stream(_) => None,
        }
    }

    /// hyper writes an empty frame as an empty frame; it must not see one.
    fn skip_empty(&mut self) {
        if let Source::Parts { parts, next } = &mut self.source {
            while parts.get(*next).is_some_and(Bytes::is_empty) {
                *next += 1;
            }
        }
    }
}

impl From<Source> for Out {
    fn from(source: Source) -> Self {
        Out { source, over: None }
    }
}

impl Body for Out {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let most = if self.over.is_some() { FRAME } else { usize::MAX };
        let piece = match &mut self.source {
            Source::Stream(stream) => stream.poll_piece(most, cx),
            Source::Parts { parts, next } => {
                Poll::Ready(parts.get_mut(*next).map(|part| Ok(part.split_to(most.min(part.len())))))
            }
        };
        self.skip_empty();
        if let Some(over) = &self.over {
            over.waits.set(piece.is_ready().then(Instant::now));
        }
        piece.map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Parts { next, .. } => *next >= 3,
            Source::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Parts { parts, .. } => SizeHint::with_exact(parts.iter().map(|p| p.len() as u64).sum()),
            Source::Stream(_) => SizeHint::new(),
        }
    }
}

/// `200` with ready bytes from the registry, which end with the response's closing brace.
pub(crate) fn answer(id: &[u8], result_and_brace: &Bytes) -> Response<Out> {
    json(
        200,
        Out::parts([start(id).into(), result_and_brace.clone(), Bytes::new()]),
    )
}

/// The same, compressed.
pub(crate) fn answer_zipped(id: &[u8], deflated: &Deflated) -> Response<Out> {
    let mut response = json(200, Out::parts(deflated.after(&start(id))));
    response
        .headers_mut()
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn start(id: &[u8]) -> Vec<u8> {
    [encode::HEAD, id, encode::RESULT_HEAD].concat()
}

/// Length of an answer with this id.
pub(crate) fn answer_length(id: &[u8], result_and_brace: &Bytes) -> usize {
    encode::HEAD.len() + id.len() + encode::RESULT_HEAD.len() + result_and_brace.len()
}

/// A whole answer of at least `threshold` bytes is compressed for a client that takes it, and says that it might be.
pub(crate) async fn compress(response: &mut Response<Out>, threshold: usize, accepted: bool) {
    let Some(parts) = response.body().whole() else { return };
    let length: usize = parts.iter().map(Bytes::len).sum();
    if length < threshold {
        return;
    }
    let parts = parts.clone();
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept-Encoding"));
    if !accepted || response.headers().contains_key(CONTENT_ENCODING) {
        return;
    }
    let zipped = if length < BESIDE_FROM {
        gzip(&parts)
    } else {
        match tokio::task::spawn_blocking(move || gzip(&parts)).await {
            Ok(zipped) => zipped,
            Err(_) => return, // it goes out as it is
        }
    };
    *response.body_mut() = Out::one(zipped);
    response
        .headers_mut()
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
}

/// A reply from above.
pub(crate) fn reply(status: u16, shape: Shape, id: &[u8], headers: &str, text: Bytes) -> Response<Out> {
    let mut response = match shape {
        Shape::Raw => Response::new(Out::one(text)),
        Shape::Result | Shape::Error => json(status, Out::parts(message_parts(shape, id, text))),
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !headers.is_empty() {
        extend(response.headers_mut(), headers);
    }
    response
}

/// The complete message in up to three pieces.
fn message_parts(shape: Shape, id: &[u8], text: Bytes) -> [Bytes; 3] {
    if text.len() > COPY_UP_TO {
        let (id, member) = match shape {
            Shape::Error => (if id.is_empty() { encode::NULL_ID } else { id }, encode::ERROR_HEAD),
            _ => (id, encode::RESULT_HEAD),
        };
        return [
            [encode::HEAD, id, member].concat().into(),
            text,
            Bytes::from_static(encode::TAIL),
        ];
    }
    let mut whole = Vec::new();
    match shape {
        Shape::Error => encode::encode_error(&mut whole, id, &text),
        _ => encode::encode_result(&mut whole, id, &text),
    }
    [whole.into(), Bytes::new(), Bytes::new()]
}

/// The last event of a stream.
pub(crate) fn final_event(shape: Shape, id: &[u8], text: Bytes) -> Bytes {
    let whole = match shape {
        Shape::Raw => text.to_vec(),
        _ => message_parts(shape, id, text).concat(),
    };
    event("", &whole)
}

/// One framed SSE event.
pub(crate) fn event(id: &str, data: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(data.len() + id.len() + 40);
    encode::encode_event(&mut frame, id, data);
    frame.into()
}

/// Head and body that were opened from above.
pub(crate) fn opened(status: u16, headers: &str, body: StreamBody) -> Response<Out> {
    let mut response = Response::new(Source::Stream(body).into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    extend(response.headers_mut(), headers);
    response
}

/// Head of an SSE answer. Proxies must neither buffer nor transform it.
pub(crate) fn events(body: StreamBody) -> Response<Out> {
    let mut response = Response::new(Source::Stream(body).into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// A refusal of the engine's own; `id` empty becomes null.
pub(crate) fn refusal(refusal: &Refusal, id: &[u8]) -> Response<Out> {
    // Our own messages: nothing in them needs escaping.
    let error = format!(r#"{{"code":{},"message":"{}"}}"#, refusal.code, refusal.message);
    let mut response = json(
        refusal.status,
        Out::parts(message_parts(Shape::Error, id, error.into())),
    );
    if refusal.close {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if refusal.status == 503 {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn json(status: u16, body: Out) -> Response<Out> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Headers that say where a message ends, or its connection.
const FRAMING: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "proxy-connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "http2-settings",
];

/// `name: value\r\n` lines into the map. A line that is no header is dropped: it comes from our own side of the seam. So is
/// one about the framing: that is the engine's to say, and nobody else's.
fn extend(map: &mut HeaderMap, lines: &str) {
    for line in lines.split("\r\n") {
        if let Some((name, value)) = line.split_once(':')
            && let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value.trim()),
            )
            && !FRAMING.contains(&name.as_str())
        {
            map.append(name, value);
        }
    }
}
