/**
 * What a handler is told about its request, and what it may say before it answers.
 *
 * One object per request holds all state of that request; it is handed to the handler and dropped after the reply. All
 * that costs anything (metadata, headers, signal) is made when first asked for: most handlers ask for nothing.
 */

import type { Listener } from '../engine/engine.js';
import { CallFlag, Shape } from '../engine/engine.js';
import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from './errors.js';
import { headerValue, toHeaders } from './headers.js';
import type { Cancellable } from './live.js';
import { McpRequest } from './mcp-request.js';
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, LOG_LEVEL_META_KEY, severity } from './revisions.js';
import type { Session } from './sessions.js';
import type { Port, ServerState } from './state.js';
import type {
  AuthInfo,
  ClientCapabilities,
  Implementation,
  LoggingLevel,
  MetaObject,
  Notification,
  ProtocolEra,
  RequestId,
} from './types.js';

/** What the slow path has read already and the engine need not be asked for again. */
export interface Known {
  readonly meta: MetaObject | undefined;
  readonly session: Session | undefined;
}

export interface HttpInfo {
  readonly headers: Headers;
  /** The validated access token, when the listener has authorization. */
  readonly authInfo?: AuthInfo;
}

export class RequestContext implements Cancellable {
  readonly #state: ServerState;
  readonly #port: Port;
  readonly #slot: number;
  readonly #flags: number;
  readonly #method: string;
  readonly #known: Known | undefined;
  #over = false;
  #cancelled: unknown = undefined;
  #controller: AbortController | undefined = undefined;
  #meta: MetaObject | null | undefined = undefined;
  #head: string | undefined = undefined;
  #id: RequestId | undefined = undefined;
  #progress = Number.NEGATIVE_INFINITY;
  #mcpReq: McpRequest | undefined = undefined;
  #http: HttpInfo | undefined = undefined;

  /** Made by the dispatcher, not by users. */
  constructor(state: ServerState, port: Port, slot: number, flags: number, method: string, known: Known | undefined) {
    this.#state = state;
    this.#port = port;
    this.#slot = slot;
    this.#flags = flags;
    this.#method = method;
    this.#known = known;
  }

  get era(): ProtocolEra {
    return (this.#flags & CallFlag.legacy) === 0 ? 'modern' : 'legacy';
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
    if (this.#known !== undefined) return this.#known.session?.id || undefined;
    return headerValue(this.#requestHead(), 'mcp-session-id');
  }

  /** Head of the HTTP request; undefined on stdio. */
  get http(): HttpInfo | undefined {
    const head = this.#requestHead();
    if (head === '') return undefined;
    this.#http ??= { headers: toHeaders(head) };
    return this.#http;
  }

  /** Aborted when the client leaves or cancels. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Name and version that the client claims to have. */
  get clientInfo(): Implementation | undefined {
    if (this.era === 'legacy') return this.#session()?.clientInfo;
    return asObject(this.meta[CLIENT_INFO_META_KEY]) as Implementation | undefined;
  }

  /** Capabilities declared with this request (modern) or in the handshake (legacy). */
  get clientCapabilities(): ClientCapabilities {
    if (this.era === 'legacy') return this.#session()?.capabilities ?? {};
    return (asObject(this.meta[CLIENT_CAPABILITIES_META_KEY]) as ClientCapabilities | undefined) ?? {};
  }

  /**
   * Throws unless the client declared a capability: `('sampling')`, `('elicitation', 'url')`, `('extensions', id)`.
   * @throws {MissingRequiredClientCapabilityError} modern (-32021); {@link ProtocolError} -32600 legacy
   */
  requireCapability(...path: [keyof ClientCapabilities, ...string[]]): void {
    let at: Record<string, unknown> | undefined = this.clientCapabilities as Record<string, unknown>;
    for (const [depth, key] of path.entries()) {
      // An empty `elicitation` object means form mode, for clients from before there were modes.
      if (depth === 1 && path[0] === 'elicitation' && key === 'form' && Object.keys(at).length === 0) return;
      at = Object.hasOwn(at, key) ? asObject(at[key]) : undefined;
      if (at === undefined) break;
    }
    if (at !== undefined) return;
    if (this.era === 'legacy') {
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, `Client does not support ${path.join('.')}`);
    }
    let requiredCapabilities: object = {};
    for (const key of path.toReversed()) requiredCapabilities = { [key]: requiredCapabilities };
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities });
  }

  /**
   * Reports progress on the request's own stream. Nothing is sent unless the client asked for it with a progress token
   * and takes a stream, after the reply, or when `progress` is not finite or not larger than the last one.
   * @param total in the unit of `progress`, when it is known
   */
  progress(progress: number, total?: number, message?: string): void {
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
   * @throws TypeError when the params cannot be encoded as JSON
   */
  notify(notification: Notification): void {
    const { method, params } = notification;
    if (method === 'notifications/message') {
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

  /** For the dispatcher: ends the request with a result or an error. False when it was over already. */
  finish(status: number, shape: number, failed: 0 | 1, text: string): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#port.reply(this.#slot, status, shape, failed, '', text);
    return true;
  }

  /** For the dispatcher: the request's session, if it has one, was used just now. */
  touchSession(): void {
    this.#session();
  }

  /** For the dispatcher: registers the request as waiting for its handler, so that it can be cancelled. */
  wait(): void {
    this.#state.live.add(this.#port, this.#slot, this);
  }

  /** For the dispatcher: the handler settled. */
  settle(): void {
    if (!this.#over) this.#state.live.remove(this.#port, this.#slot);
  }

  abandon(): void {
    this.#cancel('The client left');
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

  #session(): Session | undefined {
    if (this.#known !== undefined) return this.#known.session;
    // Only calls come without `known`, and their port is the listener itself.
    const listener = this.#port as Listener;
    if (this.#requestHead() === '') return this.#state.sessions.pipe(listener);
    const id = this.sessionId;
    return id === undefined ? undefined : this.#state.sessions.find(listener, id);
  }

  #leastSeverity(): number {
    if (this.era === 'modern') return severity(this.meta[LOG_LEVEL_META_KEY]);
    if (this.#state.offer.capabilities().logging === undefined) return -1;
    return severity(this.#session()?.logLevel ?? 'info');
  }

  #event(method: string, params: string | undefined): void {
    const tail = params === undefined ? '}' : `,"params":${params}}`;
    this.#port.event(this.#slot, '', `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${tail}`);
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
