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
  exchange.state.live.cancel(exchange.listener, id, session?.id, typeof reason === 'string' ? reason : undefined);
}
