/**
 * One stream of messages to a legacy client: a session's standalone one, or that of a call. A stream is not a connection:
 * with an event store it outlives the connection, keeps what is said meanwhile, and goes on when the client comes back.
 */
import { isEventId, keepEvent, type Resumption, within } from '../events/store.js';
import type { JSONRPCMessage } from '../types.js';
import type { Outlet } from './outlet.js';

/** Most characters that wait for the store; what comes on top of that is not taken. */
const MAX_HELD = 4 * 1024 * 1024;

export class EventStream {
  readonly id: string;
  readonly #resumption: Resumption | undefined;
  #outlet: Outlet | undefined;
  /** The connection that is still being told what it missed. */
  #coming: Outlet | undefined;
  #finished = false;
  /** With a store everything happens one after the other: kept, then written. */
  #tail: Promise<void> = Promise.resolve();
  #held = 0;

  /** @param resumption undefined: nothing is kept, and what is said without a connection is lost */
  constructor(id: string, resumption: Resumption | undefined) {
    this.id = id;
    this.#resumption = resumption;
  }

  /** Whether a client is connected. */
  get connected(): boolean {
    return this.#outlet !== undefined || this.#coming !== undefined;
  }

  /** @param primes whether the client understands an event without data (2025-11-25 and later) */
  attach(outlet: Outlet, primes: boolean): void {
    this.#end(0);
    this.#outlet = outlet;
    const resumption = this.#resumption;
    if (resumption === undefined || !primes) return;
    this.#after(async () => {
      const id = await keepEvent(resumption.store, this.id, '{}');
      if (id !== '') outlet.prime(id, resumption.retry);
    });
  }

  /** The client went; another outlet may have taken its place already. */
  detach(outlet: Outlet): void {
    if (this.#outlet === outlet) this.#outlet = undefined;
    if (this.#coming === outlet) this.#coming = undefined;
  }

  /** @returns bytes that are not with the client yet, as far as they are known; -1: not sent and not kept */
  send(text: string): number {
    const resumption = this.#resumption;
    if (resumption === undefined) return this.#outlet?.write('', text) ?? -1;
    if (this.#held > MAX_HELD) return -1;
    this.#keep(resumption, text);
    return this.#held;
  }

  /** The last message of the stream, and its end. Empty text: nothing more is said. */
  finish(text: string, failed: 0 | 1): void {
    const resumption = this.#resumption;
    if (resumption === undefined) {
      if (text !== '') this.#outlet?.write('', text);
      this.#end(failed);
      return;
    }
    if (text !== '') this.#keep(resumption, text);
    this.#after(async () => {
      this.#finished = true;
      this.#end(failed);
    });
  }

  /** Ends the connection and keeps the stream: the client comes back for the rest. */
  disconnect(): void {
    if (this.#resumption === undefined) this.#end(0);
    else this.#after(async () => this.#end(0));
  }

  /** Resolves when all that was said before is kept. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /**
   * Gives a client that came back what it missed, then goes on with it. An older connection of the stream is ended: its
   * client says itself that it lost it.
   */
  resume(outlet: Outlet, lastEventId: string): void {
    const resumption = this.#resumption;
    if (resumption === undefined) return;
    this.#coming = outlet;
    this.#after(async () => {
      this.#end(0);
      try {
        await replay(resumption, this.id, lastEventId, outlet);
      } finally {
        // It may have left in the middle of it, or been overtaken by the next one.
        const here = this.#coming === outlet;
        if (here) this.#coming = undefined;
        if (here && !this.#finished) this.#outlet = outlet;
        else if (here) outlet.end(0);
      }
    });
  }

  #keep(resumption: Resumption, text: string): void {
    this.#held += text.length;
    this.#after(async () => {
      const id = await keepEvent(resumption.store, this.id, text);
      this.#held -= text.length;
      this.#outlet?.write(id, text);
    });
  }

  #end(failed: 0 | 1): void {
    const outlet = this.#outlet;
    this.#outlet = undefined;
    outlet?.end(failed);
  }

  #after(task: () => Promise<void>): void {
    // A task that fails (a store that breaks in the middle of a replay) must not stop those behind it.
    this.#tail = this.#tail.then(task).catch(() => {});
  }
}

/** Writes what the store has after an event; false when the event is not one of that stream, or no longer known. */
export async function replay(
  resumption: Resumption,
  streamId: string,
  lastEventId: string,
  outlet: Outlet,
): Promise<boolean> {
  const found = await within(
    resumption.store.replayEventsAfter(lastEventId, {
      send: async (id: string, message: JSONRPCMessage) => {
        if (!isEventId(id)) return;
        if ((message as Partial<JSONRPCMessage> | undefined)?.jsonrpc === '2.0')
          outlet.write(id, JSON.stringify(message));
        // What is no message only marked a place in the stream.
        else outlet.prime(id, resumption.retry);
      },
    }),
  );
  return found === streamId;
}
