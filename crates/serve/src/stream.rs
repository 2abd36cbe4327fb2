//! Answers in pieces: what waits to be sent, the body that hyper takes it from, and the report of what was sent.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::calls::{Held, wait};
use crate::connection::Running;
use crate::handoff::Up;
use crate::reply::{Shape, event, final_event};

/// What kind of stream a call has become.
#[derive(Default)]
pub(crate) enum Form {
    /// None: its reply is a whole answer.
    #[default]
    None,
    /// SSE events, then the reply as the last of them.
    Events,
    /// A body of its own kind; its status and header lines until they are taken.
    Opened(Option<(u16, String)>),
}

/// What one call has to send before its reply.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) form: Form,
    pieces: VecDeque<Piece>,
    queued: usize,
    /// Text sent and not reported.
    sent: usize,
}

struct Piece {
    bytes: Bytes,
    /// Bytes of text in it, as the side above counts them.
    text: usize,
}

impl Outgoing {
    /// Unsent bytes.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    pub(crate) fn open(&mut self, status: u16, headers: String) {
        if matches!(self.form, Form::None) {
            self.form = Form::Opened(Some((status, headers)));
        }
    }

    pub(crate) fn event(&mut self, id: &str, text: &Bytes) {
        if matches!(self.form, Form::None) {
            self.form = Form::Events;
        }
        self.put(event(id, text), text.len());
    }

    pub(crate) fn write(&mut self, text: Bytes) {
        // hyper writes an empty frame as an empty frame; it must not see one.
        if matches!(self.form, Form::Opened(_)) && !text.is_empty() {
            let length = text.len();
            self.put(text, length);
        }
    }

    fn put(&mut self, bytes: Bytes, text: usize) {
        self.queued += bytes.len();
        self.pieces.push_back(Piece { bytes, text });
    }

    /// The next piece, or as much of it as may be taken at once; it counts as sent when all of it is taken.
    fn take(&mut self, most: usize) -> Option<Bytes> {
        let first = self.pieces.front_mut()?;
        if first.bytes.len() > most {
            self.queued -= most;
            return Some(first.bytes.split_to(most));
        }
        let piece = self.pieces.pop_front()?;
        self.queued -= piece.bytes.len();
        self.sent += piece.text;
        Some(piece.bytes)
    }

    /// Text sent since the last report, when that is worth one.
    fn report(&mut self, least: usize) -> Option<usize> {
        (self.sent >= least.max(1)).then(|| std::mem::take(&mut self.sent))
    }
}

/// The pieces, then the reply as the last of them.
pub(crate) struct StreamBody {
    held: Held,
    id: Bytes,
    _running: Running,
    /// What is left of the reply when it could not be taken at once.
    rest: Bytes,
    /// It ends in its middle.
    cut: bool,
}

/// The side above ended a body in its middle. hyper then ends an HTTP/1.1 connection without the last chunk, and resets a
/// stream of HTTP/2.
#[derive(Debug)]
pub(crate) struct CutOff;

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body was cut off")
    }
}

impl std::error::Error for CutOff {}

impl StreamBody {
    pub(crate) fn new(held: Held, id: Bytes, running: Running) -> Self {
        StreamBody {
            held,
            id,
            _running: running,
            rest: Bytes::new(),
            cut: false,
        }
    }

    pub(crate) fn poll_piece(&mut self, most: usize, cx: &Context<'_>) -> Poll<Option<Result<Bytes, CutOff>>> {
        if self.cut {
            return Poll::Ready(Some(Err(CutOff)));
        }
        if self.held.replied {
            return Poll::Ready(self.rest(most));
        }
        let io = &self.held.io;
        let mut calls = io.calls.borrow_mut();
        let call = calls.get_mut(self.held.handle).expect("a held slot is alive");
        if let Some(bytes) = call.outgoing.take(most) {
            if let Some(sent) = call.outgoing.report(io.shared.config.stream_high_water / 2) {
                io.push(Up::Flushed(self.held.slot(), sent));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
        match call.reply.take() {
            Some(reply) if reply.status == 0 => {
                drop(calls);
                self.held.replied = true;
                self.cut = true;
                // An error discards what the protocol has and did not send: that is given one turn to leave.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(reply) => {
                let opened = matches!(call.outgoing.form, Form::Opened(_));
                drop(calls);
                self.held.replied = true;
                self.rest = if reply.shape == Shape::Raw && (opened || reply.text.is_empty()) {
                    reply.text // empty: the stream just ends
                } else {
                    final_event(reply.shape, &self.id, reply.text)
                };
                Poll::Ready(self.rest(most))
            }
            None => wait(&mut call.waker, cx),
        }
    }

    fn rest(&mut self, most: usize) -> Option<Result<Bytes, CutOff>> {
        (!self.rest.is_empty()).then(|| Ok(self.rest.split_to(most.min(self.rest.len()))))
    }
}
