/**
 * The streams of one session: the standalone one that the client asked for with GET (or that a pipe is by nature), and,
 * where the server has an event store, those of the calls in flight.
 */
import { randomUUID } from 'node:crypto';
import type { Listener } from '../../engine/engine.js';
import type { RequestId } from '../types.js';
import { CallStream, type CallStreamHome, PRIMING_SINCE } from './call-stream.js';
import type { Outlet } from './outlet.js';
import { EventStream } from './stream.js';

/** Most calls of one session that can be resumed at a time; those beyond it end with their connection. */
const MAX_CALLS = 100;

export class SessionStreams {
  /** Calls in flight whose streams are kept, by stream id. */
  readonly calls = new Map<string, CallStream>();
  readonly #home: CallStreamHome | undefined;
  readonly #version: string;
  #standalone: EventStream | undefined;
  // Nobody else can guess it, and it is not the session's id: what names a stream may be seen by a store's operators.
  #key: string | undefined;
  #next = 1;

  /** @param home undefined: the server has no event store */
  constructor(home: CallStreamHome | undefined, version: string) {
    this.#home = home;
    this.#version = version;
  }

  /** Whether the session is in use although nobody may have asked anything for long. */
  get active(): boolean {
    return this.calls.size > 0 || this.connected;
  }

  /** Whether the standalone stream has a client. */
  get connected(): boolean {
    return this.#standalone?.connected === true;
  }

  get standalone(): EventStream | undefined {
    return this.#standalone;
  }

  /** Makes a connection the session's standalone stream, in place of one before it. */
  open(outlet: Outlet): void {
    const primes = this.#home !== undefined && this.#version >= PRIMING_SINCE;
    this.#standalone ??= new EventStream(this.#id(0), this.#home?.resumption);
    this.#standalone.attach(outlet, primes);
  }

  /** The client of the standalone stream went. */
  left(outlet: Outlet): void {
    this.#standalone?.detach(outlet);
  }

  /** @returns false when nobody reads the standalone stream, now or later */
  send(text: string): boolean {
    return this.#standalone !== undefined && this.#standalone.send(text) !== -1;
  }

  /** Lets a call outlive its connection; undefined when it cannot. */
  call(session: ConstructorParameters<typeof CallStream>[1], listener: Listener, slot: number): CallStream | undefined {
    if (this.#home === undefined || this.calls.size >= MAX_CALLS) return undefined;
    const call = new CallStream(this.#home, session, listener, slot, this.#id(this.#next));
    this.#next += 1;
    this.calls.set(call.stream.id, call);
    return call;
  }

  /** The stream of that id while it lives; undefined when it is over (or another session's, see {@link owns}). */
  find(streamId: string): EventStream | undefined {
    return this.#standalone?.id === streamId ? this.#standalone : this.calls.get(streamId)?.stream;
  }

  owns(streamId: string): boolean {
    return this.#key !== undefined && streamId.startsWith(`${this.#key}:`);
  }

  /** `notifications/cancelled` for a call that may go on without its connection. */
  cancel(id: RequestId, sessionId: string, reason: string | undefined): boolean {
    for (const call of this.calls.values()) {
      if (call.cancelRequest(id, sessionId, reason)) return true;
    }
    return false;
  }

  /** The session is over. Calls that still have their connection end there; the others have nobody left. */
  close(): void {
    this.#standalone?.finish('', 0);
    for (const call of [...this.calls.values()]) {
      if (call.detached) call.cancel();
    }
  }

  #id(number: number): string {
    this.#key ??= randomUUID();
    return `${this.#key}:${number}`;
  }
}
