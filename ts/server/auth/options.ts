/**
 * What `listen({ auth })` takes: types, and the checks that turn a mistake into an error before anything listens.
 */
import type { AuthInfo } from '../../protocol/types.js';
import { checkInteger, checkKnown, show } from '../limits.js';

/** A bearer token that is configured rather than issued. */
export interface StaticToken {
  /** At least 16 characters: whoever guesses it may call every tool. */
  token: string;
  /** Who it stands for, as handlers see it. Default `static`, `static-2` and so on, by position. */
  clientId?: string;
  /** Default: none. */
  scopes?: string[];
  /** Seconds since the epoch. Default: never. */
  expiresAt?: number;
  extra?: Record<string, unknown>;
}

/** JWT access tokens (RFC 9068), checked with the authorization server's keys. */
export interface JwtOptions {
  /** Whose tokens are taken. */
  issuer: string | string[];
  /** Where its keys are. Default: what the issuer's own metadata says (RFC 8414, OpenID Connect Discovery). */
  jwksUri?: string;
  /** Keys that are known beforehand, as a JWK set; then nothing is fetched. */
  jwks?: { keys: Record<string, unknown>[] };
  /** Whom tokens must be for (RFC 8707). Default: the `resource` of this server. */
  audience?: string | string[];
  /** Default: RS, PS and ES of 256 to 512 bits, and EdDSA. Symmetric algorithms are never taken. */
  algorithms?: string[];
  /** Seconds by which clocks may differ. Default 5. */
  clockTolerance?: number;
  /** Milliseconds that fetched keys are used without asking again. Default 600,000. */
  cacheMaxAge?: number;
  /** Milliseconds before keys are fetched again because a token names an unknown one. Default 30,000. */
  cooldown?: number;
}

/** Token introspection (RFC 7662), for tokens that only the authorization server understands. */
export interface IntrospectionOptions {
  endpoint: string;
  clientId: string;
  clientSecret: string;
  /** Milliseconds for one question. Default 5000. */
  timeout?: number;
  /** Milliseconds that an answer is believed. Default 30,000: so long a revoked token may still work. */
  cacheTtl?: number;
  /** Whether an answer without `aud` is refused. Default true: a token must be for this server. */
  requireAudience?: boolean;
}

/** Any other way to check a token. */
export interface TokenVerifier {
  /**
   * Who it is. Rejects with `InvalidTokenError`, whose message its sender is told, when the token is worth nothing (the
   * official SDK's `OAuthError` with `invalid_token` does as well); with anything else when that is unknown. Has 30 seconds.
   */
  verifyAccessToken(token: string): Promise<AuthInfo>;
}

export interface AuthOptions {
  tokens?: StaticToken[];
  jwt?: JwtOptions;
  introspection?: IntrospectionOptions;
  verifier?: TokenVerifier;
  /**
   * The canonical URI of this server (RFC 8707), such as `https://mcp.example.com/mcp`. Needed unless there are static
   * tokens only; published as protected-resource metadata (RFC 9728).
   */
  resource?: string;
  /** Issuers where clients get tokens for it. Default: the issuers of `jwt`. */
  authorizationServers?: string[];
  /** Scopes that every request needs. Default: none. */
  requiredScopes?: string[];
  /** What the metadata lists. Default: `requiredScopes`. */
  scopesSupported?: string[];
  /** For people, in the metadata. */
  resourceName?: string;
  resourceDocumentation?: string;
  /** Most tokens that are remembered as checked. Default 10,000; further ones push out the oldest. */
  maxTokens?: number;
  /** Told of failures that are nobody's token: unreachable keys, broken verifiers. Never told a token. */
  onerror?: (error: Error) => void;
}

const OPTIONS = [
  'tokens',
  'jwt',
  'introspection',
  'verifier',
  'resource',
  'authorizationServers',
  'requiredScopes',
  'scopesSupported',
  'resourceName',
  'resourceDocumentation',
  'maxTokens',
  'onerror',
];
const TOKEN_OPTIONS = ['token', 'clientId', 'scopes', 'expiresAt', 'extra'];
const JWT_OPTIONS = [
  'issuer',
  'jwksUri',
  'jwks',
  'audience',
  'algorithms',
  'clockTolerance',
  'cacheMaxAge',
  'cooldown',
];
const INTROSPECTION_OPTIONS = ['endpoint', 'clientId', 'clientSecret', 'timeout', 'cacheTtl', 'requireAudience'];
const LEAST_TOKEN = 16;
/** RFC 6750, 2.1: what a bearer token may consist of. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** RFC 6749, 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** @throws TypeError naming the option; the value of a token is never part of it */
export function checkAuth(auth: AuthOptions): void {
  checkKnown(auth, OPTIONS, 'auth');
  const { tokens, jwt, introspection, verifier, resource } = auth;
  const sources = [jwt, introspection, verifier].filter((source) => source !== undefined).length;
  if (sources > 1) throw new TypeError('Option auth takes one of jwt, introspection and verifier');
  if (sources === 0 && (tokens === undefined || tokens.length === 0)) {
    throw new TypeError('Option auth needs tokens, jwt, introspection or verifier: as it is nobody could call');
  }
  if (sources > 0 && resource === undefined) {
    throw new TypeError('Option auth.resource is missing: the URI of this server, for which tokens must be meant');
  }
  if (resource !== undefined) checkResource(resource);
  if (tokens !== undefined && !Array.isArray(tokens)) throw new TypeError('Option auth.tokens must be an array');
  for (const [index, token] of (tokens ?? []).entries()) checkToken(token, index);
  if (new Set(tokens?.map(({ token }) => token)).size !== (tokens?.length ?? 0)) {
    throw new TypeError('Option auth.tokens has the same token twice');
  }
  for (const name of ['requiredScopes', 'scopesSupported'] as const) checkScopes(`auth.${name}`, auth[name]);
  for (const url of auth.authorizationServers ?? []) checkFetched('auth.authorizationServers', url);
  if (jwt !== undefined) checkJwt(jwt);
  if (introspection !== undefined) checkIntrospection(introspection);
  if (verifier !== undefined && typeof verifier.verifyAccessToken !== 'function') {
    throw new TypeError('Option auth.verifier must have a function verifyAccessToken');
  }
  if (auth.maxTokens !== undefined) checkInteger('auth.maxTokens', auth.maxTokens, 1);
}

