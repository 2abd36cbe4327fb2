/**
 * Who may use an entry, as it is said at registration. Only read and kept here: the check belongs to authorization.
 */
import type { AccessRule } from './offer.js';
import type { AccessConfig } from './types.js';

/** A scope by RFC 6749, 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The rule of an entry, or undefined when everybody may.
 * @throws TypeError for a rule that could never be right
 */
export function accessOf(config: AccessConfig, what: string, name: string): AccessRule | undefined {
  const { scopes, canAccess, scopeChallenge } = config;
  if (scopes === undefined && canAccess === undefined && scopeChallenge === undefined) return undefined;
  const of = `${what} "${name}"`;
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every((s) => typeof s === 'string' && SCOPE.test(s)))) {
    throw new TypeError(`scopes of ${of} must be an array of scope names without blanks or quotes`);
  }
  if (canAccess !== undefined && typeof canAccess !== 'function') {
    throw new TypeError(`canAccess of ${of} must be a function`);
  }
  if (scopeChallenge !== undefined && typeof scopeChallenge !== 'function') {
    throw new TypeError(`scopeChallenge of ${of} must be a function`);
  }
  return { scopes: scopes === undefined ? undefined : [...scopes], canAccess, scopeChallenge };
}
