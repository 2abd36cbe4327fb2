/**
 * THE SEAM. Types and constants only: what an engine must be able to do, said once.
 *
 * Two engines implement it, `native` (Rust through N-API) and `js` (plain JavaScript). Laws (ARCHITECTURE.md, "Laws of
 * the seam"): bytes and numbers cross, object graphs do not; no optional properties, absent is `null`; no member that only
 * one engine has. Everything above the seam (server, protocol, dispatch) knows this file and no engine.
 */

/** Which engine this is. */
export type EngineName = 'native' | 'js';

/** One engine: every section is the twin of the Rust crate of the same name. */
export interface Engine {
  readonly name: EngineName;
  /** SIMD level that the codec chose at run time: `avx2`, `sse4.2`, `neon` or `scalar`; the JS engine says `none`. */
  readonly simd: string;
  readonly codec: Codec;
  readonly registry: { create(): Registry };
  readonly pool: { slots(capacity: number): Slots; buffers(maxBytes: number): Buffers };
  readonly metrics: { create(options: MetricsOptions): Metrics };
  readonly serve: { listen(config: ServeConfig, registry: Registry, receiver: Receiver): Promise<Listener> };
}

// ---------------------------------------------------------------------------------------------------------- codec

/** What a scanned message is. Negative numbers are refusals, see {@link ScanRefusal}. */
export const Kind = { request: 0, notification: 1, response: 2, batch: 3 } as const;

/**
 * Why a message was refused. The first three are JSON-RPC -32700 (parse error), the others -32600 (invalid request);
 * `tooLarge` is decided by the transports, which know the bytes before they have them.
 */
export const ScanRefusal = {
  malformed: -1, // not JSON (RFC 8259), or bytes after the value, or nothing at all
  utf8: -2, // not UTF-8, or a lone surrogate in UTF-8 form
  bom: -3, // starts with a byte order mark
  tooDeep: -4, // more nested brackets than maxDepth
  duplicateKey: -5, // a key that is acted on stands twice in one object
  notAnObject: -6, // a JSON value that is neither an object nor an array
  badVersion: -7, // "jsonrpc" is missing or not "2.0"
  badId: -8, // "id" is neither string nor number (null is refused too), or longer than 256 bytes
  badMethod: -9, // "method" is not a string, or neither method nor result/error is there
  badParams: -10, // "params" is neither object nor array, or name/uri is no string, or arguments/_meta no object
  tooLarge: -11,
} as const;

/**
 * Fields of the `Int32Array` that {@link Codec.scan} fills: pairs are [start, end) byte ranges, [-1, -1] when absent.
 * Ranges of string values (method, name, uri, metaVersion) exclude the quotes, those of other values are the whole value.
 */
export const Field = {
  flags: 0,
  id: 1, // 1,2: the raw token, quotes included
  method: 3,
  params: 5,
  name: 7, // params.name
  uri: 9, // params.uri
  arguments: 11, // params.arguments
  meta: 13, // params._meta
  metaVersion: 15, // params._meta["io.modelcontextprotocol/protocolVersion"], only when it is a string
  progressToken: 17, // params._meta.progressToken, raw token
} as const;
export const FIELD_COUNT = 19;

/** Bits of `Field.flags`. */
export const Flag = {
  /** method, name, uri or metaVersion holds a backslash escape: compare decoded text, never these bytes. */
  escaped: 1,
  /** params has keys besides name, uri, arguments and _meta (for instance cursor, inputResponses, task). */
  otherParams: 2,
  /** params._meta["io.modelcontextprotocol/clientCapabilities"] is there and an object. */
  metaCapabilities: 4,
  /** Every byte of the message is ASCII: latin1 decoding is right and cheapest. */
  ascii: 8,
  /** params._meta["io.modelcontextprotocol/protocolVersion"] is there, of whatever type. */
  metaVersionPresent: 16,
  /** params is an array (positional): no names inside. */
  paramsArray: 32,
} as const;

