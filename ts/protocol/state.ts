/**
 * What one server's protocol code shares: types only. Nothing here belongs to a single request, see context.ts for that.
 */
import type { Listener } from '../engine/engine.js';
import type { Offer } from '../server/offer.js';
import type { RequestContext } from './context.js';
import type { LiveCalls } from './live.js';
import type { Sessions } from './sessions.js';

/** The part of a listener that one request needs; the members of a batch share a slot and bring their own port. */
export type Port = Pick<Listener, 'reply' | 'event' | 'meta' | 'id' | 'head'>;

export interface ServerState {
  readonly offer: Offer;
  readonly sessions: Sessions;
  readonly live: LiveCalls;
  /** Most messages in one legacy batch. */
  readonly maxBatch: number;
  /**
   * Runs a handler to its reply. Never throws, never returns a promise.
   * @param uri of a resource read, for its freshness; empty for anything else
   */
  execute(context: RequestContext, target: Runnable, args: unknown, uri: string): void;
}

/** What {@link ServerState.execute} runs: a registered handler, or a matched resource template. */
export interface Runnable {
  run(args: unknown, context: RequestContext): object | Promise<object>;
}
