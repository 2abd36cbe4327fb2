/**
 * `resources/subscribe` and `resources/unsubscribe`: which URIs a session wants to hear about. Who tells it is in
 * changes.ts.
 */
import { whenAllowed } from '../allowed.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { type Incoming, own } from '../incoming.js';
import { invalidParams, methodNotFound, unknownName } from '../requests.js';
import type { Session } from '../sessions.js';

/** Most URIs that one session may subscribe to, and most characters of each: they are kept as long as it lives. */
const MAX_SUBSCRIPTIONS = 1_000;
const MAX_URI = 4_096;

export function subscribe(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const uri = subscribed(exchange, message);
  if (uri === undefined) return;
  const { offer, guard } = exchange.state;
  // Where resources are read by a function that answers the whole method, only it knows which there are.
  const known = offer.methodHandler('resources/read') !== undefined || offer.find('resources/read', uri) !== -1;
  if (!known && offer.matchTemplate(uri) === undefined) {
    exchange.fail(unknownName('resources/read', uri));
    return;
  }
  if (guard === undefined) {
    enter(exchange, uri, session);
    return;
  }
  // Whoever may not read a resource is not told when it changes.
  const context = exchange.context({ ...message, method: 'resources/read' }, session, uri);
  whenAllowed(guard, context, () => enter(exchange, uri, session));
}

function enter(exchange: Exchange, uri: string, session: Session | undefined): void {
  // Without a session there is nobody who could be told; the answer is the same, as it is for the log level.
  if (session !== undefined && !session.subscriptions.has(uri)) {
    if (session.subscriptions.size >= MAX_SUBSCRIPTIONS) {
      const most = `A session may subscribe to ${MAX_SUBSCRIPTIONS} resources`;
      exchange.fail(new ProtocolError(ProtocolErrorCode.InvalidRequest, most));
      return;
    }
    session.subscriptions.add(uri);
  }
  exchange.result('{}');
}

export function unsubscribe(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const uri = subscribed(exchange, message);
  if (uri === undefined) return;
  session?.subscriptions.delete(uri);
  exchange.result('{}');
}

/** The URI, or undefined when the request is answered already. */
function subscribed(exchange: Exchange, message: Incoming): string | undefined {
  if (exchange.state.offer.capabilities().resources?.subscribe !== true) {
    exchange.refuse(methodNotFound(message.method));
    return undefined;
  }
  const uri = message.params === undefined ? undefined : own(message.params, 'uri');
  if (typeof uri === 'string' && uri.length <= MAX_URI) return uri;
  exchange.fail(invalidParams(`"uri" must be a string of at most ${MAX_URI} characters`));
  return undefined;
}