export interface Codec {
  /**
   * Scans one JSON-RPC message and proves all of it well-formed JSON (RFC 8259, UTF-8). Acted-on keys are jsonrpc, id,
   * method, params, result, error on the envelope; name, uri, arguments, _meta in params; the three of `Field` in _meta.
   * Keys are compared decoded, so an escaped spelling is the same key. `maxDepth` is cut at 1024.
   * @returns a {@link Kind}, or a negative {@link ScanRefusal}; `out` is meaningful only for requests and notifications.
   */
  scan(message: Uint8Array, maxDepth: number, out: Int32Array): number;
  /** A framer for newline-delimited messages (stdio); `\r\n` is accepted, empty lines are skipped. */
  lines(maxBytes: number): Framer;
  /** A parser for `text/event-stream` (WHATWG HTML, 9.2); frames are the `data` of each event. */
  events(maxBytes: number): Framer;
  /** RFC 8785 canonical form, or a negative refusal (`malformed`, `utf8`, `duplicateKey`, ...: I-JSON, RFC 7493). */
  canonical(json: Uint8Array, maxDepth: number): Uint8Array | number;
  /** SHA-256 (32 bytes) of the canonical form, or the refusal. */
  digest(json: Uint8Array, maxDepth: number): Uint8Array | number;
  /** `{"jsonrpc":"2.0","id":<id>,"result":<result>}`; both are raw JSON, copied as they are. */
  encodeResult(id: Uint8Array, result: Uint8Array): Uint8Array;
  /** `{"jsonrpc":"2.0","id":<id>,"error":<error>}`; an empty id becomes `null`. */
  encodeError(id: Uint8Array, error: Uint8Array): Uint8Array;
  /** One SSE event: `id: <id>\n` when id is not empty, `event: message\n`, a `data: ` line per line of data, blank line. */
  encodeEvent(id: string, data: Uint8Array): Uint8Array;
}

/** Cuts a byte stream into messages. Linear time whatever the chunking; never holds more than `maxBytes` of one message. */
export interface Framer {
  /**
   * Complete frames, or `ScanRefusal.tooLarge`; after a refusal the framer skips to the end of that frame and goes on. What
   * came behind a refusal is given by further calls: push an empty chunk until `[]`.
   */
  push(chunk: Uint8Array): Uint8Array[] | number;
  /** The unterminated rest at end of input, or null; resets the framer. */
  end(): Uint8Array | null;
  /** Bytes now held. */
  readonly held: number;
}

// ------------------------------------------------------------------------------------------------------- registry

export const Era = { modern: 0, legacy: 1 } as const;
/** What stands behind a (method, name). `answer`: ready bytes per era. `handler`: a function above the seam. */
export const RouteKind = { answer: 0, handler: 1 } as const;

/**
 * (method, name) -> route. Changes are collected and become visible at once with `publish` (snapshot swap); reading never
 * waits. Entry ids are stable for the life of the registry and are not reused while anything still counts on them.
 */
export interface Registry {
  /** Adds or replaces; answers are result objects as JSON bytes, or null where the era does not have the method. */
  answer(method: string, name: string, modern: Uint8Array | null, legacy: Uint8Array | null): number;
  /** Adds or replaces; `handler` is an index of the caller's. */
  handler(method: string, name: string, handler: number): number;
  /** False when there was none. */
  remove(method: string, name: string): boolean;
  /** Makes all changes since the last one visible; returns the new generation. */
  publish(): number;
  /** Entry id in the published snapshot, or -1. */
  route(method: string, name: string): number;
  /** Counts one call on an entry. */
  record(entry: number, failed: 0 | 1, nanoseconds: number): void;
  /** Fills [calls, errors, total nanoseconds]; false when the entry was never there. */
  stats(entry: number, out: Float64Array): boolean;
  /** Published entries. */
  readonly size: number;
  readonly generation: number;
}

// ----------------------------------------------------------------------------------------------------------- pool

/** Call slots: a handle is `generation * 2^24 + index`; a handle given back is dead for ever. */
export interface Slots {
  /** A handle, or -1 when all are taken. */
  take(): number;
  /** False when the handle is dead. */
  give(handle: number): boolean;
  alive(handle: number): boolean;
  /** Fills [taken, returned, refused, in use, capacity, stale] (totals since creation, except in use and capacity). */
  stats(out: Float64Array): void;
}

/** Size-classed byte buffers, addressed by handle so that no memory crosses. Classes are powers of two from 256 bytes. */
export interface Buffers {
  /** A handle to a buffer of at least `bytes`, or -1 when that would pass `maxBytes` in use. */
  take(bytes: number): number;
  give(handle: number): boolean;
  /** Capacity of a taken buffer in bytes, or -1. */
  capacity(handle: number): number;
  /** Fills [taken, returned, grown (fresh allocations), in use, bytes in use, bytes kept free]. */
  stats(out: Float64Array): void;
}

// -------------------------------------------------------------------------------------------------------- metrics

export interface MetricsOptions {
  /** Most label sets per family; further ones are counted under one series whose every label is `"_other"`. */
  maxSeries: number;
}

/**
 * Counters, gauges and log-linear histograms (relative error at most 1 %). Families and series are named once and get
 * a number; recording is by number. Histogram values are non-negative integers below 2^53 (nanoseconds, bytes).
 */
