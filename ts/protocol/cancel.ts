/**
 * `notifications/cancelled`: stops the handler of a request in flight, when the sender may name that request.
 */
import type { Exchange } from './exchange.js';
import { type Incoming, own } from './incoming.js';
import type { Session } from './sessions.js';

/**
 * Ids are a sender's own: on a pipe there is one sender, over HTTP only a session tells whose request an id names.
 * Unknown ids are ignored, as the specification asks: the request may have ended meanwhile.
 */
export function cancel(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  if (message.params === undefined || (!exchange.pipe && session === undefined)) return;
  const id = own(message.params, 'requestId');
  const reason = own(message.params, 'reason');
  if (typeof id !== 'string' && typeof id !== 'number') return;
  const why = typeof reason === 'string' ? reason : undefined;
  // A call that can be resumed is not where its request was: it may have no connection at all now.
  if (session?.streams.cancel(id, session.id, why)) return;
  exchange.state.live.cancel(exchange.listener, id, session?.id, why);
}
