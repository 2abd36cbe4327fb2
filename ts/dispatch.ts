/**
 * One call -> handler -> reply: what the engine hands up and how it comes down again. The only asynchronous hot loop.
 *
 * `call` is the way of nearly all traffic and does nothing but decode, run, encode. Everything the engine did not prove
 * regular goes to `protocol/message.ts` and comes back here through `execute`, so that both ways give the same bytes.
 */

import type { Listener, Receiver } from './engine/engine.js';
import { CallFlag, Shape } from './engine/engine.js';
import { inForeignSession, whenAllowed } from './protocol/allowed.js';
import type { ChangeBus } from './protocol/changes.js';
import { RequestContext } from './protocol/context.js';
import {
  answerStatus,
  errorText,
  ProtocolError,
  ProtocolErrorCode,
  refusalStatus,
  unserved,
  wireCode,
} from './protocol/errors.js';
import type { EventStore } from './protocol/events/store.js';
import { fulfil, roundResult } from './protocol/fulfil.js';
import type { Guard } from './protocol/guard.js';
import { decodeMirrored, headerValue } from './protocol/headers.js';
import { keptCall } from './protocol/legacy/call-stream.js';
import { tellChanges } from './protocol/legacy/changes.js';
import { LiveCalls } from './protocol/live.js';
import { receiveMessage } from './protocol/message.js';
import { around } from './protocol/middleware.js';
import type { InputRequiredSignal } from './protocol/modern/rounds.js';
import { Subscriptions } from './protocol/modern/subscriptions.js';
import { unknownName } from './protocol/requests.js';
import { ResultEncoder } from './protocol/results.js';
import { legacyOf, MODERN_VERSIONS, modernOf } from './protocol/revisions.js';
import { type Sessions, sessionsOf } from './protocol/sessions.js';
import type { PathHandler, Runnable, ServerState } from './protocol/state.js';
import { Body, collected, partsOf, tooLarge } from './protocol/streamed.js';
import { DEFAULT_KEEP_ALIVE, DEFAULT_MAX_STREAMS, Streams } from './protocol/streams.js';
import type { CacheHint } from './protocol/types.js';
import type { Handler, Offer } from './server/offer.js';

export interface DispatchOptions {
  /** Milliseconds after which a legacy session that nobody uses ends; 0: never. Default 30 minutes. */
  readonly sessionIdleTimeout?: number;
  /** Whether a legacy handshake over HTTP opens a session (default true); without, every request stands alone. */
  readonly sessions?: boolean;
  /** Keeps the events of legacy streams, so that clients that lost their connection can resume them. Default: none. */
  readonly eventStore?: EventStore | undefined;
  /** Milliseconds after which such clients are told to come back. Default 1000. */
  readonly retryInterval?: number;
  /** Most legacy sessions at a time (default 10,000); the one idle for longest makes room for a new one. */
  readonly maxSessions?: number;
  /** Most messages in one legacy batch (default 100). */
  readonly maxBatch?: number;
  /**
   * Milliseconds that a handler has until it answers, reports progress or asks its client; 0: as long as it takes (default).
   * Then a tool's call ends with `isError`, anything else with -32603, and the handler's signal is aborted.
   */
  readonly toolTimeout?: number;
  /** Most bytes of one result (default 64 MiB), which becomes an error beyond it. Results in pieces are not counted. */
  readonly maxResultBytes?: number;
  /** Most open `subscriptions/listen` (default 1024); further ones are refused. */
  readonly maxStreams?: number;
  /** Milliseconds between two comments on a silent stream, 0: none. Default 15 seconds. */
  readonly keepAlive?: number;
  /** Default: everybody may do everything. */
  readonly guard?: Guard | undefined;
  /** What answers at the other paths of the listeners. Default: nothing does. */
  readonly paths?: ReadonlyMap<string, PathHandler>;
  /** Where changes come from in place of the offer's own bus. */
  readonly changes?: ChangeBus | undefined;
}

/** The receiver of one server: serves any number of listeners of either engine. */
export interface Dispatch extends Receiver {
  /** Legacy sessions, those of pipes among them. */
  readonly sessions: Sessions;
  /** Live legacy sessions that have an id. */
  readonly sessionCount: number;
  /** Ends what would hold a listener that is about to close: subscriptions, with the result that says so, and streams. */
  closing(listener: Listener): void;
  /** Drops the sessions of a listener that was closed. */
  forget(listener: Listener): void;
  /** Calls of a listener whose handlers have not settled. */
  pending(listener: Listener): number;
  /** Its listeners are gone: it hears of no changes any more, on a bus that stays. */
  retire(): void;
}

/** @throws RangeError when a limit is no positive integer */
export function createDispatch(offer: Offer, options: DispatchOptions = {}): Dispatch {
  return new Dispatcher(offer, options);
}

