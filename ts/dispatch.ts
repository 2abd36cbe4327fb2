/**
 * One call -> handler -> reply: what the engine hands up and how it comes down again. The only asynchronous hot loop.
 *
 * `call` is the way of nearly all traffic and does nothing but decode, run, encode. Everything the engine did not prove
 * regular goes to `protocol/message.ts` and comes back here through `execute`, so that both ways give the same bytes.
 */

import type { Listener, Receiver } from './engine/engine.js';
import { CallFlag, Shape } from './engine/engine.js';
import { RequestContext } from './protocol/context.js';
import { answerStatus, errorText, ProtocolError, ProtocolErrorCode, wireCode } from './protocol/errors.js';
import { decodeMirrored, headerValue } from './protocol/headers.js';
import { LiveCalls } from './protocol/live.js';
import { receiveMessage } from './protocol/message.js';
import { unknownName } from './protocol/requests.js';
import { ResultEncoder } from './protocol/results.js';
import { Sessions } from './protocol/sessions.js';
import type { Runnable, ServerState } from './protocol/state.js';
import type { Offer } from './server/offer.js';

export interface DispatchOptions {
  /** Most legacy sessions at a time (default 10,000); the one idle for longest makes room for a new one. */
  readonly maxSessions?: number;
  /** Most messages in one legacy batch (default 100). */
  readonly maxBatch?: number;
}

/** The receiver of one server: serves any number of listeners of either engine. */
export interface Dispatch extends Receiver {
  /** Live legacy sessions that have an id. */
  readonly sessionCount: number;
  /** Drops the sessions of a listener that was closed. */
  forget(listener: Listener): void;
  /** Calls of a listener whose handlers have not settled. */
  pending(listener: Listener): number;
}

/** @throws RangeError when a limit is no positive integer */
export function createDispatch(offer: Offer, options: DispatchOptions = {}): Dispatch {
  return new Dispatcher(offer, options);
}

class Dispatcher implements Dispatch, ServerState {
  readonly offer: Offer;
  readonly sessions: Sessions;
  readonly live = new LiveCalls();
  readonly maxBatch: number;
  readonly #encoder: ResultEncoder;

  constructor(offer: Offer, options: DispatchOptions) {
    this.offer = offer;
    this.sessions = new Sessions(options.maxSessions ?? 10_000);
    this.maxBatch = options.maxBatch ?? 100;
    if (!Number.isSafeInteger(this.maxBatch) || this.maxBatch < 1) {
      throw new RangeError(`maxBatch must be at least 1, not ${this.maxBatch}`);
    }
    this.#encoder = new ResultEncoder(offer.info);
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  pending(listener: Listener): number {
    return this.live.size(listener);
  }

  forget(listener: Listener): void {
    this.sessions.forget(listener);
  }

  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void {
    const target = this.offer.handlers[handler];
    if (target === undefined) {
      this.#removed(listener, slot, flags);
      return;
    }
    const method = target.method;
    const context = new RequestContext(this, listener, slot, flags, method, undefined);
    // Calls come here without the protocol seeing their session: before one is dropped as idle, look who really is.
    if ((flags & CallFlag.legacy) !== 0 && this.sessions.crowded) context.touchSession();
    let value: unknown;
    try {
      value = args === '' ? undefined : JSON.parse(args);
    } catch (error) {
      // Only an engine that did not prove its input gets here.
      this.#fail(context, error);
      return;
    }
    this.execute(context, target, value, method === 'resources/read' ? target.name : '');
  }

  message(listener: Listener, slot: number, method: string, body: string): void {
    receiveMessage(this, listener, slot, method, body);
  }

  abort(listener: Listener, slot: number): void {
    this.live.abandon(listener, slot);
  }

  execute(context: RequestContext, target: Runnable, args: unknown, uri: string): void {
    try {
      const result = target.run(args, context);
      if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
        this.#wait(context, result as Promise<object>, uri);
      } else {
        this.#succeed(context, result, uri);
      }
    } catch (error) {
      this.#fail(context, error);
    }
  }

  #wait(context: RequestContext, result: Promise<object>, uri: string): void {
    context.wait();
    // A foreign thenable may call back synchronously, twice or never properly: only a real promise is trusted.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(
      (value) => {
        context.settle();
        this.#succeed(context, value, uri);
      },
      (error: unknown) => {
        context.settle();
        this.#fail(context, error);
      },
    );
  }

  #succeed(context: RequestContext, result: unknown, uri: string): void {
    try {
      const legacy = context.era === 'legacy';
      const hint = uri === '' || legacy ? undefined : this.offer.cacheHint('resources', uri);
      const text = this.#encoder.encode(result, legacy, hint);
      context.finish(200, Shape.result, (result as { isError?: unknown }).isError === true ? 1 : 0, text);
    } catch (error) {
      this.#fail(context, error);
    }
  }

  /** A protocol error keeps its code; of anything else nothing is told: it may hold paths, queries, secrets. */
  #fail(context: RequestContext, error: unknown): void {
    if (error instanceof ProtocolError) {
      const code = wireCode(error, context.era);
      const text = errorText(code, error.message, error.data);
      context.finish(answerStatus(code, context.era), Shape.error, 0, text);
    } else {
      context.finish(200, Shape.error, 0, errorText(ProtocolErrorCode.InternalError, 'Internal error'));
    }
  }

  /** The handler went between routing and call: an unknown name, if the headers still tell it. */
  #removed(listener: Listener, slot: number, flags: number): void {
    const era = (flags & CallFlag.legacy) === 0 ? 'modern' : 'legacy';
    const head = listener.head(slot);
    const name = decodeMirrored(headerValue(head, 'mcp-name') ?? '');
    const error = unknownName(headerValue(head, 'mcp-method') ?? 'tools/call', name ?? '');
    const code = wireCode(error, era);
    listener.reply(slot, answerStatus(code, era), Shape.error, 0, '', errorText(code, error.message, error.data));
  }
}