export interface Metrics {
  counter(name: string, help: string, labels: string[]): number;
  gauge(name: string, help: string, labels: string[]): number;
  /** `scale` divides values in the exposition (1e9: nanoseconds recorded, seconds shown). */
  histogram(name: string, help: string, labels: string[], scale: number): number;
  /** The series of a family for these label values, made when new. -1: no such family or wrong number of labels. */
  series(family: number, values: string[]): number;
  add(series: number, by: number): void;
  set(series: number, to: number): void;
  observe(series: number, value: number): void;
  /** JSON: families with series; histograms as {count, sum, min, max, p50, p90, p95, p99, p999}. */
  snapshot(): string;
  /** Prometheus text exposition format 0.0.4. */
  exposition(): string;
}

// ---------------------------------------------------------------------------------------------------------- serve

/** All limits are checked by the engine; the defaults live in ts/server/limits.ts. Times are milliseconds. */
export interface ServeConfig {
  host: string;
  /** 0: any free port. */
  port: number;
  /** The MCP endpoint; every other path is 404. */
  path: string;
  /** I/O threads; the JS engine has one whatever is asked. */
  threads: number;
  modernVersions: string[];
  legacyVersions: string[];
  /** Lower-case host names (no port) that `Host` may name; null: not checked. */
  allowedHosts: string[] | null;
  /** Lower-case host names (no port) that `Origin` may name when it is sent; null: not checked. */
  allowedOrigins: string[] | null;
  maxBodyBytes: number;
  maxHeaderBytes: number;
  maxDepth: number;
  maxInFlight: number;
  maxConnections: number;
  /** Unsent bytes of one stream above which its client is cut off. */
  maxStreamBytes: number;
  headerTimeout: number;
  bodyTimeout: number;
  idleTimeout: number;
  /** Longest time without progress while unsent bytes wait, then the connection is cut. */
  writeTimeout: number;
  /** Unsent bytes of one stream above which its writer is asked to wait, see {@link Listener.write}. */
  streamHighWaterMark: number;
  /** Answers of at least so many bytes are gzipped for clients that accept it; 0: never. */
  compressionThreshold: number;
  /** Path of a unix socket to bind instead of host and port; null: TCP. */
  unixPath: string | null;
  /** SO_REUSEPORT: several processes may share the port. */
  reusePort: boolean;
  /** Certificate chain and private key as PEM text; null: clear text. */
  tls: { cert: string; key: string } | null;
  /** HTTP/2 besides HTTP/1.1: by ALPN over TLS, by prior knowledge in clear text. */
  http2: boolean;
  /**
   * Exact paths besides `path` whose requests all go up as messages, whatever their method; {@link Listener.head} then
   * begins with `:path: <request target>\r\n`, as it does whenever the target has a query.
   */
  otherPaths: string[];
  /** Lower-case origins (`https://host[:port]`, or `*`) that get CORS headers with every answer; null: none do. */
  corsOrigins: string[] | null;
  /**
   * Nothing is answered, or handed up as a call, unless the request's bearer token was admitted ({@link Listener.admit});
   * everything else goes up as a message and is decided there.
   */
  authorize: boolean;
}

/** Bits of the `flags` of {@link Receiver.call}. */
export const CallFlag = {
  legacy: 1,
  /** The client accepts text/event-stream: events may be sent before the reply. */
  stream: 2,
  progressToken: 4,
} as const;

/** Above the seam: takes what the engine hands up. No method may throw or return a promise. */
export interface Receiver {
  /**
   * A call that passed every check at the door: regular envelope, headers equal to the body, route found.
   * @param slot handle of the call, dead after its reply; @param handler from {@link Registry.handler};
   * @param args raw JSON text of `params.arguments`, empty when absent
   */
  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void;
  /**
   * Anything else that is well-formed: notifications, unknown methods, initialize, GET, DELETE, every request whose
   * headers or envelope are not beyond doubt. The error, if it is one, is decided above the seam, once for both engines.
   * @param method HTTP method; @param body the message, proven by scan when not empty
   */
  message(listener: Listener, slot: number, method: string, body: string): void;
  /** The client left; the slot is dead. */
  abort(listener: Listener, slot: number): void;
  /** A stream whose writer was asked to wait has sent half of its high-water mark: go on. */
  drain(listener: Listener, slot: number): void;
}

/** How `text` of {@link Listener.reply} is put on the wire: result and error are spliced with the request's own id. */
export const Shape = { result: 0, error: 1, raw: 2 } as const;

