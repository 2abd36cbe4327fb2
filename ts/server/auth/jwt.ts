/**
 * JWT access tokens: signature, issuer, audience, times; by the `jose` library.
 */
import type { CryptoKey, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import type { AuthInfo } from '../../protocol/types.js';
import { InvalidTokenError } from './errors.js';
import { fetched, objectIn } from './fetched.js';
import type { JwtOptions, TokenVerifier } from './options.js';
import { checkFetched } from './options.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const DISCOVERY_MS = 5000;
/** Keys that are tried for a token that does not say which one signed it. */
const MOST_KEYS = 16;
/**
 * What the header may call an access token. Issuers sign other JWTs with the same keys (logout tokens, introspection
 * answers, DPoP proofs), which carry a type of their own (RFC 8725, 3.11).
 */
const TYPES = /^(application\/)?(at\+)?jwt$/i;

export class JwtVerifier implements TokenVerifier {
  readonly #options: JwtOptions;
  readonly #resource: string;
  #keys: Promise<JWTVerifyGetKey> | undefined;

  /** @param resource what tokens must be for, unless `audience` says otherwise */
  constructor(options: JwtOptions, resource: string) {
    this.#options = options;
    this.#resource = resource;
  }

  async verifyAccessToken(token: string): Promise<AuthInfo> {
    const { issuer, audience = this.#resource, algorithms = ALGORITHMS, clockTolerance = 5 } = this.#options;
    const keys = await this.#loadKeys();
    const checks = { issuer, audience, algorithms, clockTolerance, requiredClaims: ['exp'] };
    const { payload, protectedHeader } = await verified(token, keys, checks);
    if (protectedHeader.typ !== undefined && !TYPES.test(protectedHeader.typ)) {
      throw new InvalidTokenError('The token is no access token');
    }
    checkUnbound(payload);
    return authInfoOf(token, payload, this.#resource);
  }

  /** Once; after a failure the next token tries again. */
  #loadKeys(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#openKeys().catch((error: unknown) => {
      this.#keys = undefined;
      throw error;
    });
    return this.#keys;
  }

  async #openKeys(): Promise<JWTVerifyGetKey> {
    const { createLocalJWKSet, createRemoteJWKSet, customFetch } = await import('jose');
    const { jwks, jwksUri, issuer, cacheMaxAge = 600_000, cooldown = 30_000 } = this.#options;
    if (jwks !== undefined) return createLocalJWKSet(jwks as unknown as Parameters<typeof createLocalJWKSet>[0]);
    const uri = jwksUri ?? (await discoverKeys([issuer].flat()[0] as string));
    const options = { cacheMaxAge, cooldownDuration: cooldown, timeoutDuration: DISCOVERY_MS };
    return createRemoteJWKSet(new URL(uri), {
      ...options,
      [customFetch]: async (url: string, init: RequestInit) => {
        const { status, text } = await fetched(url, init);
        return new Response(text ?? null, { status });
      },
    });
  }
}

/**
 * What jose finds wrong with the token names claims, never their values. That keys cannot be had is no fault of the token.
 * @throws {InvalidTokenError} for the token, anything else for the keys
 */
async function verified(token: string, keys: JWTVerifyGetKey, checks: JWTVerifyOptions) {
  const { jwtVerify, errors } = await import('jose');
  const attempt = async (key: JWTVerifyGetKey | CryptoKey) =>
    typeof key === 'function' ? jwtVerify(token, key, checks) : jwtVerify(token, key, checks);
  try {
    return await attempt(keys).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      let tries = 0;
      for await (const key of error) {
        if (++tries > MOST_KEYS) break;
        try {
          return await attempt(key);
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    });
  } catch (error) {
    if (error instanceof errors.JWKSTimeout) throw error;
    if (error instanceof errors.JWKSNoMatchingKey) {
      throw new InvalidTokenError('The token is signed with an unknown key');
    }
    if (error instanceof errors.JWTExpired) throw new InvalidTokenError('The token has expired');
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw new InvalidTokenError(`The token's claim "${error.claim}" is not what is needed`);
    }
    const ofToken =
      error instanceof errors.JWSInvalid ||
      error instanceof errors.JWTInvalid ||
      error instanceof errors.JWSSignatureVerificationFailed ||
      error instanceof errors.JOSEAlgNotAllowed ||
      error instanceof errors.JOSENotSupported;
    if (ofToken) throw new InvalidTokenError('The token is not a JWT that this server takes');
    throw error;
  }
}

/**
 * Refuses tokens that are bound to a key of their holder (RFC 7800: DPoP, mutual TLS): taken as mere bearer tokens they would
 * be worth as much to whoever stole them.
 */
export function checkUnbound(claims: Record<string, unknown>): void {
  if (claims.cnf === undefined || claims.cnf === null) return;
  throw new InvalidTokenError('The token is bound to a key; this server takes bearer tokens only');
}

/** `jwks_uri` of an issuer's metadata: RFC 8414 first, then OpenID Connect Discovery, as the specification orders them. */
export async function discoverKeys(issuer: string): Promise<string> {
  const { origin, pathname, protocol } = new URL(issuer);
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const place of new Set(places)) {
    const { text } = await fetched(place, { signal: AbortSignal.timeout(DISCOVERY_MS) });
    const document = text === undefined ? undefined : objectIn(text);
    if (document === undefined) continue;
    if (document.issuer !== issuer) throw new Error(`The metadata at ${place} is of another issuer`);
    checkFetched(`jwks_uri of ${issuer}`, document.jwks_uri);
    const uri = document.jwks_uri as string;
    // Configured addresses of this machine are fine; one that somebody else's document names is not.
    if (protocol === 'https:' && !uri.startsWith('https:'))
      throw new Error(`jwks_uri of ${issuer} must be an https URL`);
    return uri;
  }
  throw new Error(`The issuer ${issuer} publishes no metadata`);
}

/** The claims of RFC 9068, and what issuers commonly write in their place. */
function authInfoOf(token: string, payload: JWTPayload, resource: string): AuthInfo {
  const clientId = [payload.client_id, payload.azp, payload.sub].find((value) => typeof value === 'string');
  const info: AuthInfo = {
    token,
    clientId: (clientId as string | undefined) ?? '',
    scopes: scopesOf(payload.scope ?? payload.scp),
    resource: new URL(resource),
    extra: { ...payload },
  };
  if (payload.exp !== undefined) info.expiresAt = payload.exp;
  return info;
}

/** `scope` is a string with spaces, `scp` often a list. */
export function scopesOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '');
  return Array.isArray(value) ? value.filter((scope): scope is string => typeof scope === 'string') : [];
}
