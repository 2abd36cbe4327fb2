/**
 * A call whose client may lose its connection and come back: between the call and the listener stands a stream that is
 * kept in the event store. Made only for sessions of a server that has a store.
 *
 * A call that answers at once goes out as plain JSON; one that takes time, or says something, gets its stream.
 */
import type { Listener } from '../../engine/engine.js';
import { CallFlag, Shape } from '../../engine/engine.js';
import type { Known } from '../context.js';
import type { Resumption } from '../events/store.js';
import { headerValue } from '../headers.js';
import type { Cancellable, LiveCalls } from '../live.js';
import type { Session } from '../sessions.js';
import type { Port, ServerState } from '../state.js';
import type { Streams } from '../streams.js';
import type { MetaObject, RequestId } from '../types.js';
import { SseOutlet } from './outlet.js';
import { EventStream } from './stream.js';

/** The revision since which clients understand an event without data. */
export const PRIMING_SINCE = '2025-11-25';

/** What a call's stream needs of its server. */
export interface CallStreamHome {
  readonly live: LiveCalls;
  readonly streams: Streams;
  readonly resumption: Resumption;
  /** Calls that go on without a connection now, waiting for their clients to come back. */
  detached: number;
}

/** A disconnect is no cancellation; but calls without clients must not pile up without end. */
const MAX_DETACHED = 1_000;

export class CallStream implements Port, Cancellable {
  readonly stream: EventStream;
  readonly #home: CallStreamHome;
  readonly #session: Session;
  readonly #listener: Listener;
  readonly #slot: number;
  // The engine forgets a request whose client left; the handler may ask for it later all the same.
  readonly #head: string;
  readonly #id: string;
  readonly #meta: string;
  readonly #opening: NodeJS.Immediate;
  #opened = false;
  #detached = false;
  #over = false;

  constructor(home: CallStreamHome, session: Session, listener: Listener, slot: number, streamId: string) {
    this.#home = home;
    this.#session = session;
    this.#listener = listener;
    this.#slot = slot;
    this.#head = listener.head(slot);
    this.#id = listener.id(slot);
    this.#meta = listener.meta(slot);
    this.stream = new EventStream(streamId, home.resumption);
    home.live.add(listener, slot, this);
    this.#opening = setImmediate(() => this.#open());
  }

  /** Goes on although nobody is connected. */
  get detached(): boolean {
    return this.#detached;
  }

  reply(_slot: number, status: number, shape: number, failed: 0 | 1, headers: string, text: string): void {
    if (!this.#finish()) return;
    if (!this.#opened) {
      this.#home.live.remove(this.#listener, this.#slot);
      this.#listener.reply(this.#slot, status, shape, failed, headers, text);
    } else if (shape === Shape.raw) {
      this.stream.finish('', failed);
    } else {
      const member = shape === Shape.result ? 'result' : 'error';
      this.stream.finish(`{"jsonrpc":"2.0","id":${this.#id || 'null'},"${member}":${text}}`, failed);
    }
  }

  event(_slot: number, _id: string, text: string): number {
    if (this.#over) return -1;
    this.#open();
    return this.stream.send(text);
  }

  meta(): string {
    return this.#meta;
  }

  id(): string {
    return this.#id;
  }

  head(): string {
    return this.#head;
  }

  /** Ends the connection and not the call: the client is to come back for the rest. */
  disconnect(): void {
    if (this.#over) return;
    this.#open();
    this.stream.disconnect();
    this.#detach();
  }

  /** The client came back, on another request. */
  resume(listener: Listener, slot: number, lastEventId: string): void {
    if (this.#over) return;
    this.#attached();
    this.stream.resume(this.#outlet(listener, slot), lastEventId);
  }

  /** The client left before it had a stream that it could come back to. */
  abandon(): void {
    this.cancel();
  }

  /** Ends the call as if its client had left for good. */
  cancel(): void {
    if (!this.#finish()) return;
    this.#home.live.abandon(this, this.#slot);
    if (this.#opened) this.stream.finish('', 0);
  }

  cancelRequest(id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean {
    return this.#home.live.cancel(this, id, sessionId, reason);
  }

  #open(): void {
    if (this.#opened || this.#over) return;
    this.#opened = true;
    clearImmediate(this.#opening);
    this.stream.attach(this.#outlet(this.#listener, this.#slot), this.#session.version >= PRIMING_SINCE);
  }

  #outlet(listener: Listener, slot: number): SseOutlet {
    const { live, streams } = this.#home;
    const outlet: SseOutlet = new SseOutlet(listener, slot, live, streams, () => {
      this.stream.detach(outlet);
      if (!this.stream.connected) this.#detach();
    });
    return outlet;
  }

  #detach(): void {
    if (this.#over || this.#detached) return;
    if (this.#home.detached >= MAX_DETACHED) {
      this.cancel();
      return;
    }
    this.#detached = true;
    this.#home.detached += 1;
  }

  #attached(): void {
    if (!this.#detached) return;
    this.#detached = false;
    this.#home.detached -= 1;
  }

  /** False when it was over already. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#attached();
    this.#over = true;
    this.#session.streams.calls.delete(this.stream.id);
    clearImmediate(this.#opening);
    return true;
  }
}

/**
 * What a proven call is answered through when its session can resume it: the port, and what its context must be told, as
 * the engine is not to be asked any more once the client has left. Undefined: the call stands and falls with its connection.
 */
export function keptCall(
  { sessions, guard }: Pick<ServerState, 'sessions' | 'guard'>,
  listener: Listener,
  slot: number,
  flags: number,
): ({ port: CallStream } & Known) | undefined {
  const wanted = CallFlag.legacy | CallFlag.stream;
  const id = (flags & wanted) === wanted ? headerValue(listener.head(slot), 'mcp-session-id') : undefined;
  const session = id === undefined ? undefined : sessions.find(listener, id);
  const port = session?.streams.call(session, listener, slot);
  if (session === undefined || port === undefined) return undefined;
  const meta = port.meta();
  return {
    port,
    session,
    meta: meta === '' ? undefined : (JSON.parse(meta) as MetaObject),
    auth: guard?.who(listener, listener.principal(slot)),
    body: '',
  };
}
