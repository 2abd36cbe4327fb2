//! A listener as the side above sees it: bind, drain, complete, close.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use thirdrail_registry::Registry;

use crate::calls::{Down, local};
use crate::handoff::{Shared, Up};
use crate::stats::{STAT_COUNT, Stat};
use crate::{Config, thread};

/// A bound listener with its I/O threads.
pub struct Listener {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Connections that the kernel may hold for us; it caps this by `somaxconn`.
const BACKLOG: i32 = 4096;

impl Listener {
    /// Binds and starts the I/O threads. `wake` is called from them, at most once between two [`Listener::drain`]s.
    ///
    /// # Errors
    /// What the system says: address in use, no such host, no permission.
    pub fn bind(
        mut config: Config,
        registry: &Arc<Registry>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Listener> {
        config.threads = config.threads.clamp(1, 256);
        config.max_in_flight = config.max_in_flight.clamp(1, 1 << 22);
        let sockets = bind_all(&config)?;
        let address = sockets[0].local_addr()?;
        let shared = Shared::new(config, Box::new(wake));
        let threads = sockets
            .into_iter()
            .enumerate()
            .map(|(index, socket)| {
                let (shared, registry) = (shared.clone(), registry.clone());
                std::thread::Builder::new()
                    .name(format!("thirdrail-io-{index}"))
                    .spawn(move || {
                        let _ended = Ended(shared.clone());
                        thread::run(shared, index, registry, socket);
                    })
            })
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Listener {
            shared,
            address,
            threads: Mutex::new(threads),
        })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says that the queue is about to be looked at: a push after this wakes again. Call before [`Listener::pop`].
    pub fn looking(&self) {
        self.shared.above().add(Stat::Wakes, 1);
        self.shared.looking();
    }

    /// The next job or abort.
    pub fn pop(&self) -> Option<Up> {
        self.shared.pop()
    }

    /// Asks for another wake, for a side that stops before the queue is empty.
    pub fn wake_again(&self) {
        self.shared.signal();
    }

    /// Replies and events, in order. Each I/O thread gets its share in one batch.
    pub fn complete(&self, downs: impl Iterator<Item = Down>, batches: &mut Vec<Vec<Down>>) {
        let threads = self.shared.config.threads;
        batches.resize_with(threads, Vec::new);
        for down in downs {
            let (thread, _) = local(down.slot(), threads);
            batches[thread].push(down);
        }
        for (thread, batch) in batches.iter_mut().enumerate() {
            if !batch.is_empty() {
                self.shared.send(thread, batch);
            }
        }
        self.shared.above().add(Stat::Flushes, 1);
    }

    /// A job is done with on the side above: replied to, or aborted.
    pub fn leave(&self) {
        self.shared.leave();
    }

    /// Counts a reply to a slot that the side above knew to be dead.
    pub fn count_stale(&self) {
        self.shared.above().add(Stat::StaleReplies, 1);
    }

    /// Makes a legacy session known to the door.
    pub fn open_session(&self, id: &str) {
        self.shared.sessions.open(id);
    }

    /// Makes it unknown again.
    pub fn close_session(&self, id: &str) {
        self.shared.sessions.close(id);
    }

    /// Whether it is known.
    pub fn has_session(&self, id: &str) -> bool {
        self.shared.sessions.has(id)
    }

    /// The counters, by the numbers of [`Stat`].
    pub fn stats(&self) -> [f64; STAT_COUNT] {
        let mut out = [0.0; STAT_COUNT];
        for stats in &self.shared.stats {
            stats.sum_into(&mut out);
        }
        out[Stat::InFlight as usize] = self.shared.in_flight.load(Ordering::Relaxed) as f64;
        out
    }

    /// Stops accepting and ends connections once their request is answered. Returns at once; `wake` is called when the
    /// last I/O thread has ended, see [`Listener::ended`].
    pub fn close(&self) {
        self.tell(|mailbox| mailbox.closing.store(true, Ordering::Release));
    }

    /// Ends everything now.
    pub fn cut(&self) {
        self.tell(|mailbox| {
            mailbox.cut.store(true, Ordering::Release);
            mailbox.closing.store(true, Ordering::Release);
        });
    }

    fn tell(&self, what: impl Fn(&crate::handoff::Mailbox)) {
        for mailbox in &self.shared.mailboxes {
            what(mailbox);
            mailbox.notify.notify_one();
        }
    }

    /// Whether all I/O threads have ended.
    pub fn ended(&self) -> bool {
        self.shared.running.load(Ordering::Acquire) == 0
    }

    /// Waits for the I/O threads; only sensible after [`Listener::close`] or [`Listener::cut`].
    pub fn join(&self) {
        for thread in self.threads.lock().drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.cut();
        self.join();
    }
}

/// Counts an I/O thread's end, however it ends, and wakes the side above after the last.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.signal();
        }
    }
}

fn bind_all(config: &Config) -> io::Result<Vec<StdListener>> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (config.host.as_str(), config.port).to_socket_addrs()? {
        match bind_threads(address, config.threads) {
            Ok(sockets) => return Ok(sockets),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// One socket a thread. Linux balances new connections between sockets that share a port; elsewhere the threads accept
/// from one socket.
fn bind_threads(address: SocketAddr, threads: usize) -> io::Result<Vec<StdListener>> {
    if threads == 1 || !cfg!(target_os = "linux") {
        let first = bind(address, false)?;
        return (0..threads).map(|_| first.try_clone()).collect();
    }
    // Sharing a port must not hide that somebody else has it: take it alone first.
    let address = bind(address, false)?.local_addr()?;
    (0..threads).map(|_| bind(address, true)).collect()
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // On Windows this option would let others take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(target_os = "linux")]
    if shared {
        socket.set_reuse_port(true)?;
    }
    let _ = shared;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
