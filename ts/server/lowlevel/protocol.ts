/**
 * Handlers by method, and requests of one's own: what the low-level server is besides what it offers. Names and meanings
 * are the official SDK's; how messages travel is said by the subclass.
 */
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { PeerError } from '../../protocol/peer.js';
import { answers, isQuestion } from '../../protocol/questions.js';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '../../protocol/revisions.js';
import { SdkError, SdkErrorCode } from '../../protocol/sdk/errors.js';
import type {
  HandlerResultTypeMap,
  JSONRPCRequest,
  Notification,
  NotificationMethod,
  NotificationTypeMap,
  Progress,
  Request,
  RequestId,
  RequestMethod,
  RequestTypeMap,
  Result,
  ResultTypeMap,
} from '../../protocol/types.js';
import { isPromise } from '../handles.js';
import type { InferOutput, StandardSchemaV1 } from '../standard.js';
import type { Transport, TransportSendOptions } from '../transports/transport.js';
import { problemText } from '../validate.js';
import { isSpecNotification, isSpecRequest, missingParam } from './methods.js';

/** Milliseconds that the other side gets to answer a request. */
export const DEFAULT_REQUEST_TIMEOUT_MSEC = 60_000;

export type ProtocolOptions = {
  /** Revisions that are served, the preferred one first. Default: all there are. */
  supportedProtocolVersions?: string[];
  /** Whether requests that the other side did not declare are refused here. Default false. */
  enforceStrictCapabilities?: boolean;
  /** Notifications that are sent once when they come several times in one turn without params. Default: none. */
  debouncedNotificationMethods?: string[];
};

export type ProgressCallback = (progress: Progress) => void;

export type RequestOptions = {
  onprogress?: ProgressCallback;
  /** Gives the request up; the other side is told. */
  signal?: AbortSignal;
  /** Milliseconds. Default 60,000. */
  timeout?: number;
  /** Whether progress starts `timeout` again. Default false. */
  resetTimeoutOnProgress?: boolean;
  /** Milliseconds after which even progress does not help any more. Default: no such limit. */
  maxTotalTimeout?: number;
  /** For clients. */
  allowInputRequired?: boolean;
} & TransportSendOptions;

export type NotificationOptions = {
  /** The request on whose stream it goes, where every request has a stream of its own. */
  relatedRequestId?: RequestId;
};

/** Schemas of a method that is not of the specification. `result` types what the handler gives and checks nothing. */
export interface RequestHandlerSchemas<
  P extends StandardSchemaV1 = StandardSchemaV1,
  R extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  params: P;
  result?: R;
}

type HandlerResult<R> = R extends StandardSchemaV1 ? InferOutput<R> : Result;
type Awaitable<T> = T | Promise<T>;
type StoredRequestHandler<C> = (request: JSONRPCRequest, ctx: C) => Promise<Result>;
type StoredNotificationHandler = (notification: Notification) => Awaitable<void>;

const ENVELOPE = [
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
] as const;

/** Like a map of handlers, see {@link Protocol._requestHandlers}. */
export interface RequestHandlerView<ContextT> {
  get(method: string): StoredRequestHandler<ContextT> | undefined;
  has(method: string): boolean;
  set(method: string, handler: StoredRequestHandler<ContextT>): void;
  delete(method: string): boolean;
}

export abstract class Protocol<ContextT> {
  readonly #requests = new Map<string, StoredRequestHandler<ContextT>>();
  readonly #notifications = new Map<string, StoredNotificationHandler>();
  readonly #debounced = new Set<string>();
  protected readonly options: ProtocolOptions;

  /** Called when the connection has ended, whoever ended it. */
  onclose?: () => void;
  /** Told of trouble that belongs to no request. */
  onerror?: (error: Error) => void;
  /** For requests that have no handler. */
  fallbackRequestHandler?: (request: JSONRPCRequest, ctx: ContextT) => Promise<Result>;
  /** For notifications that have no handler. */
  fallbackNotificationHandler?: (notification: Notification) => Promise<void>;

