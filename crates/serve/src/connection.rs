//! One connection: what it is doing, since when, and what it is told to do.
//!
//! hyper's own header timeout would arm and free a timer for every request, and counts idle time as header time. Here the
//! socket notes when a head began and a sweep a few times a second looks for those that are late (`thread.rs`).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::socket::{Handle, unread, unsent};
use crate::tokens::Memo;

/// How long a connection is idle before its buffers are given back: most come with the next request before that.
const PARK_AFTER: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1000 });

/// What a connection is waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Kept alive, nothing begun.
    Idle,
    /// The first byte of a head is here, or none since accept.
    Head,
    /// Requests are being served.
    Busy,
}

/// Shared by the socket, the service, the sweep and the calls of one connection; all on one thread.
pub(crate) struct Conn {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// Requests without a complete answer; more than one only with HTTP/2.
    running: Cell<u32>,
    /// Request bodies that are read away beside their answers, or were given up before their end.
    discarding: Cell<u32>,
    /// Since when the socket takes no more bytes and its client none either.
    stuck: Cell<Option<Instant>>,
    /// What the kernel then held for the client, where one can ask.
    held: Cell<usize>,
    /// The socket, while there is one.
    pub(crate) handle: Cell<Option<Handle>>,
    /// The last read found nothing.
    pub(crate) drained: Cell<bool>,
    /// It speaks HTTP/2.
    http2: Cell<bool>,
    /// The connection is to end: now, whatever runs.
    cut: Cell<bool>,
    /// Its time is over; the next read ends it.
    late: Cell<bool>,
    /// The connection is to end after the running requests.
    closing: Cell<bool>,
    /// It is to give its buffers back.
    park: Cell<bool>,
    parked: Cell<bool>,
    /// Its last Authorization.
    pub(crate) memo: Memo,
    /// Its streams on HTTP/2.
    streams: RefCell<Vec<Weak<Stream>>>,
    waker: RefCell<Option<Waker>>,
}

/// A stream of HTTP/2.
#[derive(Default)]
pub(crate) struct Stream {
    /// Since when it has taken a part of its answer and not come back for more: its client gives it no window.
    pub(crate) waits: Cell<Option<Instant>>,
    cut: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Stream {
    /// Ends the stream, and nothing else on its connection.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// For the task that drives it: whether it is to end, and be woken when it is.
    pub(crate) fn is_cut(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        self.cut.get()
    }
}

/// The limits that the sweep holds against a connection.
pub(crate) struct Times {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

impl Conn {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Conn {
            phase: Cell::new(Phase::Head),
            since: Cell::new(Instant::now()),
            running: Cell::new(0),
            discarding: Cell::new(0),
            stuck: Cell::new(None),
            held: Cell::new(usize::MAX),
            handle: Cell::new(None),
            drained: Cell::new(false),
            http2: Cell::new(false),
            cut: Cell::new(false),
            late: Cell::new(false),
            closing: Cell::new(false),
            park: Cell::new(false),
            parked: Cell::new(false),
            memo: Memo::default(),
            streams: RefCell::default(),
            waker: RefCell::new(None),
        })
    }

    pub(crate) fn enter(&self, phase: Phase, now: Instant) {
        self.phase.set(phase);
        self.since.set(now);
    }

    /// From here on heads are none of the socket's business, and more than one request may run.
    pub(crate) fn speak_http2(&self) {
        self.http2.set(true);
        self.enter(Phase::Idle, Instant::now());
    }

    pub(crate) fn speaks_http2(&self) -> bool {
        self.http2.get()
    }

    /// Bytes came: the first of a head, when nothing runs.
    pub(crate) fn heard(&self) {
        if self.phase.get() == Phase::Idle && !self.http2.get() {
            self.enter(Phase::Head, Instant::now());
        }
    }

    /// The socket took bytes, or would take none.
    pub(crate) fn written(&self, progress: bool) {
        if progress {
            self.stuck.set(None);
        } else if self.stuck.get().is_none() {
            self.stuck.set(Some(Instant::now()));
            self.held.set(usize::MAX);
        }
    }

    /// Since when nothing moves. A socket takes more only when a good part of its buffer is free, which a slow reader of a
    /// large answer may not bring about for long: what the kernel still holds tells that bytes do leave.
    fn stuck_since(&self, now: Instant) -> Option<Instant> {
        let since = self.stuck.get()?;
        let held = self.handle.get().and_then(unsent).unwrap_or(usize::MAX);
        if held < self.held.replace(held) {
            self.stuck.set(Some(now));
            return Some(now);
        }
        Some(since)
    }

    /// A new stream of HTTP/2, looked after by the sweep.
    pub(crate) fn stream(&self) -> Rc<Stream> {
        let stream = Rc::new(Stream::default());
        let mut streams = self.streams.borrow_mut();
        if streams.len() == streams.capacity() {
            streams.retain(|stream| stream.strong_count() > 0);
        }
        streams.push(Rc::downgrade(&stream));
        stream
    }