export interface Listener {
  readonly host: string;
  readonly port: number;
  /**
   * Ends a call. A dead slot is a counted no-op.
   * @param status HTTP status, ignored once the head was sent, except 0: then the body is cut off in its middle, so that its
   * client cannot take it for whole (HTTP/1.1: the connection ends without the last chunk; HTTP/2: the stream is reset); what
   * was written before goes out first, as far as the client takes it, and no abort follows; @param headers extra header lines, each `name: value\r\n`;
   * result and error imply `content-type: application/json`; @param failed 1 when a tool reported an error (counted)
   */
  reply(slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void;
  /**
   * Sends one SSE event before the reply; the first opens the stream (200, text/event-stream). `id` empty: none.
   * @returns as {@link write}
   */
  event(slot: number, id: string, text: string): number;
  /**
   * Sends the head of a body that follows in pieces; from then on the request is not counted as in flight. Its reply ends
   * it: `raw` text is appended as it is, `result` and `error` go as one SSE event. Nothing for a dead or opened slot. On a
   * pipe there is no body: the slot is only not counted any more, does not hold the end, and {@link event} writes to it.
   * @param headers header lines, `content-type` among them
   */
  open(slot: number, status: number, headers: string): void;
  /**
   * Sends a piece of an opened body.
   * @returns unsent bytes of this stream as far as they are known here; above `streamHighWaterMark` the writer should wait
   * for {@link Receiver.drain}. -1: the slot is dead.
   */
  write(slot: number, text: string): number;
  /** Raw JSON of `params._meta` of a call in flight, empty when absent or the slot is dead. */
  meta(slot: number): string;
  /** Raw token of the request's id, empty when absent or dead. */
  id(slot: number): string;
  /** Request head as `name: value\r\n` lines, names in lower case; empty when dead. */
  head(slot: number): string;
  /** The number with which the request's token was admitted; 0: none, or the slot is dead. */
  principal(slot: number): number;
  /**
   * Lets requests with a bearer token through the door as `principal` (a positive number of the caller's).
   * @param digest SHA-256 of the token, lower-case hex: tokens are never kept, and comparing digests tells nothing of them
   * @param expiresAt milliseconds since the epoch; 0: never
   */
  admit(digest: string, principal: number, expiresAt: number): void;
  /** False when it was not admitted. */
  expel(digest: string): boolean;
  /** Another certificate for new connections. Empty, or why it cannot be used (then the old one stays). */
  renewTls(cert: string, key: string): string;
  /** Makes a legacy session known to the door / unknown again. */
  openSession(id: string): void;
  closeSession(id: string): void;
  hasSession(id: string): boolean;
  /** Fills the counters named in {@link ListenerStat}. */
  stats(out: Float64Array): void;
  /** Stops accepting, lets running calls end for at most `grace` ms, then cuts. Idempotent. */
  close(grace: number): Promise<void>;
  /** Whether the listener keeps the process alive (default: yes). */
  ref(): void;
  unref(): void;
}

export const ListenerStat = {
  accepted: 0,
  connections: 1, // now
  requests: 2,
  answered: 3, // by the engine alone, from the registry
  calls: 4, // handed up as calls
  messages: 5, // handed up as messages
  refused: 6, // by guard or scan
  overloaded: 7,
  aborted: 8,
  staleReplies: 9,
  panics: 10,
  wakes: 11, // crossings up (batches)
  flushes: 12, // crossings down (batches)
  bytesIn: 13,
  bytesOut: 14,
  inFlight: 15, // now
} as const;
export const LISTENER_STAT_COUNT = 16;

// ----------------------------------------------------------------------------------------------------------- pipe

/** Limits of one connection whose peer is alone on it. */
export interface PipeLimits {
  modernVersions: string[];
  legacyVersions: string[];
  maxMessageBytes: number;
  maxDepth: number;
  maxInFlight: number;
  /** Unsent bytes above which reading pauses until the peer has drained them. */
  highWaterMark: number;
}

/** Streams of a stdio-like connection: newline-delimited messages in, newline-delimited messages out. */
export interface PipeConfig extends PipeLimits {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/**
 * Serves one byte-stream peer. Stays in JavaScript whatever the engine: at one message in flight a thread hop costs more
 * than it saves. `Receiver.message` gets the method `PIPE`; `Listener.head` is empty; `Listener.event` writes one line.
 */
export interface PipeEngine {
  createRegistry(): Registry;
  /** `closed` resolves when the input ended and every reply is written, or after `close`. */
  serve(config: PipeConfig, registry: Registry, receiver: Receiver): Listener & { readonly closed: Promise<void> };
}
