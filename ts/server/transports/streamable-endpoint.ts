/**
 * MCP's Streamable HTTP for one client (or, without sessions, for anyone who asks), as a transport that a server connects
 * to: POST brings messages and gets their answers, GET opens the stream of what the server says by itself or takes up an
 * interrupted one, DELETE ends the session. Where requests come from is said by the classes that extend it.
 */
import { isEventId, within } from '../../protocol/events/store.js';
import { DEFAULT_NEGOTIATED_PROTOCOL_VERSION } from '../../protocol/revisions.js';
import type { JSONRPCMessage, RequestId } from '../../protocol/types.js';
import {
  cancelled,
  checkAccept,
  checkSource,
  checkVersion,
  handshakeVersion,
  isRequest,
  isResponse,
  readMessages,
  sameId,
} from './streamable-checks.js';
import {
  badRequest,
  conflict,
  type EventWriter,
  type Exchange,
  JSON_TYPE,
  Refusal,
  refuse,
  STREAM_TYPE,
  sessionNotFound,
} from './streamable-exchange.js';
import {
  type Settings,
  settingsOf,
  type WebStandardStreamableHTTPServerTransportOptions,
} from './streamable-options.js';
import { missed, Stream, scopeOf } from './streamable-stream.js';
import type { MessageExtraInfo, Transport, TransportSendOptions } from './transport.js';

/** From this revision on clients understand an event that says nothing but where the stream is. */
const PRIMED_VERSION = '2025-11-25';

/** Answers that are collected for one JSON response. */
interface Collected {
  readonly exchange: Exchange;
  readonly batch: boolean;
  readonly pending: Set<RequestId>;
  readonly answers: JSONRPCMessage[];
}

export abstract class StreamableEndpoint implements Transport {
  sessionId?: string;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void;
  readonly #settings: Settings;
  readonly #calls = new Map<RequestId, Stream | Collected>();
  /** Streams that somebody may come back to. */
  readonly #streams = new Map<string, Stream>();
  #versions: readonly string[];
  /** What the server says by itself. */
  #standalone: Stream;
  #initialized = false;
  #started = false;
  #closed = false;

  constructor(options: WebStandardStreamableHTTPServerTransportOptions = {}) {
    this.#settings = settingsOf(options);
    this.#versions = this.#settings.versions;
    this.#standalone = this.#newStream(undefined);
  }

  async start(): Promise<void> {
    if (this.#started) throw new Error('Transport already started');
    this.#started = true;
  }

  /** Revisions that are let in by their header. Called by `connect`. */
  setSupportedProtocolVersions(versions: string[]): void {
    this.#versions = [...versions];
  }

  /** Ends every response. Requests that wait for one JSON answer get 404. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of new Set(this.#calls.values()))
      if (!(call instanceof Stream)) refuse(call.exchange, sessionNotFound());
    for (const stream of this.#streams.values()) stream.disconnect();
    this.#calls.clear();
    this.#streams.clear();
    this.onclose?.();
  }

  /** Ends the response to a request early: its client comes back for the rest after the retry interval. */
  closeSSEStream(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call instanceof Stream) call.disconnect();
  }

  /** Ends the GET stream: its client comes back after the retry interval. */
  closeStandaloneSSEStream(): void {
    this.#standalone.disconnect();
  }