class Dispatcher implements Dispatch, ServerState {
  readonly offer: Offer;
  readonly opensSessions: boolean;
  readonly maxBatch: number;
  readonly guard: Guard | undefined;
  readonly paths: ReadonlyMap<string, PathHandler>;
  /** It was said which revisions are served. */
  readonly #restricted: boolean;
  readonly #encoder: ResultEncoder;
  readonly #toolTimeout: number;
  readonly #maxResultBytes: number;
  /** Characters of a text that cannot have more bytes than are allowed. */
  readonly #surelySmall: number;
  readonly #options: DispatchOptions;
  // Made when they are first needed: a dispatcher may be made for one request, which needs few of them.
  #sessions: Sessions | undefined = undefined;
  #live: LiveCalls | undefined = undefined;
  #streams: Streams | undefined = undefined;
  #subscriptions: Subscriptions | undefined = undefined;
  #closing: WeakSet<Listener> | undefined = undefined;
  #deaf: (() => void) | undefined = undefined;

  constructor(offer: Offer, options: DispatchOptions) {
    this.offer = offer;
    this.#options = options;
    this.#restricted = offer.versions !== undefined;
    this.#toolTimeout = whole('toolTimeout', options.toolTimeout ?? 0, 0);
    this.#maxResultBytes = whole('maxResultBytes', options.maxResultBytes ?? 64 * 1024 * 1024, 1);
    this.#surelySmall = Math.floor(this.#maxResultBytes / 3);
    this.maxBatch = whole('maxBatch', options.maxBatch ?? 100, 1);
    whole('maxStreams', options.maxStreams ?? DEFAULT_MAX_STREAMS, 0);
    whole('keepAlive', options.keepAlive ?? DEFAULT_KEEP_ALIVE, 0);
    this.guard = options.guard;
    this.paths = options.paths ?? NO_PATHS;
    this.opensSessions = options.sessions ?? true;
    // A dispatcher of one request alone must not stay behind on a bus that outlives it.
    if (this.opensSessions || options.changes === undefined) {
      this.#deaf = tellChanges(offer, this.#changes, this.sessions);
    }
    this.#encoder = new ResultEncoder(offer.info);
  }

