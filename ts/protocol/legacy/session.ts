/**
 * Sessions as legacy HTTP sees them: found by header, closed by DELETE.
 */
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { sameParty } from '../party.js';
import type { Session } from '../sessions.js';

/**
 * The session of a message: a pipe's unnamed one, the one that the header names, or undefined without a header.
 * @throws {ProtocolError} -32001 when the header names a session that is not (or no longer) there
 */
export function sessionOf(exchange: Exchange): Session | undefined {
  if (exchange.pipe) return exchange.state.sessions.pipe(exchange.listener);
  const id = exchange.header('mcp-session-id');
  if (id === undefined) return undefined;
  const session = exchange.state.sessions.find(exchange.listener, id);
  const known = session !== undefined && sameParty(session.authInfo, exchange.authInfo);
  if (!known) throw new ProtocolError(ProtocolErrorCode.SessionNotFound, 'Session not found');
  return session;
}

/** DELETE: 204 once, 404 from then on; 400 when no session is named. */
export function closeSession(exchange: Exchange): void {
  try {
    const session = sessionOf(exchange);
    if (session === undefined) {
      const missing = 'Bad request: the Mcp-Session-Id header is missing';
      exchange.status(400, new ProtocolError(ProtocolErrorCode.ServerError, missing));
      return;
    }
    exchange.state.sessions.close(session);
    exchange.status(204, undefined);
  } catch (error) {
    exchange.refuse(error as ProtocolError);
  }
}
