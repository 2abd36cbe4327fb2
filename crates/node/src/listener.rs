//! Binds `thirdrail-serve`: moves jobs into the ring that JavaScript owns, and replies out of it.
//!
//! Everything here runs on the JavaScript thread of one environment; what I/O threads touch is inside the serve crate. A
//! listener ends with its environment: the clean-up hook cuts and joins before the environment is gone.

use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, BufferSlice, Float64ArraySlice, Function, Int32ArraySlice};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{CleanupEnvHook, Env, Error, Result, Status};
use napi_derive::napi;
use thirdrail_serve::{Address, Down, Job, Listener, Pem, Shape, Up};

use crate::config::NativeServeConfig;
use crate::live::{Ended, Jobs, Live, generation, index, slot};
use crate::memory::{floats, ints};
use crate::records::{MORE, WIDTH, describe, down, payload, up};
use crate::registry::NativeRegistry;

type Wake = ThreadsafeFunction<(), (), (), Status, false>;

/// One listener and the jobs that JavaScript has not replied to.
#[napi]
pub struct NativeListener {
    listener: Option<Arc<Listener>>,
    wake: Arc<Mutex<Wake>>,
    hook: Option<CleanupEnvHook<Weak<Listener>>>,
    address: Address,
    live: Jobs,
    /// Taken from the queue, but the ring was full.
    pending: Option<Box<Job>>,
    batches: Vec<Vec<Down>>,
    last: [f64; thirdrail_serve::STAT_COUNT],
}

