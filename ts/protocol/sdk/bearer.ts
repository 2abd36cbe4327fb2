/**
 * Bearer tokens (RFC 6750) on web-standard requests: reads the header, has the token verified, and answers refusals with
 * their challenges. Who verifies tokens is the caller's; scopes per request are in scopes.ts.
 */
import type { AuthInfo } from '../types/auth.js';
import { OAuthError, OAuthErrorCode } from './errors.js';

/** Tells who a token stands for. */
export interface OAuthTokenVerifier {
  /**
   * `expiresAt` must be in what it gives: a token without an end is refused.
   * @throws {OAuthError} with `OAuthErrorCode.InvalidToken` for a token that is not, or no longer, good
   */
  verifyAccessToken(token: string): Promise<AuthInfo>;
}

export interface BearerAuthOptions {
  verifier: OAuthTokenVerifier;
  /** All of them are needed. Default: none. */
  requiredScopes?: string[];
  /** Where challenges point for the resource metadata (RFC 9728). Default: nowhere. */
  resourceMetadataUrl?: string;
}

export interface VerifyBearerTokenOptions extends BearerAuthOptions {
  /**
   * Takes only tokens whose `resource` (RFC 8707) is this one, a fragment and one trailing slash aside. Default: the
   * resource is not looked at.
   */
  expectedResource?: URL;
}

/**
 * Who an `Authorization` header stands for.
 * @throws {OAuthError} for a header or token that is missing, malformed, for another resource, without the scopes or past
 * its end; whatever the verifier throws
 */
export async function verifyBearerToken(
  authorizationHeader: string | null | undefined,
  options: VerifyBearerTokenOptions,
): Promise<AuthInfo> {
  const { verifier, requiredScopes = [], expectedResource, resourceMetadataUrl } = options;
  if (!authorizationHeader) throw refusal('Missing Authorization header');
  const [scheme, token] = authorizationHeader.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token) {
    throw refusal("Invalid Authorization header format, expected 'Bearer TOKEN'");
  }
  const authInfo = await verifier.verifyAccessToken(token);
  if (expectedResource !== undefined && comparable(authInfo.resource) !== comparable(expectedResource)) {
    throw refusal('Token was not issued for this resource');
  }
  if (!requiredScopes.every((scope) => authInfo.scopes.includes(scope))) {
    throw new OAuthError(OAuthErrorCode.InsufficientScope, 'Insufficient scope');
  }
  const { expiresAt } = authInfo;
  if (typeof expiresAt !== 'number' || Number.isNaN(expiresAt)) throw refusal('Token has no expiration time');
  if (expiresAt < Date.now() / 1000) throw refusal('Token has expired');
  if (resourceMetadataUrl === undefined || authInfo.resourceMetadataUrl !== undefined) return authInfo;
  // Challenges of single calls, made later, point at the same document.
  return { ...authInfo, resourceMetadataUrl };
}

function refusal(why: string): OAuthError {
  return new OAuthError(OAuthErrorCode.InvalidToken, why);
}

function comparable(resource: URL | undefined): string | undefined {
  return resource && String(resource).replace(/#.*$/s, '').replace(/\/$/, '');
}

/**
 * The HTTP answer for what {@link verifyBearerToken} threw: 401 for a bad token and 403 for missing scopes, both with a
 * challenge; 400 for other OAuth errors; 500, saying nothing, for everything else.
 */
export function bearerAuthChallengeResponse(
  error: unknown,
  options?: Pick<BearerAuthOptions, 'requiredScopes' | 'resourceMetadataUrl'>,
): Response {
  const known = error instanceof OAuthError;
  const shown = known ? error : new OAuthError(OAuthErrorCode.ServerError, 'Internal Server Error');
  const status = statusOf(shown.code);
  const headers: Record<string, string> = {};
  if (status === 401 || status === 403) {
    headers['WWW-Authenticate'] = bearerChallenge(
      shown.code,
      shown.message,
      options?.requiredScopes ?? [],
      options?.resourceMetadataUrl,
    );
  }
  return Response.json(shown.toResponseObject(), { status, headers });
}

function statusOf(code: string): number {
  if (code === OAuthErrorCode.InvalidToken) return 401;
  if (code === OAuthErrorCode.InsufficientScope) return 403;
  return code === OAuthErrorCode.ServerError ? 500 : 400;
}

/** Value of a `WWW-Authenticate` header; every part of it is quoted and holds only what a header may. */
export function bearerChallenge(
  code: string,
  description: string,
  scopes: readonly string[],
  resourceMetadataUrl: string | undefined,
): string {
  const parts = [`error=${quoted(code)}`, `error_description=${quoted(description)}`];
  if (scopes.length > 0) parts.push(`scope=${quoted(scopes.join(' '))}`);
  if (resourceMetadataUrl) parts.push(`resource_metadata=${quoted(resourceMetadataUrl)}`);
  return `Bearer ${parts.join(', ')}`;
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replace(/[^ -~]/g, ' ')}"`;
}

/** A gate for `fetch(Request)` handlers: who is calling, or the answer that refuses them. */
export function requireBearerAuth(
  options: VerifyBearerTokenOptions,
): (request: Request) => Promise<AuthInfo | Response> {
  // Read now: options that are no options fail at start, not at the first request.
  const { verifier, requiredScopes = [], resourceMetadataUrl, expectedResource } = options;
  const settled = { verifier, requiredScopes, resourceMetadataUrl, expectedResource };
  return async (request) => {
    // Headers that were sent twice come joined; the first counts. A token has no comma.
    const [header] = (request.headers.get('authorization') ?? '').split(',');
    try {
      return await verifyBearerToken(header, settled);
    } catch (error) {
      return bearerAuthChallengeResponse(error, settled);
    }
  };
}
