//! One I/O thread: its runtime, its accept loop, the task of each connection, the sweep for late ones, the mailbox.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::TcpListener as StdListener;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use thirdrail_pool::{Buffers, SlotTable};
use thirdrail_registry::{Reader, Registry, Snapshot};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::calls::{Call, deliver};
use crate::connection::{Conn, Order, Socket};
use crate::handoff::{Shared, Up};
use crate::service;
use crate::stats::{Stat, Stats};

/// What everything on one I/O thread shares.
pub(crate) struct Io {
    pub(crate) shared: Arc<Shared>,
    pub(crate) thread: usize,
    pub(crate) calls: RefCell<SlotTable<Call>>,
    pub(crate) buffers: Buffers,
    reader: RefCell<Reader>,
    conns: RefCell<Vec<Weak<Conn>>>,
    /// Something was pushed up in this turn of the loop.
    pushed: Cell<bool>,
    turn: Notify,
    drained: Notify,
}

/// Bytes of request bodies that came in several pieces, per I/O thread.
const BODY_BUFFERS: usize = 64 << 20;

impl Io {
    pub(crate) fn stats(&self) -> &Stats {
        &self.shared.stats[self.thread]
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.reader.borrow_mut().snapshot().clone()
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
pub(crate) fn run(shared: Arc<Shared>, thread: usize, registry: Arc<Registry>, listener: StdListener) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
    {
        Ok(runtime) => runtime,
        Err(_) => return,
    };
    let slots = (shared.config.max_in_flight).min((1 << 24) / shared.config.threads);
    let io = Rc::new(Io {
        calls: RefCell::new(SlotTable::new(slots)),
        buffers: Buffers::new(BODY_BUFFERS),
        reader: RefCell::new(registry.reader()),
        conns: RefCell::default(),
        pushed: Cell::new(false),
        turn: Notify::new(),
        drained: Notify::new(),
        thread,
        shared,
    });
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::task::spawn_local(mailbox(io.clone()));
        tokio::task::spawn_local(flush(io.clone()));
        tokio::task::spawn_local(sweep(io.clone()));
        accept(&io, listener).await;
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

async fn accept(io: &Rc<Io>, listener: StdListener) {
    let closing = &io.shared.mailboxes[io.thread].closing;
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while !closing.load(Ordering::Acquire) {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = io.drained.notified() => continue,
        };
        match accepted {
            Ok((stream, _)) => open(io, stream),
            // Out of file descriptors, or the client was gone already: neither is a reason to stop or to spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn open(io: &Rc<Io>, stream: TcpStream) {
    if io.shared.connections.fetch_add(1, Ordering::Relaxed) >= io.shared.config.max_connections {
        io.shared.connections.fetch_sub(1, Ordering::Relaxed);
        io.stats().add(Stat::Overloaded, 1);
        return; // dropped, which closes it
    }
    io.stats().add(Stat::Accepted, 1);
    // Without it the second write of a stream waits for the client's delayed ACK: 40 ms for nothing.
    let _ = stream.set_nodelay(true);
    let conn = Conn::new();
    let mut conns = io.conns.borrow_mut();
    if conns.len() == conns.capacity() {
        conns.retain(|conn| conn.strong_count() > 0);
    }
    conns.push(Rc::downgrade(&conn));
    tokio::task::spawn_local(connection(io.clone(), conn, stream));
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

async fn connection(io: Rc<Io>, conn: Rc<Conn>, stream: TcpStream) {
    io.stats().add(Stat::Connections, 1);
    let _counted = Counted(io.clone());
    let socket = Socket {
        stream,
        conn: conn.clone(),
        io: io.clone(),
    };
    let config = &io.shared.config;
    let (service_io, service_conn) = (io.clone(), conn.clone());
    let service = service_fn(move |request| service::serve(service_io.clone(), service_conn.clone(), request));
    let mut builder = http1::Builder::new();
    builder
        .timer(crate::timer::Timer)
        // The sweep does it, see connection.rs; hyper's own counts idle time as header time.
        .header_read_timeout(None)
        .max_header_size(config.max_header)
        .max_headers(128);
    let mut driven = pin!(builder.serve_connection(socket, service));
    let mut told = false;
    poll_fn(|cx| {
        match conn.order(cx) {
            Order::Cut => return Poll::Ready(()),
            Order::Close if !told => {
                told = true;
                driven.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        // A panic in one connection must not take the thread, and with it every other connection.
        match std::panic::catch_unwind(AssertUnwindSafe(|| driven.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|_| ()),
            Err(_) => {
                io.stats().add(Stat::Panics, 1);
                Poll::Ready(())
            }
        }
    })
    .await;
}

/// Wakes the side above after the tasks that were ready have run: one wake for all that they pushed.
async fn flush(io: Rc<Io>) {
    loop {
        io.turn.notified().await;
        io.pushed.set(false);
        io.shared.signal();
    }
}

/// Ends connections that are late with a head or idle for too long.
async fn sweep(io: Rc<Io>) {
    let config = &io.shared.config;
    let every =
        (config.header_timeout.min(config.idle_timeout) / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    loop {
        tokio::time::sleep(every).await;
        let now = Instant::now();
        each(&io, |conn| {
            if conn.is_late(now, config.header_timeout, config.idle_timeout) {
                conn.expire();
            }
        });
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
