//! Calls in flight on one I/O thread: the wait for a reply, the events before it, and what happens when the client leaves.
//!
//! A call sits in a slot with a generation from the hand-over until its reply is taken. A reply to a dead slot finds
//! nothing and is counted. Slots are numbered `generation * 2^24 + index`; with several I/O threads the low bits of the
//! index say which one, so that numbers are unique in the listener.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use thirdrail_registry::Entry;

use crate::connection::{Conn, Phase};
use crate::handoff::Up;
use crate::reply::{Shape, event, final_event};
use crate::stats::Stat;
use crate::thread::Io;

/// From the side above to a call.
#[derive(Debug)]
pub enum Down {
    /// Ends the call.
    Reply {
        /// Handle of the call.
        slot: u64,
        /// HTTP status, unless a stream was opened.
        status: u16,
        /// How `text` is put on the wire.
        shape: Shape,
        /// Counted as an error of the tool.
        failed: bool,
        /// Extra header lines.
        headers: String,
        /// Result, error or body.
        text: Bytes,
    },
    /// One SSE event before the reply.
    Event {
        /// Handle of the call.
        slot: u64,
        /// Event id, empty for none.
        id: String,
        /// Its data.
        text: Bytes,
    },
}

impl Down {
    pub(crate) fn slot(&self) -> u64 {
        match self {
            Down::Reply { slot, .. } | Down::Event { slot, .. } => *slot,
        }
    }
}

/// The reply as the waiting request takes it.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) shape: Shape,
    pub(crate) headers: String,
    pub(crate) text: Bytes,
}

pub(crate) struct Call {
    reply: Option<Reply>,
    events: VecDeque<Bytes>,
    queued: usize,
    waker: Option<Waker>,
    conn: Rc<Conn>,
    entry: Option<Arc<Entry>>,
    started: Instant,
}

const INDEX_BITS: u32 = 24;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

/// Handle of the listener for a handle of thread `thread` of `threads`.
pub(crate) fn global(local: u64, thread: usize, threads: usize) -> u64 {
    (local & !INDEX_MASK) | ((local & INDEX_MASK) * threads as u64 + thread as u64)
}

/// Which thread a handle of the listener belongs to, and its handle there.
pub(crate) fn local(global: u64, threads: usize) -> (usize, u64) {
    let index = global & INDEX_MASK;
    (
        (index % threads as u64) as usize,
        (global & !INDEX_MASK) | (index / threads as u64),
    )
}

/// A slot held by a request; giving it up before the reply tells the side above.
pub(crate) struct Held {
    io: Rc<Io>,
    handle: u64,
    replied: bool,
}

/// Takes a slot; `None` when this thread has no more.
pub(crate) fn hold(io: &Rc<Io>, conn: &Rc<Conn>, entry: Option<Arc<Entry>>, started: Instant) -> Option<Held> {
    let call = Call {
        reply: None,
        events: VecDeque::new(),
        queued: 0,
        waker: None,
        conn: conn.clone(),
        entry,
        started,
    };
    let handle = io.calls.borrow_mut().insert(call)?;
    Some(Held {
        io: io.clone(),
        handle,
        replied: false,
    })
}

/// What comes first: the reply alone, or events, which need a stream.
pub(crate) enum First {
    Reply(Reply),
    Stream,
}

impl Held {
    pub(crate) fn slot(&self) -> u64 {
        global(self.handle, self.io.thread, self.io.shared.config.threads)
    }

    pub(crate) async fn first(&mut self) -> First {
        poll_fn(|cx| {
            let mut calls = self.io.calls.borrow_mut();
            let call = calls.get_mut(self.handle).expect("a held slot is alive");
            if !call.events.is_empty() {
                return Poll::Ready(First::Stream);
            }
            match call.reply.take() {
                Some(reply) => {
                    self.replied = true;
                    Poll::Ready(First::Reply(reply))
                }
                None => wait(&mut call.waker, cx),
            }
        })
        .await
    }
}

fn wait<T>(place: &mut Option<Waker>, cx: &Context<'_>) -> Poll<T> {
    *place = Some(cx.waker().clone());
    Poll::Pending
}

impl Drop for Held {
    fn drop(&mut self) {
        self.io.calls.borrow_mut().remove(self.handle);
        if !self.replied {
            self.io.stats().add(Stat::Aborted, 1);
            self.io.push(Up::Abort(self.slot()));
        }
    }
}

/// Events, then the reply as the last of them.
pub(crate) struct StreamBody {
    held: Held,
    id: Bytes,
    conn: Rc<Conn>,
}

impl StreamBody {
    pub(crate) fn new(held: Held, id: Bytes, conn: Rc<Conn>) -> Self {
        StreamBody { held, id, conn }
    }

    pub(crate) fn poll_event(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.held.replied {
            return Poll::Ready(None);
        }
        let mut calls = self.held.io.calls.borrow_mut();
        let call = calls.get_mut(self.held.handle).expect("a held slot is alive");
        if let Some(frame) = call.events.pop_front() {
            call.queued -= frame.len();
            return Poll::Ready(Some(frame));
        }
        match call.reply.take() {
            Some(reply) => {
                self.held.replied = true;
                if reply.shape == Shape::Raw && reply.text.is_empty() {
                    return Poll::Ready(None); // nothing to say: the stream just ends
                }
                Poll::Ready(Some(final_event(reply.shape, &self.id, reply.text)))
            }
            None => wait(&mut call.waker, cx),
        }
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.conn.enter(Phase::Idle, Instant::now());
    }
}

/// Hands one message from above to its call, if that is still alive.
pub(crate) fn deliver(io: &Io, down: Down) {
    let (_, handle) = local(down.slot(), io.shared.config.threads);
    let mut calls = io.calls.borrow_mut();
    let Some(call) = calls.get_mut(handle).filter(|call| call.reply.is_none()) else {
        if matches!(down, Down::Reply { .. }) {
            io.stats().add(Stat::StaleReplies, 1);
        }
        return;
    };
    match down {
        Down::Reply {
            status,
            shape,
            failed,
            headers,
            text,
            ..
        } => {
            if let Some(entry) = &call.entry {
                entry.stats.record(failed, call.started.elapsed().as_nanos() as u64);
            }
            call.reply = Some(Reply {
                status,
                shape,
                headers,
                text,
            });
        }
        Down::Event { id, text, .. } => {
            let frame = event(&id, &text);
            call.queued += frame.len();
            call.events.push_back(frame);
            if call.queued > io.shared.config.max_stream {
                // A client that does not read must not fill our memory.
                call.conn.cut();
            }
        }
    }
    if let Some(waker) = call.waker.take() {
        drop(calls);
        waker.wake();
    }
}
