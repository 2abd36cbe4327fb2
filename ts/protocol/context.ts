/**
 * What a handler is told about its request, and what it may say before it answers.
 *
 * One object per request holds all state of that request; it is handed to the handler and dropped after the reply. All
 * that costs anything (metadata, headers, signal, rounds) is made when first asked for: most handlers ask for nothing.
 */

import type { Listener } from '../engine/engine.js';
import { CallFlag, Shape } from '../engine/engine.js';
import { Asking, type AskSettings, type ElicitParams } from './asking.js';
import { carriedBy, carriedHttp } from './carried.js';
import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from './errors.js';
import { headerValue } from './headers.js';
import { HttpInfo } from './http-info.js';
import type { Cancellable } from './live.js';
import { McpRequest } from './mcp-request.js';
import type { Rounds } from './modern/rounds.js';
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, LOG_LEVEL_META_KEY, severity } from './revisions.js';
import type { Session } from './sessions.js';
import type { Port, ServerState } from './state.js';
import { readTrace, type TraceContext } from './trace.js';
import type {
  AuthInfo,
  ClientCapabilities,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitResult,
  Implementation,
  ListRootsResult,
  LoggingLevel,
  MetaObject,
  Notification,
  ProtocolEra,
  RequestId,
} from './types.js';

export type { HttpInfo } from './http-info.js';

/** What the slow path has read already and the engine need not be asked for again. */
export interface Known {
  readonly meta: MetaObject | undefined;
  readonly session: Session | undefined;
  readonly auth: AuthInfo | undefined;
  /** The message as text; empty for the parts of a batch. */
  readonly body: string;
}

export class RequestContext implements Cancellable {
  /** The tool, prompt or URI that was asked for; empty for methods that name nothing. */
  readonly name: string;
  readonly #state: ServerState;
  readonly #port: Port;
  readonly #slot: number;
  readonly #flags: number;
  readonly #method: string;
  readonly #known: Known | undefined;
  readonly #args: string;
  #over = false;
  #cancelled: unknown = undefined;
  #controller: AbortController | undefined = undefined;
  #meta: MetaObject | null | undefined = undefined;
  #head: string | undefined = undefined;
  #id: RequestId | undefined = undefined;
  #progress = Number.NEGATIVE_INFINITY;
  #said = false;
  #since = 0;
  #mcpReq: McpRequest | undefined = undefined;
  #http: HttpInfo | undefined = undefined;
  #auth: AuthInfo | null | undefined = undefined;
  #values: Map<unknown, unknown> | undefined = undefined;
  #asking: Asking | undefined = undefined;

  /**
   * Made by the dispatcher, not by users.
   * @param args of a call that came without its message: raw JSON text
   */
  constructor(
    state: ServerState,
    port: Port,
    slot: number,
    flags: number,
    method: string,
    name: string,
    known: Known | undefined,
    args = '',
  ) {
    this.#state = state;
    this.#port = port;
    this.#slot = slot;
    this.#flags = flags;
    this.#method = method;
    this.name = name;
    this.#known = known;
    this.#args = args;
  }

