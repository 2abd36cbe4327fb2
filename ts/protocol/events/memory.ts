/**
 * The event store of a single process: bounded by count and by bytes over all streams, the oldest events go first.
 */
import type { JSONRPCMessage } from '../types.js';
import type { EventStore } from './store.js';

export interface MemoryEventStoreOptions {
  /** Most events kept. Default 10,000. */
  maxEvents?: number;
  /** Most bytes kept, counted as two for each character of a message's JSON. Default 16 MiB. */
  maxBytes?: number;
}

interface Kept {
  readonly streamId: string;
  readonly text: string;
  readonly bytes: number;
}

/** Bookkeeping of one event, roughly. */
const OVERHEAD = 128;

/** @throws RangeError when a limit is no positive integer */
export class MemoryEventStore implements EventStore {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  // Numbers are given out in order, so that insertion order is the order of every stream.
  readonly #events = new Map<number, Kept>();
  #bytes = 0;
  #next = 1;

  constructor(options: MemoryEventStoreOptions = {}) {
    this.#maxEvents = atLeastOne('maxEvents', options.maxEvents ?? 10_000);
    this.#maxBytes = atLeastOne('maxBytes', options.maxBytes ?? 16 * 1024 * 1024);
  }

  /** Events kept now. */
  get size(): number {
    return this.#events.size;
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const text = JSON.stringify(message);
    const bytes = 2 * (text.length + streamId.length) + OVERHEAD;
    const number = this.#next;
    this.#next += 1;
    this.#events.set(number, { streamId, text, bytes });
    this.#bytes += bytes;
    for (const [oldest, kept] of this.#events) {
      if (this.#events.size <= this.#maxEvents && this.#bytes <= this.#maxBytes) break;
      this.#events.delete(oldest);
      this.#bytes -= kept.bytes;
    }
    return `${number}.${streamId}`;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events.get(numberOf(eventId))?.streamId === streamOf(eventId) ? streamOf(eventId) : undefined;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const streamId = streamOf(lastEventId);
    const last = numberOf(lastEventId);
    // Without the event itself nobody can tell what else of its stream is gone.
    if (this.#events.get(last)?.streamId !== streamId) return '';
    for (const [number, kept] of this.#events) {
      if (number > last && kept.streamId === streamId) await send(`${number}.${streamId}`, JSON.parse(kept.text));
    }
    return streamId;
  }
}

function numberOf(eventId: string): number {
  const digits = /^([1-9]\d{0,15})\./.exec(eventId)?.[1];
  return digits === undefined ? 0 : Number(digits);
}

function streamOf(eventId: string): string {
  return eventId.slice(eventId.indexOf('.') + 1);
}

function atLeastOne(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Option ${name} must be a whole number of at least 1, not ${value}`);
  }
  return value;
}
