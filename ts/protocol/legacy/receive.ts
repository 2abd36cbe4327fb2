/**
 * The legacy era (2025-03-26 to 2025-11-25): sessions, handshake, ping, log level, subscriptions; and the client's answers
 * to what it was asked. What needs more than a few lines has a file of its own here and a row in `OWN`.
 */
import { PING_ANSWER } from '../answers.js';
import { cancel } from '../cancel.js';
import { ProtocolError, ProtocolErrorCode, unserved } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { type Incoming, own } from '../incoming.js';
import { answerShared, invalidParams, methodNotFound } from '../requests.js';
import { legacyOf, severity } from '../revisions.js';
import type { Session } from '../sessions.js';
import type { LoggingLevel } from '../types.js';
import { initialize } from './initialize.js';
import { PipeOutlet } from './outlet.js';
import { sessionOf } from './session.js';
import { subscribe, unsubscribe } from './subscribe.js';

type Answer = (exchange: Exchange, message: Incoming, session: Session | undefined) => void;

/** Requests that only this era has. */
const OWN = new Map<string, Answer>([
  ['ping', (exchange) => exchange.result(PING_ANSWER)],
  ['logging/setLevel', setLevel],
  ['resources/subscribe', subscribe],
  ['resources/unsubscribe', unsubscribe],
]);

export function receiveLegacy(exchange: Exchange, message: Incoming): void {
  // A handshake opens a session and needs none: a stale id that comes with it is no reason to refuse it.
  if (message.kind === 'request' && message.method === 'initialize') {
    initialize(exchange, message);
    return;
  }
  const session = admit(exchange);
  if (session instanceof ProtocolError) {
    // On a pipe there is nobody to tell of what was no question.
    if (exchange.pipe && message.kind !== 'request') exchange.accept();
    else exchange.refuse(session);
  } else receiveMember(exchange, message, session);
}

/** The session of a message that may come in, or why it may not. */
export function admit(exchange: Exchange): Session | undefined | ProtocolError {
  const { versions } = exchange.state.offer;
  const served = legacyOf(versions);
  const version = exchange.pipe ? undefined : exchange.header('mcp-protocol-version');
  if (served.length === 0) return unserved(versions ?? [], version);
  if (exchange.pipe) return sessionOf(exchange);
  if (version !== undefined && !served.includes(version)) {
    const why = `Unsupported protocol version (served: ${served.join(', ')})`;
    return new ProtocolError(ProtocolErrorCode.ServerError, why);
  }
  try {
    return sessionOf(exchange);
  } catch (error) {
    return error as ProtocolError;
  }
}

/** One admitted message, alone or out of a batch. */
export function receiveMember(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  if (message.kind === 'request') receiveRequest(exchange, message, session);
  else if (message.kind === 'notification') receiveNotification(exchange, message, session);
  else {
    session?.peer.answered(message.id, message.result, message.error);
    exchange.accept();
  }
}

function receiveRequest(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const answer = OWN.get(message.method);
  // What the server's author answers as a whole stands before everything else, see answerShared.
  if (answer !== undefined && exchange.state.offer.methodHandler(message.method) === undefined) {
    answer(exchange, message, session);
    return;
  }
  const kept =
    exchange.pipe || !exchange.streams ? undefined : session?.streams.call(session, exchange.listener, exchange.slot);
  const target = kept === undefined ? exchange : exchange.through(kept);
  if (!answerShared(target, message, session)) target.refuse(methodNotFound(message.method));
}

function receiveNotification(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const { method, params } = message;
  if (method === 'notifications/cancelled') cancel(exchange, message, session);
  else if (method === 'notifications/progress') session?.peer.progressed(params);
  else if (method === 'notifications/initialized' && exchange.pipe && session !== undefined) {
    // The one moment at which the peer of a pipe waits for nothing: what it is told unasked goes through this slot.
    session.streams.open(new PipeOutlet(exchange.listener, exchange.slot));
    notified(exchange, message, session);
    return;
  }
  notified(exchange, message, session);
  exchange.accept();
}

function notified(exchange: Exchange, { method, params }: Incoming, session: Session | undefined): void {
  const source = { era: 'legacy' as const, sessionId: session?.id || undefined, authInfo: exchange.authInfo };
  exchange.state.offer.notified(method, params, source);
}

/** Exists only when the server declares `logging`. Without a session there is nothing that could remember the level. */
function setLevel(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  if (exchange.state.offer.capabilities().logging === undefined) {
    exchange.refuse(methodNotFound(message.method));
    return;
  }
  const level = message.params === undefined ? undefined : own(message.params, 'level');
  if (severity(level) === -1) {
    exchange.fail(invalidParams('"level" must be a log level'));
    return;
  }
  if (session !== undefined) session.logLevel = level as LoggingLevel;
  exchange.result('{}');
}
