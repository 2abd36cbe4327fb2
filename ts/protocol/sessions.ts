/**
 * Legacy sessions: what an `initialize` handshake established, kept until DELETE, until nobody used it for long, or until
 * newer sessions need the place.
 *
 * A stdio peer is one unnamed session per listener. Requests without a session leave nothing here.
 */
import { randomUUID } from 'node:crypto';
import type { Listener } from '../engine/engine.js';
import type { EventStore, Resumption } from './events/store.js';
import type { CallStreamHome } from './legacy/call-stream.js';
import { SessionStreams } from './legacy/session-streams.js';
import type { LiveCalls } from './live.js';
import { PeerLink } from './peer.js';
import { DEFAULT_KEEP_ALIVE, Streams } from './streams.js';
import type { AuthInfo, ClientCapabilities, Implementation, LoggingLevel } from './types.js';

/** Milliseconds without a request, a stream or a running call after which a session ends. */
export const DEFAULT_SESSION_IDLE_TIMEOUT = 30 * 60_000;
/** Sessions at a time. */
export const DEFAULT_MAX_SESSIONS = 10_000;
/** Milliseconds that a client waits before it comes back to a stream. */
const DEFAULT_RETRY_INTERVAL = 1_000;
/** The part of the idle timeout after which the door is told to ask about a session again. */
const DOZE = 1 / 8;

export interface Opening {
  /** Negotiated legacy revision. */
  readonly version: string;
  readonly clientInfo: Implementation | undefined;
  readonly capabilities: ClientCapabilities;
  /** Who did the handshake, when the listener has authorization. */
  readonly authInfo?: AuthInfo | undefined;
}

export class Session implements Opening {
  /** Empty for the unnamed session of a pipe. */
  readonly id: string;
  readonly version: string;
  readonly clientInfo: Implementation | undefined;
  readonly capabilities: ClientCapabilities;
  readonly authInfo: AuthInfo | undefined;
  /** Set by `logging/setLevel`; undefined until then. */
  logLevel: LoggingLevel | undefined = undefined;
  /** URIs of `resources/subscribe`. */
  readonly subscriptions = new Set<string>();
  readonly streams: SessionStreams;
  /** The client, to be asked. */
  readonly peer: PeerLink;
  /** Listeners whose doors know the session. */
  readonly listeners = new Set<Listener>();
  /** When it was last used, or found to be: {@link performance.now}. */
  usedAt = 0;

  constructor(id: string, opening: Opening, home: CallStreamHome | undefined) {
    this.id = id;
    this.version = opening.version;
    this.clientInfo = opening.clientInfo;
    this.capabilities = opening.capabilities;
    this.authInfo = opening.authInfo;
    this.streams = new SessionStreams(home, opening.version);
    this.peer = new PeerLink((text) => this.streams.send(text));
  }
}

export interface SessionsOptions {
  /** Most named sessions at a time; the one idle for longest makes room. Default 10,000. */
  readonly limit?: number;
  /** Milliseconds, 0: sessions never end by themselves. Default 30 minutes. */
  readonly idleTimeout?: number;
  /** Keeps the events of streams, so that they can be resumed. Default: none are kept. */
  readonly resumption?: Resumption | undefined;
  /** Milliseconds between two comments on a silent stream, 0: none. Default 15 seconds. */
  readonly keepAlive?: number;
}

export class Sessions {
  /** The SSE responses that sessions hold open; their number is bounded by that of the sessions. */
  readonly streams: Streams;
  readonly resumption: Resumption | undefined;
  readonly #limit: number;
  readonly #idleTimeout: number;
  readonly #live: LiveCalls;
  readonly #home: CallStreamHome | undefined;
  // Both in order of last use: a used session is taken out and put back at the end.
  readonly #awake = new Map<string, Session>();
  /**
   * Not used for a while as far as is known here. The doors, which answer many requests alone, were made to forget these:
   * the next request of each comes up, and wakes it.
   */
  readonly #dozing = new Map<string, Session>();
  readonly #pipes = new Map<Listener, Session>();
  #timer: NodeJS.Timeout | undefined;

