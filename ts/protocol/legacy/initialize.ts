/**
 * The legacy handshake: agree on a revision, remember who the client is, give it a session (HTTP) or make it the peer of
 * the pipe.
 */
import { initializeAnswer } from '../answers.js';
import { UnsupportedProtocolVersionError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { asMembers, type Incoming, type Members, own } from '../incoming.js';
import { invalidParams } from '../requests.js';
import { legacyOf, negotiate } from '../revisions.js';
import type { Opening } from '../sessions.js';
import type { ClientCapabilities, Implementation } from '../types.js';

/** Most characters of JSON that a session keeps of what its client said about itself. */
const MAX_KEPT = 16_384;

export function initialize(exchange: Exchange, message: Incoming): void {
  const requested = message.params === undefined ? undefined : own(message.params, 'protocolVersion');
  if (message.params === undefined || typeof requested !== 'string') {
    exchange.fail(invalidParams('"protocolVersion" must be a string'));
    return;
  }
  const { offer, sessions } = exchange.state;
  const version = agree(requested, offer.versions);
  if (version === undefined) {
    exchange.fail(new UnsupportedProtocolVersionError({ supported: [...(offer.versions ?? [])], requested }));
    return;
  }
  const capabilities = asMembers(own(message.params, 'capabilities')) ?? {};
  if (!keepable(capabilities)) {
    exchange.fail(invalidParams(`"capabilities" must be JSON of at most ${MAX_KEPT} characters`));
    return;
  }
  const opening: Opening = {
    version,
    clientInfo: readInfo(own(message.params, 'clientInfo')),
    capabilities: capabilities as ClientCapabilities,
    authInfo: exchange.authInfo,
  };
  const answer = initializeAnswer(opening.version, offer.info, offer.capabilities(), offer.instructions);
  if (exchange.pipe) {
    sessions.openPipe(exchange.listener, opening);
    exchange.result(answer);
  } else if (!exchange.state.opensSessions) {
    exchange.result(answer);
  } else {
    const session = sessions.open(exchange.listener, opening);
    exchange.result(answer, `mcp-session-id: ${session.id}\r\n`);
  }
}

/** The revision to speak: what was asked for when it is served, else the preferred one; undefined: none is legacy. */
function agree(requested: string, versions: readonly string[] | undefined): string | undefined {
  if (versions === undefined) return negotiate(requested);
  const served = legacyOf(versions);
  return served.includes(requested) ? requested : served[0];
}

/** Self-reported and for display only: what is no name, or too much to keep, is dropped, not refused. */
function readInfo(value: unknown): Implementation | undefined {
  const info = asMembers(value);
  if (info === undefined || typeof own(info, 'name') !== 'string') return undefined;
  if (keepable(info)) return info as unknown as Implementation;
  // Icons are what makes it large: some clients send theirs whole.
  const words = ['name', 'title', 'version'].filter((key) => typeof own(info, key) === 'string');
  const short = Object.fromEntries(words.map((key) => [key, info[key]]));
  return keepable(short) ? (short as unknown as Implementation) : undefined;
}

/** A session keeps it as long as it lives, and anybody may open ten thousand of them. */
function keepable(members: Members): boolean {
  return JSON.stringify(members).length <= MAX_KEPT;
}
