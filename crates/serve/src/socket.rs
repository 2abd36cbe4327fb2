//! The bytes of one connection: TCP or a unix socket, with TLS or without, counted; and as hyper wants them.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::connection::Conn;
use crate::stats::Stat;
use crate::thread::Io;

/// A socket as it was accepted.
pub(crate) enum Raw {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

macro_rules! either {
    ($raw:expr, $stream:ident => $what:expr) => {
        match $raw {
            Raw::Tcp($stream) => $what,
            #[cfg(unix)]
            Raw::Unix($stream) => $what,
        }
    };
}

impl Raw {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, stream => stream.try_write(bytes))
    }
}

/// The socket, counting its bytes and noting when it takes no more.
pub(crate) struct Plain {
    raw: Raw,
    conn: Rc<Conn>,
    io: Rc<Io>,
}

/// Names a socket to the system.
#[cfg(unix)]
pub(crate) type Handle = std::os::fd::RawFd;
#[cfg(not(unix))]
pub(crate) type Handle = ();

/// Bytes that were written to the socket and that its client has not taken; `None` where nobody can say.
#[cfg(target_os = "linux")]
pub(crate) fn unsent(handle: Handle) -> Option<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: TIOCOUTQ writes one int through the pointer, which points to one for the length of the call. A descriptor
    // that is none, or another's by now, is an error or a wrong number, and changes nothing.
    let failed = unsafe { libc::ioctl(handle, libc::TIOCOUTQ, &raw mut bytes) } != 0;
    if failed { None } else { usize::try_from(bytes).ok() }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn unsent(_handle: Handle) -> Option<usize> {
    None
}

/// Whether bytes have come that nobody has read. Where one cannot ask: no.
#[cfg(unix)]
pub(crate) fn unread(handle: Handle) -> bool {
    // SAFETY: a connection forgets its handle before its socket is closed (`Drop` below), on the same thread: what is asked
    // about here is open for the length of the call.
    let socket = unsafe { std::os::fd::BorrowedFd::borrow_raw(handle) };
    let mut byte = [MaybeUninit::uninit()];
    socket2::SockRef::from(&socket)
        .peek(&mut byte)
        .is_ok_and(|bytes| bytes > 0)
}

#[cfg(not(unix))]
pub(crate) fn unread(_handle: Handle) -> bool {
    false
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.conn.handle.set(None);
    }
}

impl Plain {
    pub(crate) fn new(raw: Raw, conn: Rc<Conn>, io: Rc<Io>) -> Self {
        #[cfg(unix)]
        conn.handle
            .set(Some(either!(&raw, stream => std::os::fd::AsRawFd::as_raw_fd(stream))));
        Plain { raw, conn, io }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                self.io.stats().add(Stat::BytesOut, *bytes as u64);
                self.conn.written(true);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.conn.written(false),
        }
        written
    }
}

impl AsyncRead for Plain {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = either!(&mut self.raw, stream => Pin::new(stream).poll_read(cx, buf));
        self.io.stats().add(Stat::BytesIn, (buf.filled().len() - before) as u64);
        read
    }
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = either!(&mut self.raw, stream => Pin::new(stream).poll_write(cx, buf));
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = either!(&mut self.raw, stream => Pin::new(stream).poll_write_vectored(cx, bufs));
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.raw, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.raw, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// What stands between the socket and HTTP.
pub(crate) enum Link {
    Plain(Plain),
    Tls(Box<TlsStream<Plain>>),
}

macro_rules! through {
    ($link:expr, $stream:ident => $what:expr) => {
        match $link {
            Link::Plain($stream) => $what,
            Link::Tls($stream) => $what,
        }
    };
}

/// A connection's bytes for hyper: what was looked at before it comes first.
pub(crate) struct Socket {
    link: Link,
    before: Bytes,
    conn: Rc<Conn>,
}

/// Most requests are shorter, and come at once.
const FIRST: usize = 4096;

const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

impl Socket {
    pub(crate) fn new(link: Link, before: Bytes, conn: Rc<Conn>) -> Self {
        Socket { link, before, conn }
    }

    /// Bytes that were read already and go to hyper first.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        // No bytes may still be a whole buffer.
        self.before = if bytes.is_empty() { Bytes::new() } else { bytes };
    }

    /// Waits for the first bytes without a buffer of its own, and keeps them for hyper; false at the end of input.
    pub(crate) fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.before.is_empty() {
            let mut space = [MaybeUninit::uninit(); FIRST];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(through!(&mut self.link, stream => Pin::new(stream).poll_read(cx, &mut buffer)))?;
            self.before = Bytes::copy_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(!self.before.is_empty()))
    }

    /// Whether the first bytes are those of HTTP/2 by prior knowledge.
    pub(crate) fn announces_http2(&self) -> bool {
        self.before.starts_with(b"PRI * HTTP/2")
    }

    /// Says why the connection ends, when it ends for a late head.
    pub(crate) fn say_late(&mut self) {
        if self.conn.is_late() && self.conn.wants_head() && !self.conn.speaks_http2() {
            self.say(LATE);
        }
    }

    /// A last word, as far as the socket takes it at once: whoever needs one may not listen either.
    pub(crate) fn say(&mut self, word: &[u8]) {
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = through!(&mut self.link, stream => Pin::new(stream).poll_write(cx, word));
        let _ = through!(&mut self.link, stream => Pin::new(stream).poll_flush(cx));
    }
}

/// As [`Socket::say_late`], before there is one.
pub(crate) fn say_late(plain: &Plain) {
    if plain.conn.is_late() {
        let _ = plain.raw.try_write(LATE);
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.conn.is_late() {
            self.say_late();
            return Poll::Ready(Ok(())); // end of input
        }
        if !self.before.is_empty() {
            let many = self.before.len().min(cursor.remaining());
            cursor.put_slice(&self.before[..many]);
            self.before.advance(many);
            self.conn.heard();
            return Poll::Ready(Ok(()));
        }
        // SAFETY: `as_mut` asks that no byte be made uninitialised; ReadBuf over MaybeUninit never does that, and the
        // streams' poll_read only appends. `advance` gets exactly the number of bytes that ReadBuf says are filled.
        let filled = unsafe {
            let mut buffer = ReadBuf::uninit(cursor.as_mut());
            let read = through!(&mut self.link, stream => Pin::new(stream).poll_read(cx, &mut buffer));
            self.conn.drained.set(read.is_pending());
            ready!(read)?;
            let filled = buffer.filled().len();
            cursor.advance(filled);
            filled
        };
        if filled > 0 {
            self.conn.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        through!(&mut self.link, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        through!(&mut self.link, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(&mut self.link, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(&mut self.link, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
