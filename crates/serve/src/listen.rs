//! A listener as the side above sees it: bind, drain, complete, close.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use thirdrail_registry::Registry;

use crate::bind::{Address, Placed, bind};
use crate::calls::{Down, local};
use crate::handoff::{Shared, Up};
use crate::stats::{STAT_COUNT, Stat};
use crate::tls::Tls;
use crate::{Config, Pem, thread};

/// A bound listener with its I/O threads.
pub struct Listener {
    shared: Arc<Shared>,
    address: Address,
    /// The socket file, while connections are taken.
    placed: Mutex<Option<Placed>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Listener {
    /// Binds and starts the I/O threads. `wake` is called from them, at most once between two [`Listener::looking`]s; `trim`
    /// now and then when a thread has freed memory that it will not want again soon.
    ///
    /// # Errors
    /// What the system says: address in use, no such host, no permission. What is wrong with the certificate.
    pub fn bind(
        mut config: Config,
        registry: &Arc<Registry>,
        wake: impl Fn() + Send + Sync + 'static,
        trim: fn(),
    ) -> io::Result<Listener> {
        config.threads = config.threads.clamp(1, 256);
        config.max_in_flight = config.max_in_flight.clamp(1, 1 << 22);
        let tls = config.tls.take().map(|pem| Tls::new(&pem, config.http2)).transpose();
        let tls = tls.map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let (sockets, address, placed) = bind(&config)?;
        let shared = Shared::new(config, tls, Box::new(wake), trim);
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
            placed: Mutex::new(placed),
            threads: Mutex::new(threads),
        })
    }

    /// The bound address.
    pub fn address(&self) -> &Address {
        &self.address
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

    /// Lets a bearer token through the door: hex SHA-256, the caller's number, milliseconds since the epoch (0: for ever).
    /// False when the digest is none.
    pub fn admit(&self, digest: &str, principal: u64, expires: u64) -> bool {
        self.shared.tokens.admit(digest, principal, expires)
    }

    /// Takes it back; false when it was not admitted.
    pub fn expel(&self, digest: &str) -> bool {
        self.shared.tokens.expel(digest)
    }

    /// Another certificate for new connections.
    ///
    /// # Errors
    /// Why it cannot be used; the old one stays.
    pub fn renew_tls(&self, pem: &Pem) -> Result<(), String> {
        match &self.shared.tls {
            Some(tls) => tls.renew(pem),
            None => Err("this listener has no TLS".into()),
        }
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
        // A file that nobody listens behind any more; the next server may put its own there.
        drop(self.placed.lock().take());
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
