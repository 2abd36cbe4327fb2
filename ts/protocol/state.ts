/**
 * What one server's protocol code shares: types only. Nothing here belongs to a single request, see context.ts for that.
 */
import type { Listener } from '../engine/engine.js';
import type { ListKind, Offer } from '../server/offer.js';
import type { RequestContext } from './context.js';
import type { LiveCalls } from './live.js';
import type { Sessions } from './sessions.js';

/** The part of a listener that one request needs; the members of a batch share a slot and bring their own port. */
export type Port = Pick<Listener, 'reply' | 'event' | 'meta' | 'id' | 'head'>;

/** Lists that depend on who asks (resources that templates enumerate). An offer without them has ready lists only. */
export interface DynamicLists {
  /** Whether this list is one of them now. */
  dynamic(kind: ListKind): boolean;
  /** Serialised items that come after those of `list`, for this request. */
  dynamicItems(kind: ListKind, context: RequestContext): Promise<readonly string[]>;
}

export type FullOffer = Offer & Partial<DynamicLists>;

export interface ServerState {
  readonly offer: FullOffer;
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