    /// Ends the connection now, dropping what runs on it.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.wake();
    }

    /// Ends the connection once nothing runs on it.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        self.wake();
    }

    /// Ends it when it is late by one of the limits, and has it give its buffers back when it is idle.
    pub(crate) fn sweep(&self, now: Instant, times: &Times) {
        let over = |since: Instant, limit: Duration| now.saturating_duration_since(since) > limit;
        let unread = |stream: &Weak<Stream>| {
            let since = stream.upgrade().and_then(|stream| stream.waits.get());
            since.is_some_and(|since| over(since, times.write))
        };
        if self.stuck_since(now).is_some_and(|since| over(since, times.write))
            || self.streams.borrow().iter().any(unread)
        {
            return self.cut();
        }
        match self.phase.get() {
            Phase::Busy => {}
            Phase::Head if over(self.since.get(), times.header) => self.expire(),
            Phase::Head => {}
            Phase::Idle if self.http2.get() && self.closing.get() => {
                // It was asked to leave and does not.
                if over(self.since.get(), times.header) {
                    self.cut();
                }
            }
            Phase::Idle if over(self.since.get(), times.idle) => {
                if self.http2.get() {
                    self.since.set(now);
                    self.close();
                } else {
                    self.expire();
                }
            }
            Phase::Idle if over(self.since.get(), PARK_AFTER) && !self.parked.get() && !self.http2.get() => {
                self.park.set(true);
                self.wake();
            }
            Phase::Idle => {}
        }
    }

    /// Whether a connection that is to close has nothing to do first: what its client sent before it could know is served.
    pub(crate) fn may_close(&self) -> bool {
        self.running.get() > 0 || !self.handle.get().is_some_and(unread)
    }

    fn expire(&self) {
        self.late.set(true);
        self.wake();
    }

    /// Told to end once nothing runs on it.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    pub(crate) fn is_late(&self) -> bool {
        self.late.get()
    }

    /// Its time for a head is over, as opposed to the time between two requests.
    pub(crate) fn wants_head(&self) -> bool {
        self.phase.get() == Phase::Head
    }

    /// Whether nothing at all is under way: neither a request, nor the rest of a body, nor bytes in any buffer.
    pub(crate) fn may_park(&self) -> bool {
        self.phase.get() == Phase::Idle
            && self.discarding.get() == 0
            && self.stuck.get().is_none()
            && self.drained.get()
            && !self.late.get()
    }

    pub(crate) fn set_parked(&self, parked: bool) {
        self.parked.set(parked);
        self.park.set(false);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// For the task that drives the connection: what to do, and be woken when that changes.
    pub(crate) fn order(&self, cx: &Context<'_>) -> Order {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        if self.cut.get() {
            Order::Cut
        } else if self.closing.get() {
            Order::Close
        } else if self.park.get() {
            Order::Park
        } else {
            Order::Serve
        }
    }

    /// Runs a step of a connection on which no request has begun; `None` when it is told to end, or is late.
    pub(crate) async fn unless_told<T>(&self, mut step: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        poll_fn(|cx| {
            let order = self.order(cx);
            if matches!(order, Order::Cut) || self.late.get() {
                return Poll::Ready(None);
            }
            match step(cx) {
                Poll::Pending if matches!(order, Order::Close) && self.may_close() => Poll::Ready(None),
                stepped => stepped.map(Some),
            }
        })
        .await
    }
}

/// What the driving task is to do.
pub(crate) enum Order {
    Serve,
    Park,
    Close,
    Cut,
}

/// A running request; the connection is idle when the last one is gone.
pub(crate) struct Running {
    pub(crate) conn: Rc<Conn>,
    /// The stream on which it came, with HTTP/2.
    pub(crate) over: Option<Rc<Stream>>,
}

impl Running {
    pub(crate) fn begin(conn: Rc<Conn>, over: Option<Rc<Stream>>, now: Instant) -> Self {
        conn.running.set(conn.running.get() + 1);
        conn.enter(Phase::Busy, now);
        Running { conn, over }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let left = self.conn.running.get() - 1;
        self.conn.running.set(left);
        if left == 0 {
            self.conn.enter(Phase::Idle, Instant::now());
        }
    }
}

/// A body that is read away beside its answer. Unless it ends, the connection never gives its buffers back: hyper knows
/// that the bytes to come are no request, and nobody after it would.
#[must_use]
pub(crate) struct Discarding(Rc<Conn>);

impl Discarding {
    pub(crate) fn begin(conn: &Rc<Conn>) -> Self {
        conn.discarding.set(conn.discarding.get() + 1);
        Discarding(conn.clone())
    }

    /// The body has come to its end.
    pub(crate) fn end(self) {
        self.0.discarding.set(self.0.discarding.get() - 1);
    }
}
