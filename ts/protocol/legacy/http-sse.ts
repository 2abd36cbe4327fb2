/**
 * The deprecated HTTP+SSE transport (revision 2024-11-05), for clients that know no other: GET opens a stream whose first
 * event names the address for messages; what is posted there is answered 202, and the reply goes over the stream.
 *
 * To the protocol such a connection is a pipe: one peer, one unnamed session, everything on one stream.
 */
import { randomUUID } from 'node:crypto';
import type { Listener } from '../../engine/engine.js';
import { Shape } from '../../engine/engine.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import { Exchange } from '../exchange.js';
import { type Incoming, readIncoming } from '../incoming.js';
import { sameParty } from '../party.js';
import type { PathHandler, ServerState } from '../state.js';
import type { AuthInfo } from '../types.js';
import { SseOutlet } from './outlet.js';
import { receiveLegacy } from './receive.js';

/** Most connections at a time. */
const MAX_CONNECTIONS = 1_000;
/** Most messages of one connection that wait for their handlers. */
const MAX_IN_FLIGHT = 1_000;

export interface SsePaths {
  /** GET: the stream. Default `/sse`. */
  path?: string;
  /** POST: messages. Default `/messages`. */
  messages?: string;
}

/** What answers at the two paths. Each call makes connections of its own: one for each listener. */
export function ssePaths({ path = '/sse', messages = '/messages' }: SsePaths = {}): Map<string, PathHandler> {
  const connections = new Map<string, SseConnection>();
  const stream: PathHandler = (exchange, method) => {
    if (method !== 'GET') notAllowed(exchange, 'GET');
    else if (exchange.state.isClosing(exchange.listener)) {
      exchange.status(503, problem('The server is closing'), 'retry-after: 1\r\n');
    } else if (connections.size >= MAX_CONNECTIONS) {
      exchange.status(503, problem('Too many streams are open'), 'retry-after: 1\r\n');
    } else {
      const id = randomUUID();
      const connection = new SseConnection(exchange, () => connections.delete(id));
      connections.set(id, connection);
      connection.greet(`${messages}?sessionId=${id}`);
    }
  };
  const message: PathHandler = (exchange, method, body) => {
    if (method !== 'POST') {
      notAllowed(exchange, 'POST');
      return;
    }
    const query = exchange.target?.slice(exchange.target.indexOf('?') + 1);
    const id = new URLSearchParams(query).get('sessionId');
    const connection = id === null ? undefined : connections.get(id);
    if (connection === undefined || !sameParty(connection.authInfo, exchange.authInfo)) {
      exchange.status(404, new ProtocolError(ProtocolErrorCode.SessionNotFound, 'Session not found'));
    } else connection.receive(exchange, body);
  };
  return new Map(
    path === messages
      ? [[path, either(stream, message)]]
      : [
          [path, stream],
          [messages, message],
        ],
  );
}

function either(stream: PathHandler, message: PathHandler): PathHandler {
  return (exchange, method, body) => (method === 'POST' ? message : stream)(exchange, method, body);
}

function notAllowed(exchange: Exchange, allowed: string): void {
  exchange.status(405, problem('Method not allowed'), `allow: ${allowed}\r\n`);
}

function problem(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.ServerError, message);
}

/** One client: a listener whose slots are the messages that it posted. */
class SseConnection implements Listener {
  readonly host: string;
  readonly port: number;
  readonly authInfo: AuthInfo | undefined;
  readonly #state: ServerState;
  readonly #outlet: SseOutlet;
  /** The messages in flight; null where nothing is to be answered. */
  readonly #messages = new Map<number, Incoming | null>();
  #next = 1;
  /** Nothing more is asked; the stream ends with the last answer. */
  #closing = false;

  constructor(exchange: Exchange, gone: () => void) {
    const { state, listener, slot } = exchange;
    this.host = listener.host;
    this.port = listener.port;
    this.authInfo = exchange.authInfo;
    this.#state = state;
    const left = (): void => {
      gone();
      this.#left();
    };
    const closing = (): void => {
      this.#closing = true;
      state.sessions.closing(this);
      this.#leaveIdle();
    };
    this.#outlet = new SseOutlet(listener, slot, state.live, state.sessions.streams, left, closing);
  }

  greet(address: string): void {
    this.#outlet.event('endpoint', address);
  }

  receive(post: Exchange, body: string): void {
    const message = read(body);
    if (message instanceof ProtocolError) {
      post.refuse(message);
      return;
    }
    if (this.#messages.size >= MAX_IN_FLIGHT) {
      post.status(503, problem('Too many messages are in flight'), 'retry-after: 1\r\n');
      return;
    }
    const slot = this.#next;
    this.#next += 1;
    this.#messages.set(slot, message.kind === 'request' ? message : null);
    // Accepted before it is answered, in that order on the wire as well.
    post.accept();
    const exchange = new Exchange(this.#state, this, this, slot, '', true, body);
    exchange.authInfo = post.authInfo;
    try {
      receiveLegacy(exchange, message);
    } catch (error) {
      const known = error instanceof ProtocolError;
      exchange.fail(known ? error : new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error'));
    }
  }

  #left(): void {
    for (const slot of [...this.#messages.keys()]) this.#state.live.abandon(this, slot);
    this.#messages.clear();
    this.#state.sessions.forget(this);
  }

  reply(slot: number, _status: number, shape: number, _failed: 0 | 1, _headers: string, text: string): void {
    const message = this.#messages.get(slot);
    this.#messages.delete(slot);
    if (message === undefined || message === null) return;
    if (shape !== Shape.raw) {
      const member = shape === Shape.result ? 'result' : 'error';
      this.#outlet.write('', `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"${member}":${text}}`);
    }
    if (this.#closing) this.#leaveIdle();
  }

  #leaveIdle(): void {
    for (const message of this.#messages.values()) if (message !== null) return;
    this.#outlet.leave();
  }

  event(slot: number, _id: string, text: string): number {
    return this.#messages.has(slot) ? this.#outlet.write('', text) : -1;
  }

  meta(slot: number): string {
    return JSON.stringify(this.#messages.get(slot)?.meta) ?? '';
  }

  id(slot: number): string {
    return JSON.stringify(this.#messages.get(slot)?.id) ?? '';
  }

  // What follows is for connections with an engine behind them; here the stream is the connection, and it has no door.
  open(): void {}
  write(): number {
    return -1;
  }
  head(): string {
    return '';
  }
  principal(): number {
    return 0;
  }
  admit(): void {}
  expel(): boolean {
    return false;
  }
  renewTls(): string {
    return '';
  }
  openSession(): void {}
  closeSession(): void {}
  hasSession(): boolean {
    return false;
  }
  stats(): void {}
  async close(): Promise<void> {
    this.#outlet.leave();
  }
  ref(): void {}
  unref(): void {}
}

function read(body: string): Incoming | ProtocolError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return new ProtocolError(ProtocolErrorCode.ParseError, 'Parse error');
  }
  if (Array.isArray(value)) return new ProtocolError(ProtocolErrorCode.InvalidRequest, 'Invalid request: no batches');
  return readIncoming(value);
}
