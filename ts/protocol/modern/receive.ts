/**
 * The modern era: stateless requests, each complete in itself. What every request must fulfil is in checks.ts; methods that
 * only this era has get a file each here and a row in `OWN`.
 */
import { discoverAnswer } from '../answers.js';
import { cancel } from '../cancel.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Incoming } from '../incoming.js';
import { answerCustom, answerShared, methodNotFound } from '../requests.js';
import { checkNotification, checkRequest } from './checks.js';
import { listen } from './listen.js';

/** Requests that only this era has. */
const OWN = new Map<string, (exchange: Exchange, message: Incoming) => void>([
  ['server/discover', discover],
  ['subscriptions/listen', listen],
]);
/** Requests of the other era, which nobody may answer in this one. */
const RETIRED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
]);

export function receiveModern(exchange: Exchange, message: Incoming): void {
  if (message.kind === 'request') receiveRequest(exchange, message);
  else if (message.kind === 'notification') receiveNotification(exchange, message);
  // This era's clients answer nothing: what a server wants to know it asks for in a result.
  else if (exchange.pipe) exchange.accept();
  else exchange.refuse(new ProtocolError(ProtocolErrorCode.InvalidRequest, 'Invalid request: no response is expected'));
}

function receiveRequest(exchange: Exchange, message: Incoming): void {
  const wrong = checkRequest(exchange, message);
  if (wrong !== undefined) {
    exchange.refuse(wrong);
    return;
  }
  if (RETIRED.has(message.method)) {
    exchange.refuse(methodNotFound(message.method));
    return;
  }
  if (answerCustom(exchange, message, undefined)) return;
  const answer = OWN.get(message.method);
  if (answer !== undefined) answer(exchange, message);
  else if (!answerShared(exchange, message, undefined)) exchange.refuse(methodNotFound(message.method));
}

function receiveNotification(exchange: Exchange, message: Incoming): void {
  const wrong = checkNotification(exchange, message);
  if (wrong !== undefined) {
    exchange.refuse(wrong);
    return;
  }
  // Over HTTP closing the response is the cancellation, and an id alone could name anybody's request.
  if (exchange.pipe && message.method === 'notifications/cancelled') cancel(exchange, message, undefined);
  const source = { era: 'modern', sessionId: undefined, authInfo: exchange.authInfo } as const;
  exchange.state.offer.notified(message.method, message.params, source);
  exchange.accept();
}

function discover(exchange: Exchange): void {
  const { offer } = exchange.state;
  const { info, instructions, versions } = offer;
  exchange.result(discoverAnswer(info, offer.capabilities(), instructions, offer.cacheHint('discover'), versions));
}
