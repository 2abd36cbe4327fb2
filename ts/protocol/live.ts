/**
 * Calls whose handler has not settled yet, by port and slot: how a client that left or cancelled finds its handler.
 *
 * Only asynchronous handlers get here; a synchronous one is over before anybody could cancel it.
 */
import type { RequestId } from './types.js';

/** A call in flight. */
export interface Cancellable {
  /** The client left: abort without a reply. */
  abandon(): void;
  /** Cancels when this is the request of that id (and, over HTTP, of that session). True when it was. */
  cancelRequest(id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean;
}

export class LiveCalls {
  #ports = new WeakMap<object, Map<number, Cancellable>>();
  // One listener per server is the rule: the last table is remembered, so that a call costs no WeakMap look-up.
  #lastPort: object | undefined;
  #last = new Map<number, Cancellable>();

  add(port: object, slot: number, call: Cancellable): void {
    this.#table(port).set(slot, call);
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

  /** Calls in flight on a port. */
  size(port: object): number {
    return this.#table(port).size;
  }

  #table(port: object): Map<number, Cancellable> {
    if (port === this.#lastPort) return this.#last;
    let table = this.#ports.get(port);
    if (table === undefined) {
      table = new Map();
      this.#ports.set(port, table);
    }
    this.#lastPort = port;
    this.#last = table;
    return table;
  }
}
