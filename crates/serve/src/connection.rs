//! One connection: its socket as hyper sees it, what it is doing, and since when.
//!
//! hyper's own header timeout would arm and free a timer for every request, and counts idle time as header time. Here the
//! socket notes when a head began and a sweep a few times a second looks for those that are late (`thread.rs`).

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::stats::Stat;
use crate::thread::Io;

/// What a connection is waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Kept alive, nothing begun.
    Idle,
    /// The first byte of a head is here, or none since accept.
    Head,
    /// A request is being served.
    Busy,
}

/// Shared by the socket, the service, the sweep and the calls of one connection; all on one thread.
pub(crate) struct Conn {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// The connection is to end: now, whatever runs.
    cut: Cell<bool>,
    /// Its time is over; the next read ends it.
    late: Cell<bool>,
    /// The connection is to end after the running request.
    closing: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Conn {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Conn {
            phase: Cell::new(Phase::Head),
            since: Cell::new(Instant::now()),
            cut: Cell::new(false),
            late: Cell::new(false),
            closing: Cell::new(false),
            waker: RefCell::new(None),
        })
    }

    pub(crate) fn enter(&self, phase: Phase, now: Instant) {
        self.phase.set(phase);
        self.since.set(now);
    }

    /// Ends the connection now, dropping what runs on it.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.wake();
    }

    /// Ends a connection whose head or next request is overdue.
    pub(crate) fn expire(&self) {
        self.late.set(true);
        self.wake();
    }

    /// Ends the connection once nothing runs on it.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        self.wake();
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
        } else {
            Order::Serve
        }
    }

    /// Late by the two limits that concern a connection without a running request.
    pub(crate) fn is_late(&self, now: Instant, header: Duration, idle: Duration) -> bool {
        let waited = now.saturating_duration_since(self.since.get());
        match self.phase.get() {
            Phase::Idle => waited > idle,
            Phase::Head => waited > header,
            Phase::Busy => false,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.phase.get() == Phase::Idle
    }
}

/// What the driving task is to do.
pub(crate) enum Order {
    Serve,
    Close,
    Cut,
}

/// The socket, counting bytes and noting the first byte of a head.
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    pub(crate) conn: Rc<Conn>,
    pub(crate) io: Rc<Io>,
}

const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.conn.late.get() {
            if self.conn.phase.get() == Phase::Head {
                // Best effort: whoever sends a head this slowly may not listen either.
                let _ = self.stream.try_write(LATE);
            }
            return Poll::Ready(Ok(())); // end of input
        }
        // SAFETY: `as_mut` asks that no byte be made uninitialised; ReadBuf over MaybeUninit never does that, and tokio's
        // poll_read only appends. `advance` gets exactly the number of bytes that ReadBuf says are filled.
        let filled = unsafe {
            let mut buffer = ReadBuf::uninit(cursor.as_mut());
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
            let filled = buffer.filled().len();
            cursor.advance(filled);
            filled
        };
        if filled > 0 {
            self.io.stats().add(Stat::BytesIn, filled as u64);
            if self.conn.is_idle() {
                self.conn.enter(Phase::Head, Instant::now());
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.counted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.counted(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Socket {
    fn counted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.io.stats().add(Stat::BytesOut, *bytes as u64);
        }
        written
    }
}
