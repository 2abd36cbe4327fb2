/**
 * The legacy handshake: agree on a revision, remember who the client is, give it a session (HTTP) or make it the peer of
 * the pipe.
 */
import { initializeAnswer } from '../answers.js';
import type { Exchange } from '../exchange.js';
import { asMembers, type Incoming, own } from '../incoming.js';
import { invalidParams } from '../requests.js';
import { negotiate } from '../revisions.js';
import type { Opening } from '../sessions.js';
import type { ClientCapabilities, Implementation } from '../types.js';

export function initialize(exchange: Exchange, message: Incoming): void {
  const requested = message.params === undefined ? undefined : own(message.params, 'protocolVersion');
  if (message.params === undefined || typeof requested !== 'string') {
    exchange.fail(invalidParams('"protocolVersion" must be a string'));
    return;
  }
  const opening: Opening = {
    version: negotiate(requested),
    clientInfo: readInfo(own(message.params, 'clientInfo')),
    capabilities: (asMembers(own(message.params, 'capabilities')) ?? {}) as ClientCapabilities,
  };
  const { offer, sessions } = exchange.state;
  const answer = initializeAnswer(opening.version, offer.info, offer.capabilities(), offer.instructions);
  if (exchange.pipe) {
    sessions.openPipe(exchange.listener, opening);
    exchange.result(answer);
  } else {
    const session = sessions.open(exchange.listener, opening);
    exchange.result(answer, `mcp-session-id: ${session.id}\r\n`);
  }
}

/** Self-reported and for display only: what is no name is dropped, not refused. */
function readInfo(value: unknown): Implementation | undefined {
  const info = asMembers(value);
  return info !== undefined && typeof info.name === 'string' ? (info as unknown as Implementation) : undefined;
}