  get era(): ProtocolEra {
    return (this.#flags & CallFlag.legacy) === 0 ? 'modern' : 'legacy';
  }

  /** Method name, such as `tools/call`. */
  get method(): string {
    return this.#method;
  }

  /** The request in the names of the official SDK. */
  get mcpReq(): McpRequest {
    this.#mcpReq ??= new McpRequest(this, this.#method);
    return this.#mcpReq;
  }

  /** The JSON-RPC id. Ask before the reply: afterwards the engine has forgotten it. */
  get requestId(): RequestId {
    if (this.#id === undefined) {
      const token = this.#port.id(this.#slot);
      this.#id = token === '' ? '' : (JSON.parse(token) as RequestId);
    }
    return this.#id;
  }

  /** All of `params._meta` as it was sent; an empty object when it was not. */
  get meta(): MetaObject {
    if (this.#meta === undefined) {
      if (this.#known !== undefined) {
        this.#meta = this.#known.meta ?? {};
      } else {
        const text = this.#port.meta(this.#slot);
        this.#meta = text === '' ? {} : (JSON.parse(text) as MetaObject);
      }
    }
    return this.#meta as MetaObject;
  }

  /** The legacy session; undefined in the modern era, on stdio, and for requests without one. */
  get sessionId(): string | undefined {
    if ((this.#flags & CallFlag.legacy) === 0) return undefined;
    if (this.#known !== undefined) {
      return this.#known.session?.id || carriedBy(this.#port, this.#slot)?.sessionId || undefined;
    }
    return headerValue(this.#requestHead(), 'mcp-session-id');
  }

  /** The HTTP request; undefined on stdio. */
  get http(): HttpInfo | undefined {
    if (this.#http !== undefined) return this.#http;
    const head = this.#requestHead();
    const carried = head === '' ? carriedBy(this.#port, this.#slot) : undefined;
    if (carried !== undefined) this.#http = carriedHttp(this, this.#port, carried);
    else if (head !== '') this.#http = new HttpInfo(this, head, this.#port);
    return this.#http;
  }

  /** The validated access token; undefined without authorization. Ask before the reply. */
  get authInfo(): AuthInfo | undefined {
    if (this.#auth === undefined) {
      const { guard } = this.#state;
      if (this.#known !== undefined) this.#auth = this.#known.auth ?? null;
      else if (guard === undefined) this.#auth = null;
      else {
        // Only calls come without `known`, and their port is the listener itself.
        const listener = this.#port as Listener;
        this.#auth = guard.who(listener, listener.principal(this.#slot)) ?? null;
      }
    }
    return this.#auth ?? undefined;
  }

  /** Whatever middleware wants to tell the handler, or other middleware. */
  get values(): Map<unknown, unknown> {
    this.#values ??= new Map();
    return this.#values;
  }

  /** W3C trace context and baggage, from `_meta`, else from HTTP headers; undefined without a valid `traceparent`. */
  get trace(): TraceContext | undefined {
    const head = this.#requestHead();
    return readTrace(this.meta, head === '' ? undefined : (name) => headerValue(head, name));
  }

  /** Aborted when the client leaves or cancels, when the tool's time is over, and when a round ends (modern). */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Name and version that the client claims to have. */
  get clientInfo(): Implementation | undefined {
    if (this.era === 'legacy') return this.session()?.clientInfo;
    return asObject(this.meta[CLIENT_INFO_META_KEY]) as Implementation | undefined;
  }

  /** Capabilities declared with this request (modern) or in the handshake (legacy). */
  get clientCapabilities(): ClientCapabilities {
    if (this.era === 'legacy') return this.session()?.capabilities ?? {};
    return (asObject(this.meta[CLIENT_CAPABILITIES_META_KEY]) as ClientCapabilities | undefined) ?? {};
  }

  /** Whether the client declared a capability: `('sampling')`, `('elicitation', 'url')`, `('extensions', id)`. */
  hasCapability(...path: [keyof ClientCapabilities, ...string[]]): boolean {
    let at: Record<string, unknown> | undefined = this.clientCapabilities as Record<string, unknown>;
    for (const [depth, key] of path.entries()) {
      // An `elicitation` object without modes means form mode, for clients from before there were any.
      if (depth === 1 && path[0] === 'elicitation' && key === 'form' && !Object.hasOwn(at, 'url')) return true;
      at = Object.hasOwn(at, key) ? asObject(at[key]) : undefined;
      if (at === undefined) return false;
    }
    return true;
  }

  /**
   * Throws unless the client declared a capability.
   * @throws {MissingRequiredClientCapabilityError} modern (-32021); {@link ProtocolError} -32600 legacy
   */
  requireCapability(...path: [keyof ClientCapabilities, ...string[]]): void {
    if (this.hasCapability(...path)) return;
    if (this.era === 'legacy') {
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, `Client does not support ${path.join('.')}`);
    }
    let requiredCapabilities: object = {};
    for (const key of path.toReversed()) requiredCapabilities = { [key]: requiredCapabilities };
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities });
  }

  /**
   * Asks the user for something, through a form or a URL. Legacy: the client is asked and the handler waits. Modern: the
   * round ends, and the handler **runs again from its start** when the client retries with the answer; see
   * `docs/round-trips.md` for what may run twice.
   * @param params `requestedSchema` is a JSON Schema of a flat form, or a zod or Standard Schema that is one
   * @param settings.key names the question between rounds (default: its position); legacy: `timeout` in ms, default 600,000
   * @throws {MissingRequiredClientCapabilityError} modern (-32021), `SdkError` legacy, when the client did not declare it;
   * {@link InputRequiredSignal} when the round ends: let it pass
   */
  elicit(params: ElicitParams, settings?: AskSettings): Promise<ElicitResult> {
    return this.#ask('elicitation/create', params, settings) as Promise<ElicitResult>;
  }

  /** Asks the client's model. As {@link elicit}. */
  sample(params: CreateMessageRequestParams, settings?: AskSettings): Promise<CreateMessageResult> {
    return this.#ask('sampling/createMessage', params, settings) as Promise<CreateMessageResult>;
  }

  /** Asks for the client's roots. As {@link elicit}. */
  listRoots(settings?: AskSettings): Promise<ListRootsResult> {
    return this.#ask('roots/list', undefined, settings) as Promise<ListRootsResult>;
  }

  /**
   * Runs a step that must not run twice when the handler runs again: its result is kept, sealed, with the client. A step
   * that throws is not kept.
   * @returns the result as JSON gives it back; undefined becomes null
   */
  once<T>(key: string, step: () => T | Promise<T>): Promise<T> {
    const result = this.asking().once(key, step) as Promise<T>;
    // As for questions: a handler that does not wait is no reason to end the process.
    result.catch(() => {});
    return result;
  }

  /**
   * Reports progress on the request's own stream. Nothing is sent unless the client asked for it with a progress token
   * and takes a stream, after the reply, or when `progress` is not finite or not larger than the last one.
   * @param total in the unit of `progress`, when it is known
   */
  progress(progress: number, total?: number, message?: string): void {
    // Work is being done: the time that a tool has begins again.
    this.#since = this.#state.live.tick;
    const asked = CallFlag.stream | CallFlag.progressToken;
    if (this.#over || (this.#flags & asked) !== asked) return;
    if (!Number.isFinite(progress) || progress <= this.#progress) return;
    const token = this.meta.progressToken;
    if (typeof token !== 'string' && typeof token !== 'number') return;
    this.#progress = progress;
    const progressToken = token;
    this.#event('notifications/progress', JSON.stringify({ progressToken, progress, total, message }));
  }

  /**
   * Sends a log message on the request's own stream. Modern: only when the request set a log level and this one is at
   * least as severe. Legacy: from the session's level (`info` until the client sets one), when `logging` is declared.
   * @param data any JSON value
   */
  log(level: LoggingLevel, data: unknown, logger?: string): void {
    if (this.#over || (this.#flags & CallFlag.stream) === 0) return;
    const rank = severity(level);
    if (rank === -1) throw new TypeError(`Unknown log level: ${String(level)}`);
    const least = this.#leastSeverity();
    if (least === -1 || rank < least) return;
    this.#event('notifications/message', JSON.stringify({ level, logger, data: data === undefined ? null : data }));
  }

  /**
   * Sends any notification on the request's own stream; log messages and progress keep their conditions.
   * @param everyLevel sends a log message whatever level the client asked for
   * @throws TypeError when the params cannot be encoded as JSON
   */
  notify(notification: Notification, everyLevel = false): void {
    const { method, params } = notification;
    if (method === 'notifications/message' && !everyLevel) {
      this.log(params?.level as LoggingLevel, params?.data, params?.logger as string | undefined);
    } else if (method === 'notifications/progress' && params?.progressToken === this.meta.progressToken) {
      this.progress(
        params?.progress as number,
        params?.total as number | undefined,
        params?.message as string | undefined,
      );
    } else if (!this.#over && (this.#flags & CallFlag.stream) !== 0) {
      this.#event(method, params === undefined ? undefined : JSON.stringify(params));
    }
  }

  // ------------------------------------------------------------------------------------- for the protocol, not for users

  /** Ends the request with a result or an error. False when it was over already. */
  finish(status: number, shape: number, failed: 0 | 1, text: string, headers = ''): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#port.reply(this.#slot, status, shape, failed, headers, text);
    return true;
  }

  /** Nothing more may be said: answered, cancelled, or its client left. */
  get over(): boolean {
    return this.#over;
  }

  /** Everything of this request that asking its client needs. */
  asking(): Asking {
    this.#asking ??= new Asking(this, this.#state, this.#viaStream());
    return this.#asking;
  }

  /** The rounds of a modern request, when it is a retry or its handler asked something. */
  get rounds(): Rounds | undefined {
    return this.#asking?.rounds;
  }

  /** The message as text; undefined when the engine made a call of it. */
  get body(): string | undefined {
    return this.#known?.body || undefined;
  }

  /** `params.arguments` as they came, decoded anew: handlers may change those that they are given. */
  originalArguments(): unknown {
    const { body } = this;
    if (body === undefined) return this.#args === '' ? undefined : (JSON.parse(this.#args) as unknown);
    const params = asObject(asObject(JSON.parse(body))?.params);
    return params === undefined || !Object.hasOwn(params, 'arguments') ? undefined : params.arguments;
  }

  /** The listener and slot of a request whose answer may be written in pieces; undefined once events were sent. */
  takeBody(): { listener: Listener; slot: number } | undefined {
    const listener = this.#port as Partial<Listener>;
    if (this.#over || this.#said || listener.open === undefined || this.#requestHead() === '') return undefined;
    return { listener: listener as Listener, slot: this.#slot };
  }

  /** The pieces of the body take the place of the reply. */
  hold(): void {
    this.#over = true;
  }

  /** The request's session, if it has one; used just now. */
  session(): Session | undefined {
    if (this.#known !== undefined) return this.#known.session;
    const listener = this.#port as Listener;
    if (this.#requestHead() === '') return this.#state.sessions.pipe(listener);
    const id = this.sessionId;
    return id === undefined ? undefined : this.#state.sessions.find(listener, id);
  }

  /** Registers the request as waiting for its handler, so that it can be cancelled. */
  wait(): void {
    this.#since = this.#state.live.tick;
    this.#state.live.add(this.#port, this.#slot, this);
  }

  /** The handler settled. */
  settle(): void {
    if (!this.#over) this.#state.live.remove(this.#port, this.#slot);
  }

  /** Ends a request whose handler has not settled: what it does from now on is not sent to anybody. */
  giveUp(reason: unknown): void {
    this.#state.live.remove(this.#port, this.#slot);
    this.#cancelled = reason;
    this.#controller?.abort(reason);
  }

  abandon(): void {
    this.#cancel('The client left');
  }

  expired(before: number): void {
    // Whoever waits for a person is not slow.
    if (this.#asking?.waiting === true) this.#since = this.#state.live.tick;
    else if (!this.#over && this.#since < before) this.#state.expire(this);
  }

  cancelRequest(id: RequestId, sessionId: string | undefined, reason: string | undefined): boolean {
    if (this.requestId !== id) return false;
    // Over HTTP ids of different clients collide freely: only the session makes an id mean one request.
    if (this.#requestHead() !== '' && (sessionId === undefined || this.sessionId !== sessionId)) return false;
    this.#state.live.remove(this.#port, this.#slot);
    const port = this.#port;
    this.#cancel(reason ?? 'The client cancelled the request');
    // A cancelled request gets no response; the HTTP exchange, and the slot, must end all the same.
    port.reply(this.#slot, 202, Shape.raw, 0, '', '');
    return true;
  }

  #ask(method: Parameters<Asking['ask']>[0], params: unknown, settings?: AskSettings): Promise<object> {
    const answer = this.asking().ask(method, params, settings);
    // A handler that did not wait for its answer is no reason to end the process when the round ends.
    answer.catch(() => {});
    return answer;
  }

  /** The stream of its own on which a legacy request may ask its client. */
  #viaStream(): { port: Port; slot: number } | null {
    return (this.#flags & CallFlag.stream) === 0 ? null : { port: this.#port, slot: this.#slot };
  }

  #cancel(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelled = new DOMException(reason, 'AbortError');
    this.#controller?.abort(this.#cancelled);
  }

  #requestHead(): string {
    this.#head ??= this.#port.head(this.#slot);
    return this.#head;
  }

  #leastSeverity(): number {
    if (this.era === 'modern') return severity(this.meta[LOG_LEVEL_META_KEY]);
    if (this.#state.offer.capabilities().logging === undefined) return -1;
    return severity(this.session()?.logLevel ?? 'info');
  }

  #event(method: string, params: string | undefined): void {
    this.#said = true;
    const tail = params === undefined ? '}' : `,"params":${params}}`;
    this.#port.event(this.#slot, '', `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${tail}`);
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