  constructor(options: ProtocolOptions = {}) {
    this.options = options;
  }

  // ------------------------------------------------------------------------------------------- said by the subclass

  /** Serves the other side of a transport, which is started here. */
  abstract connect(transport: Transport): Promise<void>;
  abstract close(): Promise<void>;
  /** What {@link connect} was given; undefined before and after. */
  abstract get transport(): Transport | undefined;
  /** @throws SdkError when the other side did not declare what the method needs */
  protected abstract assertCapabilityForMethod(method: RequestMethod | string): void;
  /** @throws SdkError when this side did not declare what the notification needs */
  protected abstract assertNotificationCapability(method: NotificationMethod | string): void;
  /** @throws SdkError when this side did not declare what the handler is for */
  protected abstract assertRequestHandlerCapability(method: string): void;
  protected abstract sendRequest(
    method: string,
    params: Members | undefined,
    options: RequestOptions,
  ): Promise<Record<string, unknown>>;
  protected abstract sendNotification(
    method: string,
    params: object | undefined,
    options: NotificationOptions,
  ): Promise<void>;
  /** A method got a handler, or lost it. */
  protected handlerChanged(_method: string): void {}
  /** Around every handler of a request. */
  protected _wrapHandler(_method: string, handler: StoredRequestHandler<ContextT>): StoredRequestHandler<ContextT> {
    return handler;
  }

  // ---------------------------------------------------------------------------------------------------- handlers

  /**
   * Sets the handler of a method of the specification: it gets `{ method, params }`.
   * @throws TypeError for a method that is none, {@link SdkError} when its capability is not declared
   */
  setRequestHandler<M extends RequestMethod>(
    method: M,
    handler: (request: RequestTypeMap[M], ctx: ContextT) => Awaitable<HandlerResultTypeMap[M]>,
  ): void;
  /** Sets the handler of a method of one's own: params are checked first, and the handler gets them alone. */
  setRequestHandler<P extends StandardSchemaV1, R extends StandardSchemaV1 | undefined = undefined>(
    method: string,
    schemas: { params: P; result?: R },
    handler: (params: InferOutput<P>, ctx: ContextT) => Awaitable<HandlerResult<R>>,
  ): void;
  setRequestHandler(
    method: string,
    given: RequestHandlerSchemas | ((request: never, ctx: ContextT) => unknown),
    handler?: (params: never, ctx: ContextT) => unknown,
  ): void {
    this.assertRequestHandlerCapability(method);
    this.#requests.set(method, this._wrapHandler(method, this.#stored(method, given, handler)));
    this.handlerChanged(method);
  }

