//! One I/O thread: its runtime, its accept loop, the task of each connection, the sweep for late ones, the mailbox.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use thirdrail_pool::{Buffers, SlotTable};
use thirdrail_registry::{Reader, Registry, Snapshot};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use crate::bind::{BACKLOG, Listening};
use crate::calls::{Call, deliver};
use crate::compress::Kept;
use crate::connection::{Conn, Phase, Stream, Times};
use crate::handoff::{Shared, Up};
use crate::socket::{Link, Plain, Raw, Socket, say_late};
use crate::stats::{Stat, Stats};
use crate::{http1, http2};

/// What everything on one I/O thread shares.
pub(crate) struct Io {
    pub(crate) shared: Arc<Shared>,
    pub(crate) thread: usize,
    pub(crate) calls: RefCell<SlotTable<Call>>,
    pub(crate) buffers: Buffers,
    /// Ready answers, compressed.
    pub(crate) kept: RefCell<Kept>,
    /// The stream of HTTP/2 whose task runs now, for the service that begins in it.
    pub(crate) entered: Cell<Option<Rc<Stream>>>,
    reader: RefCell<Reader>,
    conns: RefCell<Vec<Weak<Conn>>>,
    /// Something was pushed up in this turn of the loop.
    pushed: Cell<bool>,
    turn: Notify,
    drained: Notify,
    /// Connections that gave their buffers back, since the allocator was last told.
    freed: Cell<usize>,
}

/// An allocator keeps what was given back, in case it is wanted again. After so many connections (some megabytes), and not
/// all the time, it is told that it will not be.
const TRIM_MANY: usize = 256;
const TRIM_EVERY: Duration = Duration::from_secs(5);

/// Bytes of request bodies that came in several pieces, per I/O thread.
const BODY_BUFFERS: usize = 64 << 20;

impl Io {
    pub(crate) fn stats(&self) -> &Stats {
        &self.shared.stats[self.thread]
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.reader.borrow_mut().snapshot().clone()
    }

    /// A connection gave its buffers back.
    pub(crate) fn parked(&self) {
        self.freed.set(self.freed.get() + 1);
    }

    /// Joins the batch. The side above is woken by `flush` once the tasks that are ready now have run.
    pub(crate) fn push(&self, up: Up) {
        self.shared.push(up);
        if !self.pushed.replace(true) {
            self.turn.notify_one();
        }
    }
}

/// Runs until the listener is closed and the last connection has ended.
pub(crate) fn run(shared: Arc<Shared>, thread: usize, registry: Arc<Registry>, listening: Listening) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // For large answers to be compressed, and nothing else.
        .max_blocking_threads(2)
        .build()
    {
        Ok(runtime) => runtime,
        Err(_) => return,
    };
    // An opened stream keeps its slot and is not counted as in flight; a connection has one, or as many as HTTP/2 allows.
    let streams = if shared.config.http2 {
        http2::MAX_STREAMS as usize
    } else {
        1
    };
    let slots = shared.config.max_in_flight + shared.config.max_connections.saturating_mul(streams);
    let slots = slots.min((1 << 24) / shared.config.threads);
    let io = Rc::new(Io {
        calls: RefCell::new(SlotTable::new(slots)),
        buffers: Buffers::new(BODY_BUFFERS),
        kept: RefCell::default(),
        entered: Cell::new(None),
        reader: RefCell::new(registry.reader()),
        conns: RefCell::default(),
        pushed: Cell::new(false),
        turn: Notify::new(),
        drained: Notify::new(),
        freed: Cell::new(0),
        thread,
        shared,
    });
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::task::spawn_local(mailbox(io.clone()));
        tokio::task::spawn_local(flush(io.clone()));
        tokio::task::spawn_local(sweep(io.clone()));
        accept(&io, listening).await;
        // Closing: idle connections end, busy ones after their request; `cut` ends all.
        loop {
            let cut = io.shared.mailboxes[thread].cut.load(Ordering::Acquire);
            let left = each(&io, |conn| if cut { conn.cut() } else { conn.close() });
            if left == 0 {
                break;
            }
            tokio::select! {
                () = io.drained.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    });
}

/// Calls `f` on every open connection; returns how many there are.
fn each(io: &Io, f: impl Fn(&Conn)) -> usize {
    let open: Vec<Rc<Conn>> = {
        let mut conns = io.conns.borrow_mut();
        conns.retain(|conn| conn.strong_count() > 0);
        conns.iter().filter_map(Weak::upgrade).collect()
    };
    open.iter().for_each(|conn| f(conn));
    open.len()
}

/// The listening socket on this thread's runtime.
enum Accepting {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

impl Accepting {
    fn new(listening: Listening) -> std::io::Result<Self> {
        Ok(match listening {
            Listening::Tcp(listener) => Accepting::Tcp(TcpListener::from_std(listener)?),
            #[cfg(unix)]
            Listening::Unix(listener) => Accepting::Unix(tokio::net::UnixListener::from_std(listener)?),
        })
    }

    async fn accept(&self) -> std::io::Result<Raw> {
        match self {
            Accepting::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without it the second write of a stream waits for the client's delayed ACK: 40 ms for nothing.
                let _ = stream.set_nodelay(true);
                Ok(Raw::Tcp(stream))
            }
            #[cfg(unix)]
            Accepting::Unix(listener) => listener.accept().await.map(|(stream, _)| Raw::Unix(stream)),
        }
    }

