/**
 * The modern era: stateless requests, each complete in itself. What every request must fulfil is in checks.ts; methods of
 * later parts of the protocol (completion, subscriptions, tasks) get a file each here and a row in `OWN`.
 */
import { discoverAnswer } from '../answers.js';
import { cancel } from '../cancel.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Incoming } from '../incoming.js';
import { answerShared, methodNotFound } from '../requests.js';
import { checkNotification, checkRequest } from './checks.js';

/** Requests that only this era has. */
const OWN = new Map<string, (exchange: Exchange, message: Incoming) => void>([['server/discover', discover]]);

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
  exchange.accept();
}

function discover(exchange: Exchange): void {
  const { offer } = exchange.state;
  exchange.result(discoverAnswer(offer.info, offer.capabilities(), offer.instructions, offer.cacheHint('discover')));
}