  /** @throws RangeError when a limit is no whole number in its range */
  constructor(live: LiveCalls, options: SessionsOptions = {}) {
    this.#live = live;
    this.#limit = whole('maxSessions', options.limit ?? DEFAULT_MAX_SESSIONS, 1);
    this.#idleTimeout = whole('sessionIdleTimeout', options.idleTimeout ?? DEFAULT_SESSION_IDLE_TIMEOUT, 0);
    this.streams = new Streams(
      Number.POSITIVE_INFINITY,
      whole('keepAlive', options.keepAlive ?? DEFAULT_KEEP_ALIVE, 0),
    );
    this.resumption = options.resumption;
    if (options.resumption !== undefined) {
      this.#home = { live, streams: this.streams, resumption: options.resumption, detached: 0 };
    }
  }

  /** Named sessions. */
  get size(): number {
    return this.#awake.size + this.#dozing.size;
  }

  get hasPipes(): boolean {
    return this.#pipes.size > 0;
  }

  /** More than half full. Until then the order of use decides little, and finding out who calls can be saved. */
  get crowded(): boolean {
    return this.size * 2 > this.#limit;
  }

  /** Every session there is, those of pipes among them. */
  *all(): Iterable<Session> {
    yield* this.#pipes.values();
    yield* this.#dozing.values();
    yield* this.#awake.values();
  }