  get #changes(): ChangeBus {
    return this.#options.changes ?? this.offer.changes;
  }

  get sessions(): Sessions {
    this.#sessions ??= sessionsOf(this.live, this.#options);
    return this.#sessions;
  }
  get live(): LiveCalls {
    this.#live ??= new LiveCalls(this.#toolTimeout);
    return this.#live;
  }
  get streams(): Streams {
    const { maxStreams = DEFAULT_MAX_STREAMS, keepAlive = DEFAULT_KEEP_ALIVE } = this.#options;
    this.#streams ??= new Streams(maxStreams, keepAlive);
    return this.#streams;
  }
  get subscriptions(): Subscriptions {
    this.#subscriptions ??= new Subscriptions(this.#changes);
    return this.#subscriptions;
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  pending(listener: Listener): number {
    return this.live.size(listener);
  }

  closing(listener: Listener): void {
    this.#closing ??= new WeakSet();
    this.#closing.add(listener);
    this.#subscriptions?.close(listener);
    this.#sessions?.closing(listener);
    this.#live?.closing(listener);
  }

  retire(): void {
    this.#deaf?.();
    this.#deaf = undefined;
  }

  isClosing(listener: Listener): boolean {
    return this.#closing?.has(listener) === true;
  }

  forget(listener: Listener): void {
    this.#subscriptions?.close(listener);
    this.#sessions?.forget(listener);
  }

  call(listener: Listener, slot: number, handler: number, flags: number, args: string): void {
    const target = this.offer.handlers[handler];
    if (target === undefined) {
      this.#removed(listener, slot, flags);
      return;
    }
    if (this.#restricted && this.#refusesEra(listener, slot, flags)) return;
    // A call whose stream is kept, so that its client can come back, is answered through that stream.
    const kept = this.#sessions?.resumption === undefined ? undefined : keptCall(this, listener, slot, flags);
    const context = new RequestContext(
      this,
      kept?.port ?? listener,
      slot,
      flags,
      target.method,
      target.key,
      kept,
      args,
    );
    // Calls come here without the protocol seeing their session: before one is dropped as idle, look who really is.
    if ((flags & CallFlag.legacy) !== 0 && this.#sessions?.crowded) context.session();
    if (this.guard === undefined) this.#run(context, target, args);
    else if (!inForeignSession(context)) whenAllowed(this.guard, context, () => this.#run(context, target, args));
  }

  #run(context: RequestContext, target: Handler, args: string): void {
    let value: unknown;
    try {
      value = args === '' ? undefined : JSON.parse(args);
    } catch (error) {
      // Only an engine that did not prove its input gets here.
      this.#fail(context, error);
      return;
    }
    this.execute(context, target, value, target.method === 'resources/read' ? target.key : '');
  }

  message(listener: Listener, slot: number, method: string, body: string): void {
    receiveMessage(this, listener, slot, method, body);
  }

  abort(listener: Listener, slot: number): void {
    this.#streams?.abandon(listener, slot);
    this.#live?.abandon(listener, slot);
  }

  drain(listener: Listener, slot: number): void {
    this.#streams?.drain(listener, slot);
  }

  execute(context: RequestContext, handler: Runnable, args: unknown, uri: string): void {
    const { middleware } = this.offer;
    const target = middleware.length === 0 ? handler : around(middleware, context, handler);
    try {
      const result = target.run(args, context);
      if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
        this.#wait(context, target, args, result as Promise<object>, uri);
      } else {
        this.#succeed(context, target, args, result, uri);
      }
    } catch (error) {
      this.#fail(context, error);
    }
  }

  conclude(context: RequestContext, result: object | Promise<never>, reason: InputRequiredSignal): void {
    if (result instanceof Promise) result.catch((error: unknown) => this.#fail(context, error));
    else this.#succeed(context, undefined, undefined, result, '');
    context.giveUp(reason);
  }

  expire(context: RequestContext): void {
    const text = `${context.method}${context.name === '' ? '' : ` ${context.name}`} gave no answer within ${this.#toolTimeout} ms`;
    if (context.method === 'tools/call') {
      this.#succeed(context, undefined, undefined, { content: [{ type: 'text', text }], isError: true }, '');
    } else {
      this.#fail(context, new ProtocolError(ProtocolErrorCode.InternalError, text));
    }
    context.giveUp(new DOMException(text, 'TimeoutError'));
  }

  #wait(context: RequestContext, target: Runnable, args: unknown, result: Promise<object>, uri: string): void {
    context.wait();
    // A foreign thenable may call back synchronously, twice or never properly: only a real promise is trusted.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(
      (value) => {
        context.settle();
        this.#succeed(context, target, args, value, uri);
      },
      (error: unknown) => {
        context.settle();
        this.#fail(context, error);
      },
    );
  }

  /** @param target what gave the result and can be run again; undefined for results of the protocol's own */
  #succeed(context: RequestContext, target: Runnable | undefined, args: unknown, value: unknown, uri: string): void {
    try {
      const legacy = context.era === 'legacy';
      let result = value;
      if ((value as { resultType?: unknown } | null | undefined)?.resultType === 'input_required' && !context.over) {
        if (legacy && target !== undefined) {
          const options = this.offer.inputRequired;
          this.#wait(
            context,
            target,
            args,
            fulfil(context, target, args, value as Record<string, unknown>, options),
            uri,
          );
          return;
        }
        result = roundResult(context, value as Record<string, unknown>);
      }
      const hint = uri === '' || legacy ? undefined : this.offer.cacheHint('resources', uri);
      const text = this.#encoder.encode(result, legacy, hint);
      if (text === '') this.#stream(context, result as object, legacy, hint);
      else if (text.length > this.#surelySmall && Buffer.byteLength(text) > this.#maxResultBytes)
        this.#tooLarge(context);
      else context.finish(200, Shape.result, (result as { isError?: unknown }).isError === true ? 1 : 0, text);
    } catch (error) {
      this.#fail(context, error);
    }
  }

  /** A result in pieces: written as they come where the listener can, else put together first. */
  #stream(context: RequestContext, result: object, legacy: boolean, hint: CacheHint | undefined): void {
    if (context.over) return;
    const { text, slots } = this.#encoder.encodeAround(result, legacy, hint);
    const parts = partsOf(text, slots);
    const body = context.takeBody();
    if (body !== undefined) {
      const id = JSON.stringify(context.requestId);
      context.hold();
      void new Body(body.listener, body.slot, this.live, this.streams).write(id, parts);
      return;
    }
    context.wait();
    collected(parts, this.#maxResultBytes).then(
      (whole) => {
        context.settle();
        context.finish(200, Shape.result, 0, whole);
      },
      (error: unknown) => {
        context.settle();
        this.#fail(context, error);
      },
    );
  }

  #tooLarge(context: RequestContext): void {
    const error = tooLarge(this.#maxResultBytes);
    if (context.method !== 'tools/call') this.#fail(context, error);
    else {
      const result = { content: [{ type: 'text', text: error.message }], isError: true };
      context.finish(200, Shape.result, 1, this.#encoder.encode(result, context.era === 'legacy', undefined));
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

  /** Answers a call of an era that this server was told not to serve, as the door for messages does. */
  #refusesEra(listener: Listener, slot: number, flags: number): boolean {
    const { versions } = this.offer;
    const legacy = (flags & CallFlag.legacy) !== 0;
    if ((legacy ? legacyOf(versions) : modernOf(versions)).length > 0) return false;
    const requested = headerValue(listener.head(slot), 'mcp-protocol-version');
    const error = unserved(versions ?? [], requested ?? (legacy ? undefined : MODERN_VERSIONS[0]));
    const era = legacy ? 'legacy' : 'modern';
    const code = wireCode(error, era);
    const text = errorText(code, error.message, error.data);
    listener.reply(slot, refusalStatus(code, era), Shape.error, 0, '', text);
    return true;
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

const NO_PATHS: ReadonlyMap<string, PathHandler> = new Map();

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be at least ${least}, not ${value}`);
}