  /** Answers one HTTP request. Never rejects. */
  protected async serve(exchange: Exchange): Promise<void> {
    try {
      if (this.#closed) throw sessionNotFound();
      checkSource(exchange, this.#settings);
      if (exchange.method === 'POST') await this.#post(exchange);
      else if (exchange.method === 'GET') await this.#get(exchange);
      else if (exchange.method === 'DELETE') await this.#delete(exchange);
      else throw new Refusal(405, -32000, 'Method not allowed.', { allow: 'GET, POST, DELETE' });
    } catch (error) {
      this.#failed(error);
      refuse(exchange, error instanceof Refusal ? error : new Refusal(500, -32603, 'Internal error'));
    }
  }

  #failed(error: unknown): void {
    try {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // Whoever is told of an error must not cause the next one.
    }
  }

  // --------------------------------------------------------------------------------------------------------- requests

  async #post(exchange: Exchange): Promise<void> {
    checkAccept(exchange, ['application/json', 'text/event-stream']);
    const { messages: all, batch } = await readMessages(exchange, this.#settings.maxBody);
    // Without a session nobody knows whose request it is that an answer, or a cancellation, names by its number.
    const known = this.#settings.newSessionId !== undefined;
    const messages = known ? all : all.filter((each) => !isResponse(each) && cancelled(each) === undefined);
    if (this.#closed) throw sessionNotFound();
    const version = await this.#admit(exchange, messages);
    if (this.#closed) throw sessionNotFound();
    const { onmessage } = this;
    if (onmessage === undefined) throw new Error('No server is connected to the transport');
    const ids = messages.filter(isRequest).map((message) => message.id);
    if (ids.length === 0) {
      this.#deliver(exchange, messages, undefined);
      exchange.respond(202, this.#named({}), '');
      return;
    }
    if (new Set(ids).size < ids.length || ids.some((id) => this.#calls.has(id))) {
      throw new Refusal(400, -32600, 'Invalid Request: A request with this id is in work');
    }
    if (this.#settings.json) {
      const call: Collected = { exchange, batch, pending: new Set(ids), answers: [] };
      for (const id of ids) this.#calls.set(id, call);
      this.#deliver(exchange, messages, undefined);
      return;
    }
    const stream = this.#newStream(crypto.randomUUID());
    for (const id of ids) {
      stream.pending.add(id);
      this.#calls.set(id, stream);
    }
    this.#open(exchange, stream);
    const resumable =
      this.#settings.store !== undefined && version >= PRIMED_VERSION && this.#versions.includes(version);
    if (resumable) await stream.prime(this.#settings.retry);
    this.#deliver(exchange, messages, resumable ? stream : undefined);
  }

  /**
   * Lets messages in: into the session they belong to, or as the beginning of one.
   * @returns the revision that the client speaks, as far as it says
   */
  async #admit(exchange: Exchange, messages: readonly JSONRPCMessage[]): Promise<string> {
    const handshake = messages.map(handshakeVersion).find((version) => version !== undefined);
    if (handshake === undefined) {
      this.#checkSession(exchange);
      checkVersion(exchange, this.#versions);
      return exchange.header('mcp-protocol-version') ?? DEFAULT_NEGOTIATED_PROTOCOL_VERSION;
    }
    if (this.#initialized && this.sessionId !== undefined) {
      throw new Refusal(400, -32600, 'Invalid Request: Server already initialized');
    }
    if (messages.length > 1) {
      throw new Refusal(400, -32600, 'Invalid Request: Only one initialization request is allowed');
    }
    const { newSessionId, onsessioninitialized } = this.#settings;
    if (newSessionId !== undefined) {
      const id = newSessionId();
      if (!/^[\x21-\x7e]+$/.test(id)) throw new Error('sessionIdGenerator must give visible ASCII characters');
      this.sessionId = id;
      this.#streams.delete(this.#standalone.id);
      this.#standalone = this.#newStream(undefined);
    }
    this.#initialized = true;
    if (this.sessionId !== undefined) {
      try {
        await onsessioninitialized(this.sessionId);
      } catch (error) {
        // Nobody knows of the session: its client may try again.
        delete this.sessionId;
        this.#initialized = false;
        throw error;
      }
    }
    return handshake;
  }

  #checkSession(exchange: Exchange): void {
    if (this.#settings.newSessionId === undefined) return;
    if (!this.#initialized || this.sessionId === undefined) throw badRequest('Server not initialized');
    const id = exchange.header('mcp-session-id');
    if (id === undefined || id === '') throw badRequest('Mcp-Session-Id header is required');
    if (!sameId(id, this.sessionId)) throw sessionNotFound();
  }

  /** @param stream the one that the client can come back to, when it can */
  #deliver(exchange: Exchange, messages: readonly JSONRPCMessage[], stream: Stream | undefined): void {
    for (const message of messages) {
      const extra: MessageExtraInfo = {
        // A web-standard request costs more than a call that never looks at it.
        get request() {
          return exchange.request;
        },
        ...(exchange.authInfo === undefined ? {} : { authInfo: exchange.authInfo }),
        ...(stream !== undefined && isRequest(message)
          ? {
              closeSSEStream: () => stream.disconnect(),
              closeStandaloneSSEStream: () => this.closeStandaloneSSEStream(),
            }
          : {}),
      };
      try {
        this.onmessage?.(message, extra);
      } catch (error) {
        this.#failed(error);
      }
      const id = cancelled(message);
      if (id !== undefined) this.#calledOff(id);
    }
  }

  /** What is cancelled is not answered: nothing may wait for it. */
  #calledOff(id: RequestId): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (call instanceof Stream) this.#settled(call, id);
    else this.#collect(call, id, undefined);
  }

  async #get(exchange: Exchange): Promise<void> {
    checkAccept(exchange, ['text/event-stream']);
    this.#checkSession(exchange);
    checkVersion(exchange, this.#versions);
    const last = exchange.header('last-event-id');
    if (this.#settings.store !== undefined && last !== undefined && last !== '') return this.#resume(exchange, last);
    if (this.#standalone.connected) throw conflict('Only one SSE stream is allowed per session');
    this.#open(exchange, this.#standalone);
  }

  async #resume(exchange: Exchange, last: string): Promise<void> {
    const store = this.#settings.store as NonNullable<Settings['store']>;
    const unknown = new Refusal(400, -32000, 'Invalid event ID format');
    if (!isEventId(last)) throw unknown;
    const streamId = await this.#streamOf(last);
    // The streams of one session are nobody else's, even when sessions share a store.
    if (streamId === undefined || streamId === '' || !streamId.startsWith(scopeOf(this.sessionId))) throw unknown;
    const stream = this.#streams.get(streamId);
    if (stream?.connected) throw conflict('Stream already has an active connection');
    const replay = async () => {
      const { frames } = await missed(store, last);
      if (this.#closed) throw sessionNotFound();
      if (stream?.connected) throw conflict('Stream already has an active connection');
      const over = stream === undefined || (stream !== this.#standalone && stream.pending.size === 0);
      const writer = over ? this.#writer(exchange, undefined) : this.#open(exchange, stream);
      for (const frame of frames) await writer?.write(frame);
      // Everything was answered while nobody read: there is nothing to wait for.
      if (over) writer?.end();
    };
    // Between what is told again and what is told next nothing may come in.
    await (stream === undefined ? replay() : stream.inTurn(replay));
  }

  async #streamOf(eventId: string): Promise<string | undefined> {
    const store = this.#settings.store as NonNullable<Settings['store']>;
    if (store.getStreamIdForEventId !== undefined) return within(store.getStreamIdForEventId(eventId));
    // A store that cannot be asked is read once more.
    return (await missed(store, eventId)).streamId;
  }

  async #delete(exchange: Exchange): Promise<void> {
    if (this.#settings.newSessionId === undefined) {
      throw new Refusal(405, -32000, 'Method not allowed.', { allow: 'GET, POST' });
    }
    this.#checkSession(exchange);
    checkVersion(exchange, this.#versions);
    try {
      await this.#settings.onsessionclosed(this.sessionId as string);
      exchange.respond(200, {}, '');
    } finally {
      await this.close();
    }
  }

  // ---------------------------------------------------------------------------------------------------------- streams

  /** @param name undefined: the standalone stream */
  #newStream(name: string | undefined): Stream {
    const { store, keepAlive } = this.#settings;
    // Without a session nothing but the id keeps a stream from being another transport's in a store that both use.
    const own = name ?? (this.sessionId === undefined ? `get.${crypto.randomUUID()}` : 'get');
    const stream = new Stream(`${scopeOf(this.sessionId)}${own}`, store, keepAlive);
    this.#streams.set(stream.id, stream);
    return stream;
  }

  #open(exchange: Exchange, stream: Stream): EventWriter | undefined {
    const writer = this.#writer(exchange, () => {
      stream.left(writer);
      // Nobody can come back to what nothing keeps; its calls go on, as only a cancellation ends them.
      if (this.#settings.store === undefined && stream !== this.#standalone) this.#streams.delete(stream.id);
    });
    if (writer !== undefined) stream.connect(writer);
    return writer;
  }

  #writer(exchange: Exchange, left: (() => void) | undefined): EventWriter | undefined {
    return exchange.stream(this.#named(STREAM_TYPE), left ?? (() => {}));
  }

  #named(headers: Readonly<Record<string, string>>): Record<string, string> {
    return this.sessionId === undefined ? { ...headers } : { ...headers, 'mcp-session-id': this.sessionId };
  }

  /**
   * Sends an answer where its request came from, and anything else on the stream of `relatedRequestId`, or on the
   * standalone stream. Resolves when the client has room for more.
   * @throws Error for an answer to no request
   */
  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const response = isResponse(message);
    const id = response ? message.id : options?.relatedRequestId;
    if (id === undefined) {
      if (response) throw new Error('An answer without an id goes to nobody');
      await this.#standalone.say(JSON.stringify(message));
      return;
    }
    const call = this.#calls.get(id);
    if (call === undefined) throw new Error(`No connection established for request ID: ${String(id)}`);
    if (!(call instanceof Stream)) {
      if (response) this.#collect(call, id, message);
      return;
    }
    if (response) this.#calls.delete(id);
    const said = await call.say(JSON.stringify(message));
    if (!response) return;
    if (!said) this.#failed(new Error(`The answer to request ${String(id)} reached nobody: its client has left`));
    this.#settled(call, id);
  }

  #settled(stream: Stream, id: RequestId): void {
    this.#calls.delete(id);
    stream.pending.delete(id);
    if (stream.pending.size > 0) return;
    // Who comes back for it gets it from the store.
    stream.disconnect();
    this.#streams.delete(stream.id);
  }

  /** @param message undefined: the request was cancelled */
  #collect(call: Collected, id: RequestId, message: JSONRPCMessage | undefined): void {
    this.#calls.delete(id);
    call.pending.delete(id);
    if (message !== undefined) call.answers.push(message);
    if (call.pending.size > 0) return;
    const { exchange, batch, answers } = call;
    if (answers.length === 0) exchange.respond(202, this.#named({}), '');
    else exchange.respond(200, this.#named(JSON_TYPE), JSON.stringify(batch ? answers : answers[0]));
  }
}
