/**
 * `WWW-Authenticate` challenges (RFC 6750, section 3; RFC 9728, section 5.1) and the answers that carry them.
 */
import { Shape } from '../../engine/engine.js';
import type { Exchange } from '../../protocol/exchange.js';

export interface Challenge {
  readonly status: 401 | 403 | 503;
  /** Absent when no token was sent at all: then there is nothing wrong with it. */
  readonly error?: 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable';
  readonly description?: string;
  readonly scopes?: readonly string[];
}

/** The header line. `metadataUrl` tells where to get a token; empty when this server publishes no metadata. */
export function challengeHeader(challenge: Challenge, metadataUrl: string): string {
  const parts: string[] = [];
  if (challenge.error !== undefined) parts.push(`error="${challenge.error}"`);
  if (challenge.description !== undefined) parts.push(`error_description="${quotable(challenge.description)}"`);
  if (challenge.scopes !== undefined && challenge.scopes.length > 0) {
    parts.push(`scope="${printable(challenge.scopes.join(' '))}"`);
  }
  if (metadataUrl !== '') parts.push(`resource_metadata="${printable(metadataUrl)}"`);
  return `www-authenticate: Bearer${parts.length === 0 ? '' : ` ${parts.join(', ')}`}\r\n`;
}

/** Answers an exchange with a challenge; the body says the same as JSON. */
export function answerChallenge(exchange: Exchange, challenge: Challenge, metadataUrl: string): void {
  const type = 'content-type: application/json\r\ncache-control: no-store\r\n';
  const header = challenge.status === 503 ? 'retry-after: 5\r\n' : challengeHeader(challenge, metadataUrl);
  const body = JSON.stringify({
    error: challenge.error ?? 'invalid_token',
    error_description: quotable(challenge.description ?? 'An access token is needed'),
  });
  exchange.port.reply(exchange.slot, challenge.status, Shape.raw, 0, `${header}${type}`, body);
}

function quotable(text: string): string {
  return printable(text).slice(0, 200);
}

/** RFC 6750 allows printable ASCII without quote and backslash. Scopes may be a callback's, made of what a client sent. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ');
}
