// Generated from crates/node by scripts/steps/addon.mjs: change the Rust side and build.

/** Buffers by handle. */
export declare class NativeBuffers {
  /** At most `max_bytes` taken at once. */
  constructor(maxBytes: number)
  /** A handle or -1. */
  take(bytes: number): number
  /** False when dead. */
  give(handle: number): boolean
  /** Bytes or -1. */
  capacity(handle: number): number
  /** The six counters. */
  stats(out: Float64Array): void
}

/** `text/event-stream` framing. */
export declare class NativeEvents {
  /** A parser for events of at most `max_bytes`. */
  constructor(maxBytes: number)
  /** Data of complete events, or a refusal. */
  push(chunk: Uint8Array): Array<Buffer> | number
  /** The unterminated rest. */
  end(): Buffer | null
  /** Bytes held. */
  get held(): number
}

/** Newline-delimited framing. */
export declare class NativeLines {
  /** A framer for messages of at most `max_bytes`. */
  constructor(maxBytes: number)
  /** Complete frames, or a refusal. */
  push(chunk: Uint8Array): Array<Buffer> | number
  /** The unterminated rest. */
  end(): Buffer | null
  /** Bytes held. */
  get held(): number
}

/** One listener and the jobs that JavaScript has not replied to. */
export declare class NativeListener {
  /** Binds and starts. `wake` is called on the JavaScript thread when `drain` has something. */
  static listen(config: NativeServeConfig, registry: NativeRegistry, wake: () => void): NativeListener
  /** Bound address, or the path of the unix socket. */
  get host(): string
  /** Bound port; 0 for a unix socket. */
  get port(): number
  /** Fills records and ring; returns the number of records, plus `MORE` when the ring was too small for the next. */
  drain(ring: Buffer, records: Int32Array): number
  /** Something is left in the queue: wake again after other work had its turn. */
  wakeAgain(): void
  /** The bytes of a record that was too large for the ring. */
  take(slot: number): Buffer
  /** Gives `count` replies and events back; all their bytes are copied once. */
  complete(count: number, records: Int32Array, ring: Uint8Array, used: number): void
  /** One reply or event that is too large for the ring; `record` as in `complete`, lengths ignored. */
  completeLarge(record: Int32Array, head: string, text: Uint8Array): void
  /** Raw JSON of `params._meta`. */
  meta(slot: number): string
  /** Raw token of the id. */
  id(slot: number): string
  /** Header lines. */
  head(slot: number): string
  /** Whether the slot waits for a reply. */
  isAlive(slot: number): boolean
  /** The number with which the request's token was admitted. */
  principal(slot: number): number
  /** Lets a bearer token through the door; false when the digest is none. */
  admit(digest: string, principal: number, expiresAt: number): boolean
  /** Takes it back; false when it was not admitted. */
  expel(digest: string): boolean
  /** Another certificate for new connections; empty, or why it cannot be used. */
  renewTls(cert: string, key: string): string
  /** Makes a session known. */
  openSession(id: string): void
  /** Makes a session unknown. */
  closeSession(id: string): void
  /** Whether a session is known. */
  hasSession(id: string): boolean
  /** Counters by their numbers in the seam; after the end, those of the end. */
  stats(out: Float64Array): void
  /** Stops accepting; running calls go on. */
  close(): void
  /** Ends everything that still runs. */
  cut(): void
  /** Whether the I/O threads have ended; `wake` was called when they did. */
  ended(): boolean
  /** After `ended`: joins, and lets go of everything that would keep the process alive. */
  finish(): void
  /** Keeps the process alive. */
  ref(): void
  /** Does not keep the process alive. */
  unref(): void
}

/** Counters, gauges and histograms by number. */
export declare class NativeMetrics {
  /** At most `max_series` label sets per family. */
  constructor(maxSeries: number)
  /** A family, or -1. */
  counter(name: string, help: string, labels: Array<string>): number
  /** A family, or -1. */
  gauge(name: string, help: string, labels: Array<string>): number
  /** A family, or -1. */
  histogram(name: string, help: string, labels: Array<string>, scale: number): number
  /** A series, or -1. */
  series(family: number, values: Array<string>): number
  /** Adds to a counter or gauge. */
  add(series: number, by: number): void
  /** Sets a gauge. */
  set(series: number, to: number): void
  /** Records into a histogram. */
  observe(series: number, value: number): void
  /** JSON. */
  snapshot(): string
  /** Prometheus text. */
  exposition(): string
}

/** A registry that listeners of the same process can read. */
export declare class NativeRegistry {
  /** An empty one, published. */
  constructor()
  /** Adds or replaces ready answers. */
  answer(method: string, name: string, modern?: Uint8Array | undefined | null, legacy?: Uint8Array | undefined | null): number
  /** Adds or replaces a handler. */
  handler(method: string, name: string, handler: number): number
  /** Removes; false when there was none. */
  remove(method: string, name: string): boolean
  /** Makes changes visible. */
  publish(): number
  /** Entry id or -1. */
  route(method: string, name: string): number
  /** Counts one call. */
  record(entry: number, failed: number, nanoseconds: number): void
  /** Calls, errors, nanoseconds. */
  stats(entry: number, out: Float64Array): boolean
  /** Published entries. */
  get size(): number
  /** Counts publications. */
  get generation(): number
}

/** Call slots by handle. */
export declare class NativeSlots {
  /** At most `capacity` taken at once. */
  constructor(capacity: number)
  /** A handle or -1. */
  take(): number
  /** False when dead. */
  give(handle: number): boolean
  /** Whether taken. */
  alive(handle: number): boolean
  /** The six counters. */
  stats(out: Float64Array): void
}

/** RFC 8785 form, or a refusal. */
export declare function codecCanonical(json: Uint8Array, maxDepth: number): Buffer | number

/** SHA-256 of the RFC 8785 form, or a refusal. */
export declare function codecDigest(json: Uint8Array, maxDepth: number): Buffer | number

/** A response around an error. */
export declare function codecEncodeError(id: Uint8Array, error: Uint8Array): Buffer

/** One SSE event. */
export declare function codecEncodeEvent(id: string, data: Uint8Array): Buffer

/** A response around a result. */
export declare function codecEncodeResult(id: Uint8Array, result: Uint8Array): Buffer

/** Scans one message; fills the 19 fields of the seam; returns its kind or a refusal. */
export declare function codecScan(message: Uint8Array, maxDepth: number, out: Int32Array): number

/** `ServeConfig.tls` of the seam. */
export interface NativePem {
  cert: string
  key: string
}

/** `ServeConfig` of the seam. */
export interface NativeServeConfig {
  host: string
  port: number
  path: string
  threads: number
  modernVersions: Array<string>
  legacyVersions: Array<string>
  allowedHosts?: Array<string>
  allowedOrigins?: Array<string>
  maxBodyBytes: number
  maxHeaderBytes: number
  maxDepth: number
  maxInFlight: number
  maxConnections: number
  maxStreamBytes: number
  headerTimeout: number
  bodyTimeout: number
  idleTimeout: number
  writeTimeout: number
  streamHighWaterMark: number
  compressionThreshold: number
  unixPath?: string
  reusePort: boolean
  tls?: NativePem
  http2: boolean
  otherPaths: Array<string>
  corsOrigins?: Array<string>
  authorize: boolean
}

/** The numbers above, for the test that compares them with their mirror. */
export declare function ringLayout(): Array<number>

/** SIMD level that the codec uses on this machine. */
export declare function simd(): string

/** Version of the package that this addon was built for. */
export declare function version(): string
