//! The two queues between the I/O threads and the side above, and who is woken when.
//!
//! Up: jobs and aborts, one wake for as many as gather in one turn of an I/O thread. Down: one batch of replies per I/O
//! thread and flush. Both are bounded by the calls and streams that are open: the rate at which a stream reports is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use crossbeam_queue::SegQueue;
use parking_lot::Mutex;
use thirdrail_codec::Envelope;
use tokio::sync::Notify;

use crate::calls::Down;
use crate::sessions::Sessions;
use crate::stats::Stats;
use crate::tls::Tls;
use crate::tokens::Tokens;

/// Something for the side above.
#[derive(Debug)]
pub enum Up {
    /// A new call or message; keep it until its reply.
    Job(Box<Job>),
    /// The client of this slot has left.
    Abort(u64),
    /// A stream has sent so many bytes of text more.
    Flushed(u64, usize),
}

/// One request, alive on the side above until it is replied to.
#[derive(Debug)]
pub struct Job {
    /// Handle of the call, unique among all I/O threads of the listener.
    pub slot: u64,
    /// What it is.
    pub task: Task,
    /// The message, empty when the HTTP method has none.
    pub body: Bytes,
    /// Ranges in `body`; meaningful when the body is not empty.
    pub envelope: Envelope,
    /// Request headers.
    pub headers: http::HeaderMap,
    /// Path and query, when they say more than the endpoint.
    pub target: Option<Box<str>>,
    /// The number with which the request's token was admitted; 0: none.
    pub principal: u64,
}

/// What a job asks for.
#[derive(Debug)]
pub enum Task {
    /// Run a handler: its number and `CALL_` flags.
    Call(u32, u32),
    /// Look at it: the HTTP method.
    Message(http::Method),
}

impl Job {
    /// Raw bytes of one of the ranges.
    pub fn range(&self, range: Option<std::ops::Range<usize>>) -> &[u8] {
        range.map_or(&[], |r| &self.body[r])
    }

    /// Headers as `name: value\r\n` lines, after the target when there is one.
    pub fn head(&self) -> String {
        crate::head::render(self.target.as_deref(), &self.headers)
    }
}

/// State that I/O threads and the side above share.
pub(crate) struct Shared {
    pub(crate) config: crate::Config,
    pub(crate) tls: Option<Tls>,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: Tokens,
    pub(crate) stats: Vec<Stats>,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) connections: AtomicUsize,
    pub(crate) running: AtomicUsize,
    up: SegQueue<Up>,
    wake: Box<dyn Fn() + Send + Sync>,
    pub(crate) trim: fn(),
    woken: AtomicBool,
    pub(crate) mailboxes: Vec<Mailbox>,
}

/// What an I/O thread is told.
#[derive(Default)]
pub(crate) struct Mailbox {
    replies: Mutex<Vec<Down>>,
    pub(crate) closing: AtomicBool,
    pub(crate) cut: AtomicBool,
    pub(crate) notify: Notify,
}

impl Shared {
    pub(crate) fn new(
        config: crate::Config,
        tls: Option<Tls>,
        wake: Box<dyn Fn() + Send + Sync>,
        trim: fn(),
    ) -> Arc<Self> {
        let threads = config.threads;
        Arc::new(Shared {
            up: SegQueue::new(),
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            stats: (0..=threads).map(|_| Stats::default()).collect(),
            in_flight: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            running: AtomicUsize::new(threads),
            mailboxes: (0..threads).map(|_| Mailbox::default()).collect(),
            wake,
            trim,
            woken: AtomicBool::new(false),
            tls,
            config,
        })
    }

    /// Counters of the side above.
    pub(crate) fn above(&self) -> &Stats {
        &self.stats[self.config.threads]
    }

    /// False when `max_in_flight` calls are running: the caller answers 503.
    pub(crate) fn enter(&self) -> bool {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        if before >= self.config.max_in_flight {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
        before < self.config.max_in_flight
    }

    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn push(&self, up: Up) {
        self.up.push(up);
    }

    /// Wakes the side above unless it is awake already and has not looked yet.
    pub(crate) fn signal(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// The side above says that it is about to look.
    pub(crate) fn looking(&self) {
        self.woken.store(false, Ordering::Release);
        // Ordered before the pops that follow: a push after this store wakes again, a push before it is seen.
        std::sync::atomic::fence(Ordering::SeqCst);
    }

    pub(crate) fn pop(&self) -> Option<Up> {
        self.up.pop()
    }

    /// One batch of replies for one I/O thread, one wake. `batch` is left empty, with the thread's old allocation.
    pub(crate) fn send(&self, thread: usize, batch: &mut Vec<Down>) {
        let mailbox = &self.mailboxes[thread];
        {
            let mut replies = mailbox.replies.lock();
            if replies.is_empty() {
                std::mem::swap(&mut *replies, batch);
            } else {
                replies.append(batch);
            }
        }
        mailbox.notify.notify_one();
    }
}

impl Mailbox {
    /// Takes what came; `into` must be empty and lends its allocation to the next batch.
    pub(crate) fn receive(&self, into: &mut Vec<Down>) {
        std::mem::swap(&mut *self.replies.lock(), into);
    }
}
