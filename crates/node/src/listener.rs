//! Binds `thirdrail-serve`: moves jobs into the ring that JavaScript owns, and replies out of it.
//!
//! Everything here runs on the JavaScript thread of one environment; what I/O threads touch is inside the serve crate. A
//! listener ends with its environment: the clean-up hook cuts and joins before the environment is gone.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, BufferSlice, Float64ArraySlice, Function, Int32ArraySlice};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{CleanupEnvHook, Env, Error, Result, Status};
use napi_derive::napi;
use thirdrail_serve::{Config, Down, Job, Listener, Shape, Task, Up};

use crate::memory::{floats, ints};
use crate::records::{METHODS, MORE, WIDTH, down, up};
use crate::registry::NativeRegistry;

/// `ServeConfig` of the seam.
#[napi(object)]
#[allow(missing_docs)]
pub struct NativeServeConfig {
    pub host: String,
    pub port: u16,
    pub path: String,
    pub threads: u32,
    pub modern_versions: Vec<String>,
    pub legacy_versions: Vec<String>,
    pub allowed_hosts: Option<Vec<String>>,
    pub allowed_origins: Option<Vec<String>>,
    pub max_body_bytes: u32,
    pub max_header_bytes: u32,
    pub max_depth: u32,
    pub max_in_flight: u32,
    pub max_connections: u32,
    pub max_stream_bytes: u32,
    pub header_timeout: u32,
    pub body_timeout: u32,
    pub idle_timeout: u32,
}

impl From<NativeServeConfig> for Config {
    fn from(from: NativeServeConfig) -> Config {
        let millis = |ms: u32| Duration::from_millis(ms.into());
        Config {
            host: from.host,
            port: from.port,
            path: from.path,
            threads: from.threads as usize,
            modern_versions: from.modern_versions,
            legacy_versions: from.legacy_versions,
            allowed_hosts: from.allowed_hosts,
            allowed_origins: from.allowed_origins,
            max_body: from.max_body_bytes as usize,
            max_header: from.max_header_bytes as usize,
            max_depth: from.max_depth,
            max_in_flight: from.max_in_flight as usize,
            max_connections: from.max_connections as usize,
            max_stream: from.max_stream_bytes as usize,
            header_timeout: millis(from.header_timeout),
            body_timeout: millis(from.body_timeout),
            idle_timeout: millis(from.idle_timeout),
        }
    }
}

type Wake = ThreadsafeFunction<(), (), (), Status, false>;

/// One listener and the jobs that JavaScript has not replied to.
#[napi]
pub struct NativeListener {
    listener: Option<Arc<Listener>>,
    wake: Arc<Mutex<Wake>>,
    hook: Option<CleanupEnvHook<Weak<Listener>>>,
    address: std::net::SocketAddr,
    live: Vec<Option<Box<Job>>>,
    /// Taken from the queue, but the ring was full.
    pending: Option<Box<Job>>,
    batches: Vec<Vec<Down>>,
    last: [f64; thirdrail_serve::STAT_COUNT],
}

const INDEX_BITS: u32 = 24;

fn index(slot: u64) -> usize {
    (slot & ((1 << INDEX_BITS) - 1)) as usize
}

fn generation(slot: u64) -> i32 {
    (slot >> INDEX_BITS) as i32
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
        let host = format!("{}:{}", config.host, config.port);
        let listener = Listener::bind(config.into(), &registry.shared(), move || {
            if let Ok(wake) = called.lock() {
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        })
        .map_err(|error| Error::from_reason(format!("{}: listen {host}: {error}", code(&error))))?;
        let listener = Arc::new(listener);
        let hook = env.add_env_cleanup_hook(Arc::downgrade(&listener), |listener| {
            if let Some(listener) = listener.upgrade() {
                listener.cut();
                listener.join();
            }
        })?;
        Ok(NativeListener {
            address: listener.address(),
            listener: Some(listener),
            wake,
            hook: Some(hook),
            live: Vec::new(),
            pending: None,
            batches: Vec::new(),
            last: [0.0; thirdrail_serve::STAT_COUNT],
        })
    }

    /// Bound address.
    #[napi(getter)]
    pub fn host(&self) -> String {
        self.address.ip().to_string()
    }

    /// Bound port.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.address.port()
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
                    Some(Up::Abort(slot)) => {
                        if self.end(slot).is_some() {
                            listener.leave();
                            record.copy_from_slice(&[up::ABORT, index(slot) as i32, generation(slot), 0, 0, 0, 0, 0]);
                            count += 1;
                            continue;
                        }
                        // Replied to while the client was leaving: nothing to tell. The record stays for the next one.
                        record[0] = -1;
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
            self.keep(job);
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
        self.alive(slot).map_or(String::new(), Job::head)
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
    fn keep(&mut self, job: Box<Job>) {
        let at = index(job.slot);
        if at >= self.live.len() {
            self.live.resize_with(at + 1, || None);
        }
        self.live[at] = Some(job);
    }

    fn alive(&self, slot: f64) -> Option<&Job> {
        let slot = slot as u64;
        self.live.get(index(slot))?.as_deref().filter(|job| job.slot == slot)
    }

    /// Takes the job of a slot out; `None` when it is dead.
    fn end(&mut self, slot: u64) -> Option<Box<Job>> {
        self.live.get_mut(index(slot))?.take_if(|job| job.slot == slot)
    }

    fn down(&mut self, listener: &Listener, record: &[i32], head: String, text: Bytes) -> Option<Down> {
        let slot = ((record[2] as u64) << INDEX_BITS) | record[1] as u64;
        if record[0] == down::EVENT {
            return self.alive(slot as f64).map(|_| Down::Event { slot, id: head, text });
        }
        if self.end(slot).is_none() {
            listener.count_stale();
            return None;
        }
        listener.leave();
        let shape = Shape::try_from(record[4] & (down::FAILED - 1)).unwrap_or(Shape::Raw);
        let failed = record[4] & down::FAILED != 0;
        Some(Down::Reply {
            slot,
            status: record[3] as u16,
            shape,
            failed,
            headers: head,
            text,
        })
    }
}

fn payload(job: &Job) -> &[u8] {
    match job.task {
        Task::Call(..) => job.range(job.envelope.arguments()),
        Task::Message(_) => &job.body,
    }
}

fn describe(job: &Job, length: usize, large: bool, record: &mut [i32]) {
    let (kind, handler, flags) = match &job.task {
        Task::Call(handler, flags) => (up::CALL, *handler as i32, *flags as i32),
        Task::Message(method) => {
            let number = METHODS
                .iter()
                .position(|m| *m == method.as_str())
                .unwrap_or(METHODS.len() - 1);
            (up::MESSAGE, number as i32, 0)
        }
    };
    let ascii = i32::from(job.envelope.flags() & thirdrail_codec::flag::ASCII != 0);
    let kind = if large { kind + up::LARGE } else { kind };
    record.copy_from_slice(&[
        kind,
        index(job.slot) as i32,
        generation(job.slot),
        handler,
        flags,
        length as i32,
        ascii,
        0,
    ]);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The code that Node's own `net` would give, for callers that look at `error.code`.
fn code(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "EADDRINUSE",
        std::io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        std::io::ErrorKind::PermissionDenied => "EACCES",
        _ => "EIO",
    }
}