  #stored(
    method: string,
    given: RequestHandlerSchemas | ((request: never, ctx: ContextT) => unknown),
    handler: ((params: never, ctx: ContextT) => unknown) | undefined,
  ): StoredRequestHandler<ContextT> {
    if (typeof given === 'function') {
      if (!isSpecRequest(method)) {
        throw new TypeError(
          `'${method}' is not a method of the specification: its schemas must be the second argument`,
        );
      }
      return async (request, ctx) => {
        const missing = missingParam(method, request.params);
        if (missing !== undefined) throw invalid(`Invalid params: ${missing}`);
        return (await given({ method, params: request.params } as never, ctx)) as Result;
      };
    }
    if (typeof handler !== 'function') throw new TypeError(`The handler of ${method} must be a function`);
    return async (request, ctx) => {
      const outcome = await given.params['~standard'].validate({ ...request.params });
      if (outcome.issues !== undefined) throw invalid(`Invalid params for ${method}: ${problemText(outcome.issues)}`);
      return (await handler(outcome.value as never, ctx)) as Result;
    };
  }

  removeRequestHandler(method: RequestMethod | string): void {
    if (this.#requests.delete(method)) this.handlerChanged(method);
  }

  /** @throws Error when the method has a handler that would be replaced */
  assertCanSetRequestHandler(method: RequestMethod | string): void {
    if (this.#requests.has(method)) {
      throw new Error(`A request handler for ${method} already exists, which would be overridden`);
    }
  }

  /**
   * The handlers by method, those that registration brought among them. Not part of the API: the official SDK's field of
   * this name is, though private, what code that wraps a handler reaches into.
   * @internal
   */
  get _requestHandlers(): RequestHandlerView<ContextT> {
    return {
      get: (method) => this.#requests.get(method) ?? this.builtIn(method),
      has: (method) => this.#requests.has(method) || this.builtIn(method) !== undefined,
      set: (method, handler) => {
        this.#requests.set(method, handler);
        this.handlerChanged(method);
      },
      delete: (method) => {
        const had = this.#requests.delete(method);
        if (had) this.handlerChanged(method);
        return had;
      },
    };
  }

  /** What answers a method for which no handler was set; undefined when nothing does. */
  protected builtIn(_method: string): StoredRequestHandler<ContextT> | undefined {
    return undefined;
  }

  /** The handler that was set for a method. */
  protected _getRequestHandler(method: string): StoredRequestHandler<ContextT> | undefined {
    return this.#requests.get(method);
  }

  /**
   * Sets the handler of a notification of the specification.
   * @throws TypeError for a method that is none
   */
  setNotificationHandler<M extends NotificationMethod>(
    method: M,
    handler: (notification: NotificationTypeMap[M]) => Awaitable<void>,
  ): void;
  /** Sets the handler of a notification of one's own: params are checked first. */
  setNotificationHandler<P extends StandardSchemaV1>(
    method: string,
    schemas: { params: P },
    handler: (params: InferOutput<P>, notification: Notification) => Awaitable<void>,
  ): void;
  setNotificationHandler(
    method: string,
    given: { params: StandardSchemaV1 } | ((notification: never) => Awaitable<void>),
    handler?: (params: never, notification: Notification) => Awaitable<void>,
  ): void {
    if (typeof given === 'function') {
      if (!isSpecNotification(method)) {
        throw new TypeError(
          `'${method}' is not a notification of the specification: schemas must be the second argument`,
        );
      }
      this.#notifications.set(method, (notification) => given(notification as never));
      return;
    }
    if (typeof handler !== 'function') throw new TypeError(`The handler of ${method} must be a function`);
    this.#notifications.set(method, async (notification) => {
      const outcome = await given.params['~standard'].validate({ ...notification.params });
      if (outcome.issues !== undefined) throw invalid(`Invalid params of ${method}: ${problemText(outcome.issues)}`);
      await handler(outcome.value as never, notification);
    });
  }

  removeNotificationHandler(method: NotificationMethod | string): void {
    this.#notifications.delete(method);
  }

  /** Runs the handler of a notification, or the fallback; what goes wrong is told to `onerror`. */
  protected receiveNotification(method: string, params: Members | undefined): void {
    const handler = this.#notifications.get(method) ?? this.fallbackNotificationHandler;
    if (handler === undefined) return;
    const cleaned = withoutEnvelope(params);
    const notification = { method, ...(cleaned === undefined ? undefined : { params: cleaned }) } as Notification;
    Promise.resolve()
      .then(() => handler(notification))
      .catch((error: unknown) => this.report(new Error(`Uncaught error in notification handler: ${String(error)}`)));
  }

  /** Tells `onerror`; what that throws is nobody's. */
  protected report(error: Error): void {
    // A handler of errors has nobody to tell of its own.
    quietly(
      () => this.onerror?.(error),
      () => {},
    );
  }

  /** Runs a callback of the user's, which may be asynchronous; what goes wrong in it is told to `onerror`. */
  protected guarded(callback: () => unknown): void {
    quietly(callback, (error) => this.report(error instanceof Error ? error : new Error(String(error))));
  }

  // ------------------------------------------------------------------------------------------- requests of one's own

  /** Asks the other side and waits for its result. */
  request<M extends RequestMethod>(
    request: { method: M; params?: Record<string, unknown> },
    options?: RequestOptions,
  ): Promise<ResultTypeMap[M]>;
  /** As above, for any method; the result is checked. */
  request<S extends StandardSchemaV1>(
    request: Request,
    resultSchema: S,
    options?: RequestOptions,
  ): Promise<InferOutput<S>>;
  async request(request: Request, given?: StandardSchemaV1 | RequestOptions, more?: RequestOptions): Promise<unknown> {
    const schema = given !== undefined && '~standard' in given ? given : undefined;
    const options = (schema === undefined ? (given as RequestOptions | undefined) : more) ?? {};
    const { method, params } = request;
    if (schema === undefined && !isSpecRequest(method)) {
      throw new TypeError(`'${method}' is not a method of the specification: its result schema must be given`);
    }
    if (this.options.enforceStrictCapabilities === true) this.assertCapabilityForMethod(method);
    const { signal } = options;
    const result = await this.sendRequest(method, params, options).catch((error: unknown) => {
      // Whoever gives up gets the class of error that every other failure of a request has.
      const gaveUp = signal?.aborted === true && error === signal.reason && !(error instanceof SdkError);
      throw gaveUp ? new SdkError(SdkErrorCode.RequestTimeout, String(error)) : connectionError(error);
    });
    if (schema === undefined) {
      if (!isQuestion(method) || answers(method, result)) return result;
      throw new SdkError(SdkErrorCode.InvalidResult, `Invalid result for ${method}: it is no answer to that`);
    }
    const outcome = await schema['~standard'].validate(result);
    if (outcome.issues === undefined) return outcome.value;
    throw new SdkError(SdkErrorCode.InvalidResult, `Invalid result for ${method}: ${problemText(outcome.issues)}`);
  }

  /** Tells the other side something. @throws SdkError when there is no connection, or the capability is not declared */
  async notification(notification: Notification, options: NotificationOptions = {}): Promise<void> {
    const { method, params } = notification;
    if (this.transport === undefined && !this.reachable) throw notConnected();
    this.assertNotificationCapability(method);
    const may = this.options.debouncedNotificationMethods?.includes(method) === true;
    if (!may || params !== undefined || options.relatedRequestId !== undefined) {
      await this.sendNotification(method, params, options);
      return;
    }
    if (this.#debounced.has(method)) return;
    this.#debounced.add(method);
    queueMicrotask(() => {
      this.#debounced.delete(method);
      if (this.transport === undefined && !this.reachable) return;
      this.sendNotification(method, undefined, options).catch((error: unknown) => this.report(error as Error));
    });
  }

  /** Whether there is another side although there is no transport. */
  protected get reachable(): boolean {
    return false;
  }
}