#[napi]
impl NativeListener {
    /// Binds and starts. `wake` is called on the JavaScript thread when `drain` has something.
    #[napi(factory)]
    pub fn listen(
        env: &Env,
        config: NativeServeConfig,
        registry: &NativeRegistry,
        wake: Function<'_, (), ()>,
    ) -> Result<Self> {
        let wake = wake
            .build_threadsafe_function::<()>()
            .callee_handled::<false>()
            .build()?;
        let wake = Arc::new(Mutex::new(wake));
        let called = wake.clone();
        let host = match &config.unix_path {
            Some(path) => path.clone(),
            None => format!("{}:{}", config.host, config.port),
        };
        let wake_up = move || {
            if let Ok(wake) = called.lock() {
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        };
        let listener =
            Listener::bind(config.into(), &registry.shared(), wake_up, crate::memory::trim).map_err(|error| {
                Error::from_reason(match code(&error) {
                    Some(code) => format!("{code}: listen {host}: {error}"),
                    None => error.to_string(),
                })
            })?;
        let listener = Arc::new(listener);
        let hook = env.add_env_cleanup_hook(Arc::downgrade(&listener), |listener| {
            if let Some(listener) = listener.upgrade() {
                listener.cut();
                listener.join();
            }
        })?;
        Ok(NativeListener {
            address: listener.address().clone(),
            listener: Some(listener),
            wake,
            hook: Some(hook),
            live: Jobs::default(),
            pending: None,
            batches: Vec::new(),
            last: [0.0; thirdrail_serve::STAT_COUNT],
        })
    }

    /// Bound address, or the path of the unix socket.
    #[napi(getter)]
    pub fn host(&self) -> String {
        match &self.address {
            Address::Tcp(address) => address.ip().to_string(),
            Address::Unix(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// Bound port; 0 for a unix socket.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        match &self.address {
            Address::Tcp(address) => address.port(),
            Address::Unix(_) => 0,
        }
    }

    /// Fills records and ring; returns the number of records, plus `MORE` when the ring was too small for the next.
    #[napi]
    pub fn drain(&mut self, mut ring: BufferSlice<'_>, mut records: Int32ArraySlice<'_>) -> u32 {
        let (ring, records): (&mut [u8], _) = (&mut ring, ints(&mut records));
        let Some(listener) = self.listener.clone() else {
            return 0;
        };
        listener.looking();
        let (mut count, mut used) = (0, 0);
        for record in records.chunks_exact_mut(WIDTH) {
            let job = match self.pending.take() {
                Some(job) => job,
                None => match listener.pop() {
                    None => break,
                    Some(Up::Job(job)) => job,
                    Some(other) => {
                        match self.told(&listener, &other) {
                            Some(told) => record.copy_from_slice(&told),
                            None => record[0] = -1, // the record stays unused
                        }
                        count += 1;
                        continue;
                    }
                },
            };
            let bytes = payload(&job);
            let large = bytes.len() > ring.len() / 2;
            if !large && bytes.len() > ring.len() - used {
                self.pending = Some(job);
                break;
            }
            if !large {
                ring[used..used + bytes.len()].copy_from_slice(bytes);
                used += bytes.len();
            }
            describe(&job, bytes.len(), large, record);
            count += 1;
            self.live.keep(job);
        }
        if self.pending.is_some() { count + MORE } else { count }
    }

    /// Something is left in the queue: wake again after other work had its turn.
    #[napi]
    pub fn wake_again(&self) {
        if let Some(listener) = &self.listener {
            listener.wake_again();
        }
    }

    /// The bytes of a record that was too large for the ring.
    #[napi]
    pub fn take(&self, slot: f64) -> Buffer {
        self.alive(slot).map_or(&[][..], |job| payload(job)).to_vec().into()
    }

    /// Gives `count` replies and events back; all their bytes are copied once.
    #[napi]
    pub fn complete(&mut self, count: u32, records: &[i32], ring: &[u8], used: u32) {
        let chunk = Bytes::copy_from_slice(&ring[..used as usize]);
        let records = &records[..count as usize * WIDTH];
        let mut batches = std::mem::take(&mut self.batches);
        if let Some(listener) = self.listener.clone() {
            let downs = records.chunks_exact(WIDTH).filter_map(|r| {
                let text_at = r[7] as usize;
                let head_at = text_at - r[5] as usize;
                let head = String::from_utf8_lossy(&chunk[head_at..text_at]).into_owned();
                self.down(&listener, r, head, chunk.slice(text_at..text_at + r[6] as usize))
            });
            listener.complete(downs, &mut batches);
        }
        self.batches = batches;
    }

    /// One reply or event that is too large for the ring; `record` as in `complete`, lengths ignored.
    #[napi]
    pub fn complete_large(&mut self, record: &[i32], head: String, text: &[u8]) {
        let mut batches = std::mem::take(&mut self.batches);
        if let Some(listener) = self.listener.clone() {
            let down = self.down(&listener, record, head, Bytes::copy_from_slice(text));
            listener.complete(down.into_iter(), &mut batches);
        }
        self.batches = batches;
    }

    /// Raw JSON of `params._meta`.
    #[napi]
    pub fn meta(&self, slot: f64) -> String {
        self.alive(slot)
            .map_or(String::new(), |job| text(job.range(job.envelope.meta())))
    }

    /// Raw token of the id.
    #[napi]
    pub fn id(&self, slot: f64) -> String {
        self.alive(slot)
            .map_or(String::new(), |job| text(job.range(job.envelope.id())))
    }

    /// Header lines.
    #[napi]
    pub fn head(&self, slot: f64) -> String {
        self.alive(slot).map_or(String::new(), |live| live.head())
    }

    /// Whether the slot waits for a reply.
    #[napi]
    pub fn is_alive(&self, slot: f64) -> bool {
        self.alive(slot).is_some()
    }

    /// The number with which the request's token was admitted.
    #[napi]
    pub fn principal(&self, slot: f64) -> f64 {
        self.alive(slot).map_or(0.0, |live| live.principal as f64)
    }

    /// Lets a bearer token through the door; false when the digest is none.
    #[napi]
    pub fn admit(&self, digest: String, principal: f64, expires_at: f64) -> bool {
        let admit = |listener: &Arc<Listener>| listener.admit(&digest, principal as u64, expires_at as u64);
        self.listener.as_ref().is_none_or(admit)
    }

    /// Takes it back; false when it was not admitted.
    #[napi]
    pub fn expel(&self, digest: String) -> bool {
        self.listener.as_ref().is_some_and(|listener| listener.expel(&digest))
    }

    /// Another certificate for new connections; empty, or why it cannot be used.
    #[napi]
    pub fn renew_tls(&self, cert: String, key: String) -> String {
        match &self.listener {
            Some(listener) => listener.renew_tls(&Pem { cert, key }).err().unwrap_or_default(),
            None => "the listener is closed".into(),
        }
    }

    /// Makes a session known.
    #[napi]
    pub fn open_session(&self, id: String) {
        if let Some(listener) = &self.listener {
            listener.open_session(&id);
        }
    }

    /// Makes a session unknown.
    #[napi]
    pub fn close_session(&self, id: String) {
        if let Some(listener) = &self.listener {
            listener.close_session(&id);
        }
    }

    /// Whether a session is known.
    #[napi]
    pub fn has_session(&self, id: String) -> bool {
        self.listener.as_ref().is_some_and(|listener| listener.has_session(&id))
    }

    /// Counters by their numbers in the seam; after the end, those of the end.
    #[napi]
    pub fn stats(&self, mut out: Float64ArraySlice<'_>) {
        let now = self.listener.as_ref().map_or(self.last, |listener| listener.stats());
        for (out, value) in floats(&mut out).iter_mut().zip(now) {
            *out = value;
        }
    }

    /// Stops accepting; running calls go on.
    #[napi]
    pub fn close(&self) {
        if let Some(listener) = &self.listener {
            listener.close();
        }
    }

    /// Ends everything that still runs.
    #[napi]
    pub fn cut(&self) {
        if let Some(listener) = &self.listener {
            listener.cut();
        }
    }

    /// Whether the I/O threads have ended; `wake` was called when they did.
    #[napi]
    pub fn ended(&self) -> bool {
        self.listener.as_ref().is_none_or(|listener| listener.ended())
    }

    /// After `ended`: joins, and lets go of everything that would keep the process alive.
    #[napi]
    pub fn finish(&mut self, env: &Env) -> Result<()> {
        if let Some(listener) = self.listener.take() {
            self.last = listener.stats();
            listener.join();
        }
        if let Some(hook) = self.hook.take() {
            env.remove_env_cleanup_hook(hook)?;
        }
        self.live.clear();
        self.unref(env)
    }

    /// Keeps the process alive.
    #[allow(deprecated)] // the successor counts owners; what is meant here is the event loop
    #[napi(js_name = "ref")]
    pub fn keep_alive(&self, env: &Env) -> Result<()> {
        self.wake.lock().map_err(|_| Error::from_reason("poisoned"))?.refer(env)
    }

    /// Does not keep the process alive.
    #[allow(deprecated)] // as above
    #[napi]
    pub fn unref(&self, env: &Env) -> Result<()> {
        self.wake.lock().map_err(|_| Error::from_reason("poisoned"))?.unref(env)
    }
}

impl NativeListener {
    fn alive(&self, slot: f64) -> Option<&Live> {
        self.live.get(slot as u64)
    }

    fn down(&mut self, listener: &Listener, record: &[i32], head: String, text: Bytes) -> Option<Down> {
        let slot = slot(record[1], record[2]);
        match record[0] {
            down::EVENT => self.live.get(slot).map(|_| Down::Event { slot, id: head, text }),
            down::WRITE => self.live.get(slot).map(|_| Down::Write { slot, text }),
            down::OPEN => self.live.open(slot).then(|| {
                listener.leave();
                let status = record[3] as u16;
                Down::Open {
                    slot,
                    status,
                    headers: head,
                }
            }),
            _ => {
                match self.live.end(slot) {
                    Ended::Dead => {
                        listener.count_stale();
                        return None;
                    }
                    Ended::InFlight => listener.leave(),
                    Ended::Opened => {}
                }
                Some(Down::Reply {
                    slot,
                    status: record[3] as u16,
                    shape: Shape::try_from(record[4] & (down::FAILED - 1)).unwrap_or(Shape::Raw),
                    failed: record[4] & down::FAILED != 0,
                    headers: head,
                    text,
                })
            }
        }
    }

    /// The record of something that is no job; `None` when there is nothing to tell.
    fn told(&mut self, listener: &Listener, up: &Up) -> Option<[i32; WIDTH]> {
        let record = |kind, slot, bytes| [kind, index(slot) as i32, generation(slot), 0, 0, bytes, 0, 0];
        match up {
            Up::Job(_) => None,
            Up::Flushed(slot, bytes) => Some(record(up::FLUSHED, *slot, i32::try_from(*bytes).unwrap_or(i32::MAX))),
            Up::Abort(slot) => {
                match self.live.end(*slot) {
                    // Replied to while the client was leaving.
                    Ended::Dead => return None,
                    Ended::InFlight => listener.leave(),
                    Ended::Opened => {}
                }
                Some(record(up::ABORT, *slot, 0))
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The code that Node's own `net` would give, for callers that look at `error.code`. What we refuse ourselves has none.
fn code(error: &std::io::Error) -> Option<&'static str> {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => Some("EADDRINUSE"),
        std::io::ErrorKind::AddrNotAvailable => Some("EADDRNOTAVAIL"),
        std::io::ErrorKind::PermissionDenied => Some("EACCES"),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Unsupported if error.raw_os_error().is_none() => None,
        std::io::ErrorKind::NotFound => Some("ENOENT"),
        _ => Some("EIO"),
    }
}
