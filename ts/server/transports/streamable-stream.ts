/**
 * The streams of one Streamable HTTP transport: what is said on each, in order, to whoever reads it now, and kept for who
 * comes back. A stream outlives the connections of its client. Knows no sessions and reads no messages.
 */
import { type EventStore, isEventId, keepEvent, within } from '../../protocol/events/store.js';
import type { RequestId } from '../../protocol/types.js';
import type { EventWriter } from './streamable-exchange.js';

/** Unsent characters at which a client that does not read is given up; with an event store it can come back. */
const MAX_UNSENT = 16 * 1024 * 1024;

export class Stream {
  readonly id: string;
  /** Requests that are answered on it and are not yet. */
  readonly pending = new Set<RequestId>();
  #writer: EventWriter | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #store: EventStore | undefined;
  readonly #keepAlive: number;
  /** What is kept is said in the order of its ids: one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(id: string, store: EventStore | undefined, keepAlive: number) {
    this.id = id;
    this.#store = store;
    this.#keepAlive = keepAlive;
  }

  get connected(): boolean {
    return this.#writer !== undefined;
  }

  /** From now on it is read here. */
  connect(writer: EventWriter): void {
    this.disconnect();
    this.#writer = writer;
    if (this.#keepAlive === 0) return;
    this.#timer = setInterval(() => {
      // A client that has not taken what it was sent needs no more of it.
      if (writer.unsent === 0) this.#write(': keepalive\n\n');
    }, this.#keepAlive);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** The client left; only if it is still the one who reads. */
  left(writer: EventWriter | undefined): void {
    if (writer !== undefined && this.#writer === writer) this.#forget();
  }

  /** Ends the response; the client may come back. */
  disconnect(): void {
    const writer = this.#writer;
    this.#forget();
    writer?.end();
  }

  #forget(): void {
    this.#writer = undefined;
    clearInterval(this.#timer);
  }

  /** Does something when everything said before is said. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work, work);
    this.#tail = done.catch(() => {});
    return done;
  }

  /**
   * Says a message. Resolves when there is room for more.
   * @returns false when nobody reads and nothing keeps it
   */
  async say(text: string): Promise<boolean> {
    const store = this.#store;
    if (store === undefined) {
      if (this.#writer === undefined) return false;
      await this.#write(frame(text, ''));
      return true;
    }
    return this.inTurn(async () => {
      const id = await keepEvent(store, this.id, text);
      if (this.#writer === undefined) return id !== '';
      await this.#write(frame(text, id));
      return true;
    });
  }

  /** Tells the client where the stream begins, so that it can come back even when nothing was said yet. */
  async prime(retry: number | undefined): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    await this.inTurn(async () => {
      const id = await keepEvent(store, this.id, '{}');
      if (id === '') return;
      await this.#write(`id: ${id}\n${retry === undefined ? '' : `retry: ${retry}\n`}data: \n\n`);
    });
  }

  #write(text: string): Promise<void> | undefined {
    const writer = this.#writer;
    if (writer === undefined) return undefined;
    const room = writer.write(text);
    if (writer.unsent > MAX_UNSENT) this.disconnect();
    return room;
  }
}

/** Everything of a stream after an event. @throws Error when the store fails or takes too long */
export async function missed(store: EventStore, lastEventId: string): Promise<{ streamId: string; frames: string[] }> {
  const frames: string[] = [];
  const send = async (id: string, message: object) => {
    // A place that was only marked, see `prime`: nothing was said there.
    if (Object.keys(message).length > 0) frames.push(frame(JSON.stringify(message), isEventId(id) ? id : ''));
  };
  const streamId = await within(store.replayEventsAfter(lastEventId, { send }));
  return { streamId, frames };
}

function frame(text: string, id: string): string {
  return `event: message\n${id === '' ? '' : `id: ${id}\n`}data: ${text}\n\n`;
}

/**
 * A session's id as a part of stream ids: nobody takes up the stream of another session. Of letters, digits, `-` and `.`
 * alone, because stores put their own marks between a stream's id and a number.
 */
export function scopeOf(sessionId: string | undefined): string {
  if (sessionId === undefined) return '';
  const safe = sessionId.replace(/[^A-Za-z0-9-]/g, (c) => `.${c.charCodeAt(0).toString(16)}.`);
  return `${safe}.`;
}
