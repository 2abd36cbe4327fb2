/**
 * One connection on which messages go to a client without being asked for: an SSE response, or a pipe.
 */
import type { Listener } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import type { Cancellable, LiveCalls } from '../live.js';
import type { Streams } from '../streams.js';

export interface Outlet {
  /** @param id of the event, empty without one; @returns unsent bytes, or -1 when nobody is there any more */
  write(id: string, text: string): number;
  /** An event without a message: it only tells the client where it is, and when to come back. */
  prime(id: string, retry: number): void;
  /** Ends the connection from this side. @param failed 1 when it answered a tool call with an error (counted) */
  end(failed: 0 | 1): void;
}

const SSE_HEADERS =
  'content-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\n';

/** A response that is a stream of events. */
export class SseOutlet implements Outlet, Cancellable {
  readonly #listener: Listener;
  readonly #slot: number;
  readonly #live: LiveCalls;
  readonly #streams: Streams;
  readonly #left: () => void;
  readonly #closing: (() => void) | undefined;
  #over = false;

  /**
   * @param left called once when the client goes, or {@link leave} says that it is to go; not at another {@link end}
   * @param closing called when the listener is about to close
   */
  constructor(
    listener: Listener,
    slot: number,
    live: LiveCalls,
    streams: Streams,
    left: () => void,
    closing?: () => void,
  ) {
    this.#listener = listener;
    this.#slot = slot;
    this.#live = live;
    this.#streams = streams;
    this.#left = left;
    this.#closing = closing;
    listener.open(slot, 200, SSE_HEADERS);
    live.add(listener, slot, this);
    streams.add(listener, slot, false);
  }

  write(id: string, text: string): number {
    // JSON text has no line breaks: one line of data holds it.
    const name = id === '' ? '' : `id: ${id}\n`;
    return this.#listener.write(this.#slot, `${name}event: message\ndata: ${text}\n\n`);
  }

  /** An event of another kind than `message`. */
  event(kind: string, data: string): void {
    this.#listener.write(this.#slot, `event: ${kind}\ndata: ${data}\n\n`);
  }

  prime(id: string, retry: number): void {
    this.#listener.write(this.#slot, `id: ${id}\nretry: ${retry}\ndata: \n\n`);
  }

  end(failed: 0 | 1): void {
    if (this.#over) return;
    this.#over = true;
    this.#streams.remove(this.#listener, this.#slot);
    this.#live.remove(this.#listener, this.#slot);
    this.#listener.reply(this.#slot, 200, Shape.raw, failed, '', '');
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#streams.remove(this.#listener, this.#slot);
    this.#left();
  }

  /** Ends the connection as if its client had gone. */
  leave(): void {
    if (this.#over) return;
    this.end(0);
    this.#left();
  }

  closing(): void {
    this.#closing?.();
  }

  /** A stream is no request: what it carries is cancelled where it runs. */
  cancelRequest(): boolean {
    return false;
  }
}

/**
 * A byte stream: it is written to through the slot of a notification that is left unanswered, and `open` takes that slot
 * out of the calls in flight.
 */
export class PipeOutlet implements Outlet {
  readonly #listener: Listener;
  readonly #slot: number;

  constructor(listener: Listener, slot: number) {
    this.#listener = listener;
    this.#slot = slot;
    listener.open(slot, 200, '');
  }

  write(_id: string, text: string): number {
    return this.#listener.event(this.#slot, '', text);
  }

  /** A pipe cannot be resumed. */
  prime(): void {}

  end(): void {
    this.#listener.reply(this.#slot, 202, Shape.raw, 0, '', '');
  }
}
