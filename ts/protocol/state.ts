/**
 * What one server's protocol code shares: types only. Nothing here belongs to a single request, see context.ts for that.
 */
import type { Listener } from '../engine/engine.js';
import type { Offer } from '../server/offer.js';
import type { RequestContext } from './context.js';
import type { Exchange } from './exchange.js';
import type { Guard } from './guard.js';
import type { LiveCalls } from './live.js';
import type { InputRequiredSignal } from './modern/rounds.js';
import type { Subscriptions } from './modern/subscriptions.js';
import type { Sessions } from './sessions.js';
import type { Streams } from './streams.js';

/** The part of a listener that one request needs; the members of a batch share a slot and bring their own port. */
export type Port = Pick<Listener, 'reply' | 'event' | 'meta' | 'id' | 'head'>;

/** Answers requests to a path besides the endpoint. */
export type PathHandler = (exchange: Exchange, httpMethod: string, body: string) => void;

export interface ServerState {
  readonly offer: Offer;
  readonly sessions: Sessions;
  /** Whether `initialize` over HTTP opens a session; false: every legacy request stands alone. */
  readonly opensSessions: boolean;
  readonly live: LiveCalls;
  /** Bodies that stay open: their number, their keep-alive, their writers that wait. */
  readonly streams: Streams;
  /** `subscriptions/listen` of the modern era. */
  readonly subscriptions: Subscriptions;
  /** Most messages in one legacy batch. */
  readonly maxBatch: number;
  readonly guard: Guard | undefined;
  /** What answers at the other paths of a listener, by path. */
  readonly paths: ReadonlyMap<string, PathHandler>;
  /** Whether a listener is about to close: what would stay open until its client leaves is not begun any more. */
  isClosing(listener: Listener): boolean;
  /**
   * Runs a handler to its reply. Never throws, never returns a promise.
   * @param uri of a resource read, for its freshness; empty for anything else
   */
  execute(context: RequestContext, target: Runnable, args: unknown, uri: string): void;
  /** Ends a request whose handler has not settled with another result, or error, than the handler's. Never throws. */
  conclude(context: RequestContext, result: object | Promise<never>, reason: InputRequiredSignal): void;
  /** Ends a request whose handler took too long. */
  expire(context: RequestContext): void;
}

/** What {@link ServerState.execute} runs: a registered handler, or a matched resource template. */
export interface Runnable {
  run(args: unknown, context: RequestContext): object | Promise<object>;
}
