/**
 * The door for everything the engine did not prove regular: HTTP methods, eras, kinds of message. Decides whose rules
 * apply and hands over; the rules themselves are in `modern/` and `legacy/`.
 */
import type { Listener } from '../engine/engine.js';
import { carriedBy } from './carried.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { Exchange } from './exchange.js';
import { acceptsJson } from './headers.js';
import { asMembers, type Incoming, own, readIncoming } from './incoming.js';
import { receiveBatch } from './legacy/batch.js';
import { receiveLegacy } from './legacy/receive.js';
import { closeSession } from './legacy/session.js';
import { openStandalone } from './legacy/standalone.js';
import { receiveModern } from './modern/receive.js';
import { claimsModern, MODERN_VERSIONS, PROTOCOL_VERSION_META_KEY } from './revisions.js';
import type { ServerState } from './state.js';
import type { ProtocolEra } from './types.js';

const ALLOW = 'allow: GET, POST, DELETE\r\n';
const ALLOW_MODERN = 'allow: POST\r\n';

/** Answers one message. Never throws. */
export function receiveMessage(
  state: ServerState,
  listener: Listener,
  slot: number,
  method: string,
  body: string,
): void {
  const pipe = method === 'PIPE';
  const exchange = new Exchange(state, listener, listener, slot, pipe ? '' : listener.head(slot), pipe, body);
  if (pipe) exchange.authInfo = carriedBy(listener, slot)?.authInfo;
  if (pipe || state.guard === undefined) {
    receive(exchange, method, body);
    return;
  }
  let later = false;
  attempt(exchange, () => {
    state.guard?.check(exchange, method, (auth) => {
      // Whoever left meanwhile was told off already: a stream that begins now would never end.
      if (later && listener.head(slot) === '') return;
      exchange.authInfo = auth;
      receive(exchange, method, body);
    });
  });
  later = true;
}

function receive(exchange: Exchange, method: string, body: string): void {
  attempt(exchange, () => {
    const path = exchange.path;
    const other = path === undefined ? undefined : exchange.state.paths.get(path);
    if (other !== undefined) other(exchange, method, body);
    else if (exchange.pipe || method === 'POST') receiveBody(exchange, body);
    else receiveMethod(exchange, method);
  });
}

/** What is thrown becomes the answer: a protocol error as it is, of anything else nothing is told. */
function attempt(exchange: Exchange, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof ProtocolError) exchange.fail(error);
    else exchange.fail(new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error'));
  }
}

function receiveBody(exchange: Exchange, body: string): void {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    exchange.refuse(new ProtocolError(ProtocolErrorCode.ParseError, 'Parse error'));
    return;
  }
  if (Array.isArray(value)) {
    receiveArray(exchange, value);
    return;
  }
  const message = readIncoming(value);
  if (message instanceof ProtocolError) {
    exchange.refuse(message);
    return;
  }
  exchange.era = eraOf(exchange, message);
  if (message.kind === 'request' && !exchange.pipe && !acceptsJson(exchange.header('accept'))) {
    exchange.status(
      406,
      new ProtocolError(ProtocolErrorCode.ServerError, 'Not acceptable: application/json is needed'),
    );
    return;
  }
  if (exchange.era === 'modern') receiveModern(exchange, message);
  else receiveLegacy(exchange, message);
}

/** Only one legacy revision knows batches; a modern claim anywhere makes the whole of it invalid. */
function receiveArray(exchange: Exchange, values: unknown[]): void {
  const version = exchange.header('mcp-protocol-version');
  if (version !== undefined && claimsModern(version)) exchange.era = 'modern';
  if (exchange.era === 'modern' || values.some(claimsModernBody)) {
    exchange.refuse(new ProtocolError(ProtocolErrorCode.InvalidRequest, 'Invalid request: batches are not supported'));
    return;
  }
  receiveBatch(exchange, values);
}

function claimsModernBody(value: unknown): boolean {
  const params = asMembers(asMembers(value)?.params);
  const meta = params === undefined ? undefined : asMembers(own(params, '_meta'));
  return meta !== undefined && Object.hasOwn(meta, PROTOCOL_VERSION_META_KEY);
}

/**
 * The era, decided once. Modern: the body's `_meta` names a version, or the header names a modern or unknown one. A live
 * session outweighs an unknown header: its client did the legacy handshake.
 */
function eraOf(exchange: Exchange, message: Incoming): ProtocolEra {
  if (message.meta !== undefined && Object.hasOwn(message.meta, PROTOCOL_VERSION_META_KEY)) return 'modern';
  const version = exchange.pipe ? undefined : exchange.header('mcp-protocol-version');
  if (version === undefined || !claimsModern(version)) return 'legacy';
  if (MODERN_VERSIONS.includes(version)) return 'modern';
  const sessionId = exchange.header('mcp-session-id');
  const live = sessionId !== undefined && exchange.state.sessions.find(exchange.listener, sessionId) !== undefined;
  return live ? 'legacy' : 'modern';
}

/** Requests without a message: only legacy sessions know some. */
function receiveMethod(exchange: Exchange, method: string): void {
  const version = exchange.header('mcp-protocol-version');
  const modern = version !== undefined && MODERN_VERSIONS.includes(version);
  const allow = modern ? ALLOW_MODERN : ALLOW;
  if (method === 'DELETE' && !modern) closeSession(exchange);
  else if (method === 'GET' && !modern) openStandalone(exchange, allow);
  else if (method === 'OPTIONS') exchange.status(204, undefined, allow);
  else if (method === 'HEAD') exchange.status(405, undefined, allow);
  else exchange.status(405, new ProtocolError(ProtocolErrorCode.ServerError, 'Method not allowed'), allow);
}
