//! Calls on one I/O thread: the wait for a reply or a stream, and what happens when the client leaves.
//!
//! A call sits in a slot with a generation from the hand-over until its reply is taken. A reply to a dead slot finds
//! nothing and is counted. Slots are numbered `generation * 2^24 + index`; with several I/O threads the low bits of the
//! index say which one, so that numbers are unique in the listener.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use thirdrail_registry::Entry;

use crate::connection::{Conn, Running, Stream};
use crate::handoff::Up;
use crate::reply::Shape;
use crate::stats::Stat;
use crate::stream::{Form, Outgoing};
use crate::thread::Io;

/// From the side above to a call.
#[derive(Debug)]
pub enum Down {
    /// Ends the call.
    Reply {
        /// Handle of the call.
        slot: u64,
        /// HTTP status, unless a stream was opened: then only 0 says something, the stream is cut off.
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
    /// The head of a body that follows in pieces.
    Open {
        /// Handle of the call.
        slot: u64,
        /// HTTP status.
        status: u16,
        /// Header lines.
        headers: String,
    },
    /// A piece of an opened body.
    Write {
        /// Handle of the call.
        slot: u64,
        /// The piece.
        text: Bytes,
    },
}

impl Down {
    pub(crate) fn slot(&self) -> u64 {
        match self {
            Down::Reply { slot, .. }
            | Down::Event { slot, .. }
            | Down::Open { slot, .. }
            | Down::Write { slot, .. } => *slot,
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
    pub(crate) reply: Option<Reply>,
    pub(crate) outgoing: Outgoing,
    pub(crate) waker: Option<Waker>,
    conn: Rc<Conn>,
    /// On HTTP/2.
    over: Option<Rc<Stream>>,
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
    pub(crate) io: Rc<Io>,
    pub(crate) handle: u64,
    pub(crate) replied: bool,
}

/// Takes a slot; `None` when this thread has no more.
pub(crate) fn hold(io: &Rc<Io>, running: &Running, entry: Option<Arc<Entry>>, started: Instant) -> Option<Held> {
    let call = Call {
        reply: None,
        outgoing: Outgoing::default(),
        waker: None,
        conn: running.conn.clone(),
        over: running.over.clone(),
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

/// What comes first: the reply alone, or a stream.
pub(crate) enum First {
    Reply(Reply),
    Events,
    Opened(u16, String),
}

impl Held {
    pub(crate) fn slot(&self) -> u64 {
        global(self.handle, self.io.thread, self.io.shared.config.threads)
    }

    pub(crate) async fn first(&mut self) -> First {
        poll_fn(|cx| {
            let mut calls = self.io.calls.borrow_mut();
            let call = calls.get_mut(self.handle).expect("a held slot is alive");
            match &mut call.outgoing.form {
                Form::None => {}
                Form::Events => return Poll::Ready(First::Events),
                Form::Opened(head) => {
                    let (status, headers) = head.take().expect("a head is taken once");
                    return Poll::Ready(First::Opened(status, headers));
                }
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

pub(crate) fn wait<T>(place: &mut Option<Waker>, cx: &Context<'_>) -> Poll<T> {
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
        Down::Event { id, text, .. } => call.outgoing.event(&id, &text),
        Down::Open { status, headers, .. } => call.outgoing.open(status, headers),
        Down::Write { text, .. } => call.outgoing.write(text),
    }
    if call.outgoing.queued() > io.shared.config.max_stream {
        // A client that does not read must not fill our memory.
        match &call.over {
            Some(stream) => stream.cut(),
            None => call.conn.cut(),
        }
    }
    if let Some(waker) = call.waker.take() {
        drop(calls);
        waker.wake();
    }
}
