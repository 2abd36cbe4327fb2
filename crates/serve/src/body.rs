//! Reads a request body: within the limit, within the time, and without a copy when it came in one piece.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use thirdrail_pool::Buffers;

use crate::config::Config;
use crate::connection::{Conn, Discarding};
use crate::guard::Refusal;
use crate::head::Head;

/// How long a client whose body will not be taken may go on sending it. Without this a connection that is closed with
/// unread bytes is reset, and the reset can overtake the answer.
const LINGER: Duration = Duration::from_millis(500);

/// Leaves a body unread, beside the answer. True when the connection can go on: the body has an end within the limit and
/// its client is already sending.
pub(crate) fn refuse(config: &Config, conn: &Rc<Conn>, body: Incoming, head: &Head<'_>) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if head.expects {
        // It has sent nothing and will not: dropping the body ends the connection after the answer.
        let _never_ends = Discarding::begin(conn);
        return false;
    }
    let kept = head
        .content_length
        .is_some_and(|length| length <= config.max_body as u64);
    discard(conn, body, if kept { config.body_timeout } else { LINGER });
    kept
}

fn discard(conn: &Rc<Conn>, mut body: Incoming, within: Duration) {
    let discarding = Discarding::begin(conn);
    tokio::task::spawn_local(async move {
        let ended = tokio::time::timeout(within, async {
            loop {
                match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => break false,
                    None => break true,
                }
            }
        });
        if ended.await == Ok(true) {
            discarding.end();
        }
    });
}

/// The body, or why it was refused. `Ok(None)`: the client went away in the middle.
pub(crate) async fn read(
    config: &Config,
    buffers: &Buffers,
    conn: &Rc<Conn>,
    mut body: Incoming,
) -> Result<Option<Bytes>, Refusal> {
    // Almost every body is already here, in one frame: ask once before arming a timer.
    let mut gathered = Gathered {
        limit: config.max_body,
        buffers,
        parts: Parts::None,
    };
    let first = poll_fn(|cx| Poll::Ready(gathered.poll(&mut body, cx))).await;
    let read = match first {
        Poll::Ready(done) => done,
        Poll::Pending => tokio::time::timeout(config.body_timeout, poll_fn(|cx| gathered.poll(&mut body, cx)))
            .await
            .unwrap_or_else(|_| Err(Refusal::new(408, -32000, "Request body not received in time").closing())),
    };
    if read.is_err() {
        discard(conn, body, LINGER);
    }
    read
}

enum Parts {
    None,
    One(Bytes),
    Many(thirdrail_pool::PooledBuf),
}

struct Gathered<'a> {
    limit: usize,
    buffers: &'a Buffers,
    parts: Parts,
}

impl Gathered<'_> {
    fn poll(&mut self, body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        loop {
            if body.is_end_stream() {
                return Poll::Ready(Ok(Some(self.take())));
            }
            let frame = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(Some(self.take()))),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            if let Some(refusal) = self.add(frame) {
                return Poll::Ready(Err(refusal));
            }
        }
    }

    fn add(&mut self, frame: Frame<Bytes>) -> Option<Refusal> {
        let data = frame.into_data().ok()?; // trailers are of no interest
        let held = match &self.parts {
            Parts::None => 0,
            Parts::One(one) => one.len(),
            Parts::Many(many) => many.len(),
        };
        if held + data.len() > self.limit {
            return Some(Refusal::too_large(self.limit));
        }
        self.parts = match std::mem::replace(&mut self.parts, Parts::None) {
            Parts::None => Parts::One(data),
            Parts::One(one) => match self.buffers.take((one.len() + data.len()) * 2) {
                Some(mut buffer) => {
                    buffer.extend_from_slice(&one);
                    buffer.extend_from_slice(&data);
                    Parts::Many(buffer)
                }
                None => return Some(Refusal::new(503, -32000, "Server overloaded").closing()),
            },
            Parts::Many(mut buffer) => {
                buffer.extend_from_slice(&data);
                Parts::Many(buffer)
            }
        };
        None
    }

    fn take(&mut self) -> Bytes {
        match std::mem::replace(&mut self.parts, Parts::None) {
            Parts::None => Bytes::new(),
            Parts::One(one) => one,
            // The pooled buffer goes back; the call keeps a copy of the exact size.
            Parts::Many(buffer) => BytesMut::from(&buffer[..]).freeze(),
        }
    }
}