  /** Opens a session and makes it known to the listener's door. */
  open(listener: Listener, opening: Opening): Session {
    while (this.size >= this.#limit) {
      const [oldest] = this.#dozing.size > 0 ? this.#dozing.values() : this.#awake.values();
      this.close(oldest as Session, 'The session made room for a newer one');
    }
    const session = new Session(randomUUID(), opening, this.#home);
    this.#use(session);
    this.#show(session, listener);
    this.#schedule();
    return session;
  }

  /** The unnamed session of a byte-stream peer; a second handshake replaces it. */
  openPipe(listener: Listener, opening: Opening): Session {
    const before = this.#pipes.get(listener);
    if (before !== undefined) end(before, 'The client did a new handshake');
    const session = new Session('', opening, undefined);
    this.#pipes.set(listener, session);
    return session;
  }

  /** A live session, now the most recently used one. It is the server's: any of its listeners may be asked for it. */
  find(listener: Listener, id: string): Session | undefined {
    const session = this.#awake.get(id) ?? this.#dozing.get(id);
    if (session === undefined) return undefined;
    const dozed = this.#dozing.delete(id);
    this.#use(session);
    if (dozed) for (const other of session.listeners) other.openSession(id);
    this.#show(session, listener);
    if (dozed) this.#schedule();
    return session;
  }

  pipe(listener: Listener): Session | undefined {
    return this.#pipes.get(listener);
  }

  /**
   * The listener is about to close, and reads nothing more: neither streams that wait for news nor handlers that wait for
   * their client may hold its end.
   */
  closing(listener: Listener): void {
    const why = 'The server is closing';
    this.#pipes.get(listener)?.peer.close(why);
    for (const sessions of [this.#dozing, this.#awake]) {
      for (const session of sessions.values()) {
        if (!session.listeners.has(listener)) continue;
        // Where it is known elsewhere, its client comes back there.
        session.streams.standalone?.disconnect();
        if (session.listeners.size === 1) session.peer.close(why);
      }
    }
  }

  /** The listener is gone, and so are the sessions that have no other. */
  forget(listener: Listener): void {
    const pipe = this.#pipes.get(listener);
    this.#pipes.delete(listener);
    if (pipe !== undefined) end(pipe, 'The connection was closed');
    for (const sessions of [this.#dozing, this.#awake]) {
      for (const session of sessions.values()) {
        if (!session.listeners.delete(listener)) continue;
        listener.closeSession(session.id);
        if (session.listeners.size === 0) this.close(session);
      }
    }
  }

  close(session: Session, why = 'The session was closed'): void {
    if (!this.#awake.delete(session.id) && !this.#dozing.delete(session.id)) return;
    for (const listener of session.listeners) listener.closeSession(session.id);
    end(session, why);
    if (this.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #use(session: Session): void {
    session.usedAt = performance.now();
    this.#awake.delete(session.id);
    this.#awake.set(session.id, session);
  }

  #show(session: Session, listener: Listener): void {
    if (session.listeners.has(listener)) return;
    session.listeners.add(listener);
    listener.openSession(session.id);
  }

  /** One timer for all, at the time of the first session that may have to go. */
  #schedule(): void {
    if (this.#idleTimeout === 0 || this.#timer !== undefined || this.size === 0) return;
    const [awake] = this.#awake.values();
    const [dozing] = this.#dozing.values();
    const due = Math.min(
      awake === undefined ? Number.POSITIVE_INFINITY : awake.usedAt + this.#idleTimeout * DOZE,
      dozing === undefined ? Number.POSITIVE_INFINITY : dozing.usedAt + this.#idleTimeout,
    );
    // Not for each one alone: what becomes due a moment later goes with it.
    const wait = Math.max(due - performance.now(), this.#idleTimeout / 64, 1);
    this.#timer = setTimeout(() => this.#sweep(), Math.min(wait, 2 ** 31 - 1)).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    const calling = new Map<Listener, Set<string>>();
    for (const session of this.#dozing.values()) {
      if (now - session.usedAt < this.#idleTimeout) break;
      if (this.#busy(session, calling)) this.#doze(session, now);
      else this.close(session, 'The session was not used for too long');
    }
    for (const session of this.#awake.values()) {
      if (now - session.usedAt < this.#idleTimeout * DOZE) break;
      this.#doze(session, now);
    }
    this.#schedule();
  }

  /** Counted from now on: what its door answered until now was not seen here. */
  #doze(session: Session, now: number): void {
    this.#awake.delete(session.id);
    this.#dozing.delete(session.id);
    session.usedAt = now;
    this.#dozing.set(session.id, session);
    for (const listener of session.listeners) listener.closeSession(session.id);
  }

  #busy(session: Session, calling: Map<Listener, Set<string>>): boolean {
    if (session.streams.active) return true;
    for (const listener of session.listeners) {
      let ids = calling.get(listener);
      if (ids === undefined) {
        ids = this.#live.sessions(listener);
        calling.set(listener, ids);
      }
      if (ids.has(session.id)) return true;
    }
    return false;
  }
}

/** What a server's options say about its sessions. @throws RangeError when a limit is no whole number in its range */
export function sessionsOf(
  live: LiveCalls,
  options: {
    readonly maxSessions?: number;
    readonly sessionIdleTimeout?: number;
    readonly eventStore?: EventStore | undefined;
    readonly retryInterval?: number;
    readonly keepAlive?: number;
  },
): Sessions {
  const { maxSessions, sessionIdleTimeout, eventStore, keepAlive } = options;
  const retry = whole('retryInterval', options.retryInterval ?? DEFAULT_RETRY_INTERVAL, 0);
  return new Sessions(live, {
    ...(maxSessions === undefined ? undefined : { limit: maxSessions }),
    ...(sessionIdleTimeout === undefined ? undefined : { idleTimeout: sessionIdleTimeout }),
    ...(keepAlive === undefined ? undefined : { keepAlive }),
    resumption: eventStore === undefined ? undefined : { store: eventStore, retry },
  });
}

function end(session: Session, why: string): void {
  session.peer.close(why);
  session.streams.close();
}

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be at least ${least}, not ${value}`);
}
