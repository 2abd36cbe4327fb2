/**
 * Scopes that single calls need: what a tool, resource or prompt asks of the caller's token, and the 403 that says so.
 */
import type { AuthInfo } from '../types/auth.js';
import type { JSONRPCRequest } from '../types/json-rpc.js';
import { bearerAuthChallengeResponse } from './bearer.js';
import { OAuthError, OAuthErrorCode } from './errors.js';
import { getOAuthProtectedResourceMetadataUrl } from './resource-metadata.js';

/** The scopes that a token must have for the call, at least one. */
export interface ScopeChallenge {
  scopes: readonly [string, ...string[]];
  errorDescription?: string;
}

/** Looks at a call before its handler does: undefined lets it through. */
export type ScopeChallengeHandler = (context: {
  request: JSONRPCRequest;
  authInfo?: AuthInfo;
}) => ScopeChallenge | undefined | Promise<ScopeChallenge | undefined>;

/** Characters of a scope (RFC 6749) and of a description (RFC 6750). */
const SCOPE = /^[!#-[\]-~]+$/;
const DESCRIPTION = /^[ !#-[\]-~]+$/;

/**
 * Asks for all of the scopes. Callers without a token are let through: whether they may call at all is decided before.
 * @throws TypeError for no scope, or one that is none
 */
export function requireScopes(...scopes: readonly [string, ...string[]]): ScopeChallengeHandler {
  const challenge = checkedChallenge({ scopes }, 'requireScopes');
  return ({ authInfo }) =>
    authInfo === undefined || challenge.scopes.every((scope) => authInfo.scopes.includes(scope))
      ? undefined
      : challenge;
}

/**
 * The first challenge to any of the requests that came together.
 * @throws TypeError when a handler gives one that cannot be sent
 */
export async function findScopeChallenge(
  requests: readonly JSONRPCRequest[],
  authInfo: AuthInfo | undefined,
  handler: ScopeChallengeHandler,
): Promise<ScopeChallenge | undefined> {
  for (const request of requests) {
    const challenge = await handler(authInfo === undefined ? { request } : { request, authInfo });
    if (challenge !== undefined) return checkedChallenge(challenge, 'scope challenge');
  }
  return undefined;
}

/** The 403 for a challenge. It points at the metadata of whoever accepted the token, or of the token's resource. */
export function scopeChallengeResponse(challenge: ScopeChallenge, authInfo: AuthInfo | undefined): Response {
  const { resource } = authInfo ?? {};
  const derived = /^https?:$/.test(resource?.protocol ?? '')
    ? getOAuthProtectedResourceMetadataUrl(resource as URL)
    : undefined;
  return bearerAuthChallengeResponse(
    new OAuthError(OAuthErrorCode.InsufficientScope, challenge.errorDescription ?? 'Insufficient scope'),
    { requiredScopes: [...challenge.scopes], resourceMetadataUrl: authInfo?.resourceMetadataUrl ?? derived },
  );
}

function checkedChallenge(challenge: ScopeChallenge, where: string): ScopeChallenge {
  const { scopes, errorDescription } = (challenge ?? {}) as Partial<ScopeChallenge>;
  if (!Array.isArray(scopes) || scopes.length === 0) throw new TypeError(`${where} must have at least one scope`);
  for (const [index, scope] of scopes.entries()) {
    if (typeof scope !== 'string' || !SCOPE.test(scope))
      throw new TypeError(`${where}: scope ${index} is no OAuth scope`);
  }
  if (errorDescription !== undefined && (typeof errorDescription !== 'string' || !DESCRIPTION.test(errorDescription))) {
    throw new TypeError(`${where}: errorDescription has characters that a challenge cannot`);
  }
  return { ...challenge, scopes: [...scopes] as unknown as readonly [string, ...string[]] };
}
