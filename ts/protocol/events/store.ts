/**
 * What keeps the events of streams, so that a client that lost its connection gets what it missed. Types only; the shape
 * is the official SDK's, so that a store written for it serves here as it is.
 */

import type { JSONRPCMessage } from '../types.js';

export type StreamId = string;
export type EventId = string;

export interface EventStore {
  /**
   * Keeps one message of a stream. An empty object marks a place in it at which nothing was said.
   * @returns its id: visible ASCII, unique over all streams, later ids of a stream after earlier ones
   */
  storeEvent(streamId: StreamId, message: JSONRPCMessage): Promise<EventId>;
  /** The stream of an event; undefined when the id is unknown. Asked first where it exists, and saves a replay. */
  getStreamIdForEventId?(eventId: EventId): Promise<StreamId | undefined>;
  /**
   * Gives, in order, every message of the event's stream that came after it.
   * @returns the id of that stream, or an empty string when the event is unknown (or no longer kept)
   */
  replayEventsAfter(
    lastEventId: EventId,
    to: { send: (eventId: EventId, message: JSONRPCMessage) => Promise<void> },
  ): Promise<StreamId>;
}

/** How streams of one server are kept. */
export interface Resumption {
  readonly store: EventStore;
  /** Milliseconds that clients are told to wait before they come back. */
  readonly retry: number;
}

/** Milliseconds after which a store that says nothing is treated as one that failed. */
const STORE_TIMEOUT = 5_000;

/** Stores a message; an empty id when that failed: the message is then delivered, and cannot be asked for again. */
export async function keepEvent(store: EventStore, streamId: string, text: string): Promise<string> {
  try {
    const id = await within(store.storeEvent(streamId, JSON.parse(text)));
    return isEventId(id) ? id : '';
  } catch {
    return '';
  }
}

/** Ids go into a line of their own and come back in a header. */
export function isEventId(id: unknown): id is string {
  return typeof id === 'string' && id.length <= 256 && /^[\x21-\x7e]+$/.test(id);
}

/** @throws Error when the store takes too long */
export function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The event store does not answer')), STORE_TIMEOUT).unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
