/**
 * Who a caller is, as far as what belongs to callers goes: sessions, sealed states, tasks. A token may be renewed without
 * its owner becoming somebody else.
 */
import type { AuthInfo } from './types.js';

/**
 * Equal for two callers exactly when they are the same: issuer, client and subject. The issuer counts because two of them
 * may give the same names to different people.
 */
export function partyOf({ clientId, extra }: AuthInfo): string {
  return JSON.stringify([text(extra?.iss), clientId, text(extra?.sub)]);
}

/** Whether two requests come from the same party: an id alone lets nobody else into what is behind it. */
export function sameParty(a: AuthInfo | undefined, b: AuthInfo | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return partyOf(a) === partyOf(b);
}

function text(claim: unknown): string | null {
  return typeof claim === 'string' ? claim : null;
}
