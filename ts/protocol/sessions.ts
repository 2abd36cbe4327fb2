/**
 * Legacy sessions: what an `initialize` handshake established, kept until DELETE or until newer sessions need the place.
 *
 * A stdio peer is one unnamed session per listener. Requests without a session leave nothing here.
 */
import { randomUUID } from 'node:crypto';
import type { Listener } from '../engine/engine.js';
import type { ClientCapabilities, Implementation, LoggingLevel } from './types.js';

export interface Session {
  /** Empty for the unnamed session of a pipe. */
  readonly id: string;
  /** Negotiated legacy revision. */
  readonly version: string;
  readonly clientInfo: Implementation | undefined;
  readonly capabilities: ClientCapabilities;
  /** Set by `logging/setLevel`; undefined until then. */
  logLevel: LoggingLevel | undefined;
  readonly listener: Listener;
}

export type Opening = Pick<Session, 'version' | 'clientInfo' | 'capabilities'>;

export class Sessions {
  readonly #limit: number;
  // Insertion order is order of last use: a used session is taken out and put back at the end.
  readonly #named = new Map<string, Session>();
  readonly #pipes = new WeakMap<Listener, Session>();

  /** @param limit most named sessions at a time; the one idle for longest makes room */
  constructor(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`maxSessions must be at least 1, not ${limit}`);
    this.#limit = limit;
  }

  get size(): number {
    return this.#named.size;
  }

  /** More than half full. Until then the order of use decides nothing, and finding out who calls can be saved. */
  get crowded(): boolean {
    return this.#named.size * 2 > this.#limit;
  }

  /** Opens a session and makes it known to the listener's door. */
  open(listener: Listener, opening: Opening): Session {
    for (const oldest of this.#named.values()) {
      if (this.#named.size < this.#limit) break;
      this.close(oldest);
    }
    const session: Session = { ...opening, id: randomUUID(), logLevel: undefined, listener };
    this.#named.set(session.id, session);
    listener.openSession(session.id);
    return session;
  }

  /** The unnamed session of a byte-stream peer; a second handshake replaces it. */
  openPipe(listener: Listener, opening: Opening): Session {
    const session: Session = { ...opening, id: '', logLevel: undefined, listener };
    this.#pipes.set(listener, session);
    return session;
  }

  /** A live session of this listener, now the most recently used one. */
  find(listener: Listener, id: string): Session | undefined {
    const session = this.#named.get(id);
    if (session === undefined || session.listener !== listener) return undefined;
    this.#named.delete(id);
    this.#named.set(id, session);
    return session;
  }

  pipe(listener: Listener): Session | undefined {
    return this.#pipes.get(listener);
  }

  /** The listener is gone, and its sessions with it. */
  forget(listener: Listener): void {
    this.#pipes.delete(listener);
    for (const session of this.#named.values()) {
      if (session.listener === listener) this.close(session);
    }
  }

  close(session: Session): void {
    if (this.#named.delete(session.id)) session.listener.closeSession(session.id);
  }
}