    /// The end of it: the connections that nobody has taken yet.
    fn waiting(self) -> Vec<Raw> {
        match self {
            Accepting::Tcp(listener) => taken(listener.into_std(), |listener| {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                let _ = stream.set_nodelay(true);
                TcpStream::from_std(stream).map(Raw::Tcp)
            }),
            #[cfg(unix)]
            Accepting::Unix(listener) => taken(listener.into_std(), |listener| {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                tokio::net::UnixStream::from_std(stream).map(Raw::Unix)
            }),
        }
    }
}

/// As many as are there, and no more than the system holds for us.
fn taken<L>(listener: std::io::Result<L>, accept: impl Fn(&L) -> std::io::Result<Raw>) -> Vec<Raw> {
    let Ok(listener) = listener else { return Vec::new() };
    let all = std::iter::from_fn(|| accept(&listener).ok());
    all.take(BACKLOG.unsigned_abs() as usize).collect()
}

async fn accept(io: &Rc<Io>, listening: Listening) {
    let closing = &io.shared.mailboxes[io.thread].closing;
    let Ok(listener) = Accepting::new(listening) else {
        return;
    };
    while !closing.load(Ordering::Acquire) {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = io.drained.notified() => continue,
        };
        match accepted {
            Ok(raw) => open(io, raw),
            // Out of file descriptors, or the client was gone already: neither is a reason to stop or to spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    // Whoever connected before the end has been let in by the system, and may have asked already.
    listener.waiting().into_iter().for_each(|raw| open(io, raw));
}

fn open(io: &Rc<Io>, raw: Raw) {
    if io.shared.connections.fetch_add(1, Ordering::Relaxed) >= io.shared.config.max_connections {
        io.shared.connections.fetch_sub(1, Ordering::Relaxed);
        io.stats().add(Stat::Overloaded, 1);
        return; // dropped, which closes it
    }
    io.stats().add(Stat::Accepted, 1);
    let conn = Conn::new();
    let mut conns = io.conns.borrow_mut();
    if conns.len() == conns.capacity() {
        conns.retain(|conn| conn.strong_count() > 0);
    }
    conns.push(Rc::downgrade(&conn));
    tokio::task::spawn_local(connection(io.clone(), conn, raw));
}

/// Gives the connection back whatever ends it, a panic included.
struct Counted(Rc<Io>);

impl Drop for Counted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stats().add(Stat::Panics, 1);
        }
        self.0.stats().sub(Stat::Connections, 1);
        self.0.shared.connections.fetch_sub(1, Ordering::Relaxed);
        self.0.drained.notify_one();
    }
}

async fn connection(io: Rc<Io>, conn: Rc<Conn>, raw: Raw) {
    io.stats().add(Stat::Connections, 1);
    let _counted = Counted(io.clone());
    let plain = Plain::new(raw, conn.clone(), io.clone());
    // Boxed, so that the task of an idle connection is small.
    let Some((socket, is_http2)) = Box::pin(begin(&io, &conn, plain)).await else {
        return;
    };
    if is_http2 {
        Box::pin(http2::serve(io, conn, socket)).await;
    } else {
        http1::serve(io, conn, socket).await;
    }
}

/// TLS, and which HTTP: both within the time of a head. `None`: it ended before.
async fn begin(io: &Rc<Io>, conn: &Rc<Conn>, mut plain: Plain) -> Option<(Socket, bool)> {
    let shared = &io.shared;
    let Some(tls) = &shared.tls else {
        let mut found = (false, Bytes::new());
        if shared.config.http2 {
            let Some(announced) = http2::announced(conn, &mut plain).await else {
                say_late(&plain);
                return None;
            };
            found = announced;
        }
        return Some((Socket::new(Link::Plain(plain), found.1, conn.clone()), found.0));
    };
    let mut handshake = TlsAcceptor::from(tls.current()).accept(plain);
    let stream = conn.unless_told(|cx| Pin::new(&mut handshake).poll(cx)).await?.ok()?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    conn.enter(Phase::Head, Instant::now());
    Some((
        Socket::new(Link::Tls(Box::new(stream)), Bytes::new(), conn.clone()),
        is_http2,
    ))
}

/// Wakes the side above after the tasks that were ready have run: one wake for all that they pushed.
async fn flush(io: Rc<Io>) {
    loop {
        io.turn.notified().await;
        io.pushed.set(false);
        io.shared.signal();
    }
}

/// Ends connections that are late with a head, idle for too long or not read from; idle ones give their buffers back.
async fn sweep(io: Rc<Io>) {
    let config = &io.shared.config;
    let times = Times {
        header: config.header_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
    };
    let least = times.header.min(times.idle).min(times.write);
    let every = (least / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let mut trimmed: Option<Instant> = None;
    loop {
        tokio::time::sleep(every).await;
        let now = Instant::now();
        each(&io, |conn| conn.sweep(now, &times));
        let recently = trimmed.is_some_and(|last| now.saturating_duration_since(last) < TRIM_EVERY);
        if io.freed.get() >= TRIM_MANY && !recently {
            trimmed = Some(now);
            io.freed.set(0);
            (io.shared.trim)();
        }
    }
}

/// Delivers what the side above sends.
async fn mailbox(io: Rc<Io>) {
    let mailbox = &io.shared.mailboxes[io.thread];
    let mut batch = Vec::new();
    loop {
        mailbox.notify.notified().await;
        mailbox.receive(&mut batch);
        for down in batch.drain(..) {
            deliver(&io, down);
        }
        if mailbox.closing.load(Ordering::Acquire) {
            io.drained.notify_one();
        }
    }
}