/** Runs a callback of the user's: nothing of what it throws, now or later, gets further than to `failed`. */
export function quietly(callback: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = callback();
    if (isPromise(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** A request without what belongs to the protocol: the envelope, and what a retry brings. */
export function withoutProtocol(params: Members | undefined): Members | undefined {
  const cleaned = withoutEnvelope(params);
  if (cleaned === undefined || !('inputResponses' in cleaned || 'requestState' in cleaned)) return cleaned;
  const { inputResponses: _responses, requestState: _state, ...rest } = cleaned;
  return rest;
}

function withoutEnvelope(params: Members | undefined): Members | undefined {
  const meta = params === undefined ? undefined : asMembers(own(params, '_meta'));
  if (meta === undefined || !ENVELOPE.some((key) => Object.hasOwn(meta, key))) return params;
  const kept = Object.entries(meta).filter(([key]) => !ENVELOPE.includes(key as (typeof ENVELOPE)[number]));
  const { _meta, ...rest } = params as Members;
  // fromEntries defines own properties, so that a key named __proto__ stays a key.
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

export function notConnected(): SdkError {
  return new SdkError(SdkErrorCode.NotConnected, 'Not connected');
}

/** The failure of a request in the official SDK's classes. */
function connectionError(error: unknown): unknown {
  if (!(error instanceof PeerError)) return error;
  const code = error.code === 'REQUEST_TIMEOUT' ? SdkErrorCode.RequestTimeout : SdkErrorCode.ConnectionClosed;
  return new SdkError(code, error.message, error.data, { cause: error });
}
