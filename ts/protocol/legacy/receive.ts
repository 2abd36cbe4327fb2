/**
 * The legacy era (2025-03-26 to 2025-11-25): sessions, handshake, ping, log level. Methods of later parts of the protocol
 * (completion, subscriptions) get a file each here and a row in `OWN`.
 */
import { PING_ANSWER } from '../answers.js';
import { cancel } from '../cancel.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { type Incoming, own } from '../incoming.js';
import { answerShared, invalidParams, methodNotFound } from '../requests.js';
import { LEGACY_VERSIONS, severity } from '../revisions.js';
import type { Session } from '../sessions.js';
import type { LoggingLevel } from '../types.js';
import { initialize } from './initialize.js';
import { sessionOf } from './session.js';

type Answer = (exchange: Exchange, message: Incoming, session: Session | undefined) => void;

/** Requests that only this era has. */
const OWN = new Map<string, Answer>([
  ['ping', (exchange) => exchange.result(PING_ANSWER)],
  ['logging/setLevel', setLevel],
]);

export function receiveLegacy(exchange: Exchange, message: Incoming): void {
  // A handshake opens a session and needs none: a stale id that comes with it is no reason to refuse it.
  if (message.kind === 'request' && message.method === 'initialize') {
    initialize(exchange, message);
    return;
  }
  const session = admit(exchange);
  if (session instanceof ProtocolError) exchange.refuse(session);
  else receiveMember(exchange, message, session);
}

/** The session of a message that may come in, or why it may not. */
export function admit(exchange: Exchange): Session | undefined | ProtocolError {
  if (exchange.pipe) return sessionOf(exchange);
  const version = exchange.header('mcp-protocol-version');
  if (version !== undefined && !LEGACY_VERSIONS.includes(version)) {
    const served = LEGACY_VERSIONS.join(', ');
    return new ProtocolError(ProtocolErrorCode.ServerError, `Unsupported protocol version (served: ${served})`);
  }
  try {
    return sessionOf(exchange);
  } catch (error) {
    return error as ProtocolError;
  }
}

/** One admitted message, alone or out of a batch. */
export function receiveMember(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  if (message.kind === 'request') {
    const answer = OWN.get(message.method);
    if (answer !== undefined) answer(exchange, message, session);
    else if (!answerShared(exchange, message, session)) exchange.refuse(methodNotFound(message.method));
    return;
  }
  if (message.method === 'notifications/cancelled') cancel(exchange, message, session);
  // Responses included: this server has asked nothing, so no answer can be awaited.
  exchange.accept();
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
