/**
 * Which era a client's message opens a connection in, and what is said to one that comes back on it.
 */
import { UnsupportedProtocolVersionError } from '../../protocol/errors.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { CLIENT_CAPABILITIES_META_KEY, MODERN_VERSIONS, PROTOCOL_VERSION_META_KEY } from '../../protocol/revisions.js';

/**
 * What a message claims by its `_meta`: `bad` when it claims to be modern and can only be answered with an error, which
 * decides nothing.
 */
export function claimOf(meta: Members | undefined, request: boolean): 'modern' | 'legacy' | 'bad' {
  if (meta === undefined || !Object.hasOwn(meta, PROTOCOL_VERSION_META_KEY)) return 'legacy';
  if (!MODERN_VERSIONS.includes(own(meta, PROTOCOL_VERSION_META_KEY) as string)) return 'bad';
  const complete = !request || asMembers(own(meta, CLIENT_CAPABILITIES_META_KEY)) !== undefined;
  return complete ? 'modern' : 'bad';
}

/** The answer to a legacy client where there is only the modern era, or to one that wants to fall back too late. */
export function legacyRefused(params: Members | undefined): UnsupportedProtocolVersionError {
  const requested = params === undefined ? undefined : own(params, 'protocolVersion');
  return new UnsupportedProtocolVersionError({
    supported: [...MODERN_VERSIONS],
    requested: typeof requested === 'string' ? requested : 'unknown',
  });
}