function checkResource(resource: string): void {
  const url = URL.canParse(resource) ? new URL(resource) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || resource.includes('#')) {
    throw new TypeError(`Option auth.resource must be an http(s) URI without fragment, not ${show(resource)}`);
  }
  // It is published, and part of every challenge.
  if (url.username !== '' || url.password !== '') throw new TypeError('Option auth.resource must hold no credentials');
}

function checkToken(token: StaticToken, index: number): void {
  const where = `Option auth.tokens[${index}]`;
  if (typeof token?.token !== 'string' || token.token.length < LEAST_TOKEN || !TOKEN.test(token.token)) {
    throw new TypeError(`${where}.token must have at least ${LEAST_TOKEN} characters of A-Z a-z 0-9 - . _ ~ + /`);
  }
  checkKnown(token, TOKEN_OPTIONS, `auth.tokens[${index}]`);
  checkScopes(`auth.tokens[${index}].scopes`, token.scopes);
  const { clientId } = token;
  if (clientId !== undefined && (typeof clientId !== 'string' || clientId === '')) {
    throw new TypeError(`${where}.clientId must be a name`);
  }
  if (token.expiresAt !== undefined && !Number.isFinite(token.expiresAt)) {
    throw new TypeError(`${where}.expiresAt must be a number of seconds`);
  }
}

export function checkScopes(name: string, scopes: unknown): void {
  if (scopes === undefined) return;
  if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string' || !SCOPE.test(scope))) {
    throw new TypeError(`Option ${name} must be an array of scopes without spaces or quotes, not ${show(scopes)}`);
  }
}

function checkJwt(jwt: JwtOptions): void {
  checkKnown(jwt, JWT_OPTIONS, 'auth.jwt');
  const issuers = typeof jwt.issuer === 'string' ? [jwt.issuer] : jwt.issuer;
  if (!Array.isArray(issuers) || issuers.length === 0) throw new TypeError('Option auth.jwt.issuer is missing');
  for (const issuer of issuers) checkFetched('auth.jwt.issuer', issuer);
  if (jwt.jwksUri !== undefined) checkFetched('auth.jwt.jwksUri', jwt.jwksUri);
  if (issuers.length > 1 && jwt.jwksUri === undefined && jwt.jwks === undefined) {
    throw new TypeError('Option auth.jwt with several issuers needs jwksUri or jwks');
  }
  const { algorithms, audience, jwks } = jwt;
  if (algorithms !== undefined && (!areNames(algorithms) || algorithms.some((name) => /^(HS|none)/i.test(name)))) {
    throw new TypeError('Option auth.jwt.algorithms takes asymmetric algorithms only, at least one');
  }
  // The empty text would be taken for no audience at all, and then tokens for anybody would do.
  if (audience !== undefined && !areNames(typeof audience === 'string' ? [audience] : audience)) {
    throw new TypeError('Option auth.jwt.audience must be one or more names');
  }
  if (jwks !== undefined && !Array.isArray(jwks?.keys)) throw new TypeError('Option auth.jwt.jwks must have keys');
  if (jwt.clockTolerance !== undefined) checkInteger('auth.jwt.clockTolerance', jwt.clockTolerance, 0, 600);
  if (jwt.cacheMaxAge !== undefined) checkInteger('auth.jwt.cacheMaxAge', jwt.cacheMaxAge, 1);
  if (jwt.cooldown !== undefined) checkInteger('auth.jwt.cooldown', jwt.cooldown, 1);
}

function areNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '');
}

function checkIntrospection(given: IntrospectionOptions): void {
  checkKnown(given, INTROSPECTION_OPTIONS, 'auth.introspection');
  checkFetched('auth.introspection.endpoint', given.endpoint);
  if (typeof given.clientId !== 'string' || typeof given.clientSecret !== 'string') {
    throw new TypeError('Option auth.introspection needs clientId and clientSecret');
  }
  if (given.timeout !== undefined) checkInteger('auth.introspection.timeout', given.timeout, 1);
  if (given.cacheTtl !== undefined) checkInteger('auth.introspection.cacheTtl', given.cacheTtl, 0);
}

/** What trust is built on is fetched over https, or from this machine. */
export function checkFetched(name: string, url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const local = parsed !== undefined && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  if (parsed !== undefined && (parsed.protocol === 'https:' || (parsed.protocol === 'http:' && local))) return;
  throw new TypeError(`Option ${name} must be an https URL (http on loopback only), not ${show(url)}`);
}
