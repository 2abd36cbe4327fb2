/**
 * Calls whose handler has not settled yet, by port and slot: how a client that left or cancelled finds its handler.
 *
 * Only asynchronous handlers get here; a synchronous one is over before anybody could cancel it.
 */
import type { RequestId } from './types.js';

/** A call in flight. */
export interface Cancellable {
  /** Legacy session that it belongs to; absent or undefined without one. */
  readonly sessionId?: string | undefined;
  /** The client left: abort without a reply. */
  abandon(): void;
  /** Cancels when this is the request of that id (and, over HTTP, of that session). True when it was. */
  cancelRequest(id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean;
  /** Looks whether it has had its time: whoever began before that tick has. */
  expired?(before: number): void;
  /** The listener is about to close: what only waits for news ends. Running calls have their time. */
  closing?(): void;
}

/** Ticks in the time that a handler has. */
const TICKS = 8;
/** Before the first port: never written to. */
const NO_CALLS = new Map<number, Cancellable>();

export class LiveCalls {
  /** A clock that costs nothing to read: it moves while there are calls, {@link TICKS} times in their time. */
  tick = 0;
  readonly #timeout: number;
  #watched: Set<Map<number, Cancellable>> | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  // One listener per server is the rule: the last table is remembered, and others wait in a WeakMap once there are any.
  #lastPort: object | undefined = undefined;
  #last: Map<number, Cancellable> = NO_CALLS;
  #ports: WeakMap<object, Map<number, Cancellable>> | undefined = undefined;

  /** @param timeout milliseconds that a handler has; 0: no end */
  constructor(timeout = 0) {
    this.#timeout = timeout;
  }

  add(port: object, slot: number, call: Cancellable): void {
    const table = this.#table(port);
    if (this.#timeout > 0 && table.size === 0) this.#watch(table);
    table.set(slot, call);
  }

  remove(port: object, slot: number): void {
    this.#table(port).delete(slot);
  }

  /** The client of a slot left. */
  abandon(port: object, slot: number): void {
    const table = this.#table(port);
    const call = table.get(slot);
    if (call === undefined) return;
    table.delete(slot);
    call.abandon();
  }

  /** `notifications/cancelled`: unknown ids are ignored, as the specification asks. */
  cancel(port: object, id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean {
    for (const call of this.#table(port).values()) {
      if (call.cancelRequest(id, sessionId, reason)) return true;
    }
    return false;
  }

  /** The listener is about to close. */
  closing(port: object): void {
    // Copied: who ends leaves the table at once.
    for (const call of [...this.#table(port).values()]) call.closing?.();
  }

  /** Sessions with calls in flight on a port. */
  sessions(port: object): Set<string> {
    const ids = new Set<string>();
    for (const call of this.#table(port).values()) {
      if (call.sessionId !== undefined) ids.add(call.sessionId);
    }
    return ids;
  }

  /** Calls in flight on a port. */
  size(port: object): number {
    return this.#table(port).size;
  }

  #watch(table: Map<number, Cancellable>): void {
    this.#watched ??= new Set();
    this.#watched.add(table);
    this.#timer ??= setInterval(() => this.#look(), Math.max(this.#timeout / TICKS, 1)).unref();
  }

  #look(): void {
    this.tick += 1;
    const watched = this.#watched ?? new Set();
    for (const table of watched) {
      for (const call of table.values()) call.expired?.(this.tick - TICKS);
      if (table.size === 0) watched.delete(table);
    }
    if (watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #table(port: object): Map<number, Cancellable> {
    if (port === this.#lastPort) return this.#last;
    if (this.#lastPort !== undefined) {
      this.#ports ??= new WeakMap();
      this.#ports.set(this.#lastPort, this.#last);
    }
    this.#lastPort = port;
    this.#last = this.#ports?.get(port) ?? new Map();
    return this.#last;
  }
}
