/**
 * The guard of a server with authorization: who sends a request, whether that is enough, and what those are told for whom
 * it is not. What a token is worth is the verifiers' business.
 */
import type { Listener } from '../../engine/engine.js';
import type { RequestContext } from '../../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import type { Exchange } from '../../protocol/exchange.js';
import type { Guard, Refusal } from '../../protocol/guard.js';
import { OAuthError, OAuthErrorCode } from '../../protocol/sdk/errors.js';
import type { PathHandler } from '../../protocol/state.js';
import type { AuthInfo } from '../../protocol/types.js';
import type { AccessRule } from '../offer.js';
import { answerChallenge, type Challenge, challengeHeader } from './challenge.js';
import { InvalidTokenError } from './errors.js';
import { IntrospectionVerifier } from './introspection.js';
import { JwtVerifier } from './jwt.js';
import { metadataHandler, metadataOf, type ResourceMetadata } from './metadata.js';
import type { AuthOptions, StaticToken, TokenVerifier } from './options.js';
import { checkAuth } from './options.js';
import { digestOf, type Principal, Principals } from './principals.js';
import { refusalOf } from './rules.js';

/** Longest time that a verifier's word is believed, in milliseconds: how long a revoked token may go on. */
const MOST_BELIEVED = 300_000;
const INTROSPECTION_BELIEVED = 30_000;
/** Tokens in the course of being checked; further ones are told to come back. */
const MOST_CHECKING = 1000;
const LONGEST_TOKEN = 16 * 1024;
/** Milliseconds for one check: a verifier that never answers must not hold a place for ever. */
const CHECK_TIME = 30_000;

/** What the guard has to know of a server: the rules of its entries. */
export interface Rules {
  access(method: string, name: string): AccessRule | undefined;
  /** Whether any entry has a rule. */
  readonly guarded: boolean;
}

export class Gatekeeper implements Guard {
  /** Paths to be handed up besides the endpoint, with what answers there. */
  readonly paths: ReadonlyMap<string, PathHandler>;
  readonly #auth: AuthOptions;
  readonly #rules: Rules;
  readonly #metadata: ResourceMetadata;
  readonly #principals: Principals;
  readonly #verifier: TokenVerifier | undefined;
  readonly #statics: ReadonlyMap<string, AuthInfo>;
  readonly #checking = new Map<string, Promise<Principal>>();
  readonly #believed: number;

  /** @throws TypeError for a bad option */
  constructor(auth: AuthOptions, rules: Rules) {
    checkAuth(auth);
    this.#auth = auth;
    this.#rules = rules;
    this.#metadata = metadataOf(auth);
    this.paths = new Map(this.#metadata.paths.map((path) => [path, metadataHandler(this.#metadata)]));
    this.#principals = new Principals(auth.maxTokens ?? 10_000);
    this.#verifier = verifierOf(auth);
    this.#believed = auth.introspection === undefined ? MOST_BELIEVED : believedOf(auth);
    this.#statics = new Map((auth.tokens ?? []).map((token, index) => [digestOf(token.token), infoOf(token, index)]));
    for (const [digest, info] of this.#statics) {
      // What is not allowed everywhere must not be waved through by an engine.
      if (this.#missing(info).length > 0) continue;
      this.#principals.add(digest, info, info.expiresAt === undefined ? undefined : info.expiresAt * 1000, true);
    }
  }

  get hides(): boolean {
    return this.#rules.guarded;
  }

  /** Lets known tokens through a new listener; the function ends that. */
  attach(listener: Listener): () => void {
    this.#principals.attach(listener);
    return () => this.#principals.detach(listener);
  }

  who(_listener: Listener, principal: number): AuthInfo | undefined {
    return this.#principals.who(principal);
  }

  check(exchange: Exchange, httpMethod: string, go: (auth: AuthInfo | undefined) => void): void {
    // A preflight has no credentials and asks for nothing; metadata is how clients learn where to get some.
    const open = exchange.path !== undefined && this.paths.has(exchange.path);
    if (open || httpMethod === 'OPTIONS') {
      go(undefined);
      return;
    }
    const header = exchange.header('authorization');
    const token = header === undefined ? undefined : tokenOf(header);
    if (token === undefined) {
      this.#refuse(exchange, { status: 401, scopes: this.#auth.requiredScopes ?? [] });
      return;
    }
    const digest = digestOf(token);
    const known = this.#principals.find(digest);
    if (known === undefined) this.#verify(exchange, digest, token, go);
    else go(known.auth);
  }

  allows(
    auth: AuthInfo | undefined,
    method: string,
    name: string,
    context?: RequestContext,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    // Nobody comes this far without a token: whose is not known any more may do nothing.
    if (auth === undefined) return this.#unknown();
    const rule = this.#rules.access(method, name);
    if (rule === undefined) return undefined;
    const always = this.#auth.requiredScopes ?? [];
    return refusalOf({ rule, auth, method, name, context, always, metadataUrl: this.#metadata.url });
  }

  #verify(exchange: Exchange, digest: string, token: string, go: (auth: AuthInfo) => void): void {
    let checking = this.#checking.get(digest);
    if (checking === undefined) {
      if (this.#checking.size >= MOST_CHECKING) {
        this.#refuse(exchange, { status: 503, error: 'temporarily_unavailable', description: 'Too many new tokens' });
        return;
      }
      checking = this.#admit(digest, token).finally(() => this.#checking.delete(digest));
      this.#checking.set(digest, checking);
    }
    checking.then(
      (principal) => go(principal.auth),
      (error: unknown) => this.#refuse(exchange, this.#challengeFor(error)),
    );
  }

  async #admit(digest: string, token: string): Promise<Principal> {
    const info = await this.#judge(digest, token);
    const now = Date.now();
    const expires = info.expiresAt === undefined ? Number.POSITIVE_INFINITY : info.expiresAt * 1000;
    if (expires <= now) throw new InvalidTokenError('The token has expired');
    const missing = this.#missing(info);
    if (missing.length > 0) throw new ScopeError(missing);
    return this.#principals.add(digest, info, Math.min(expires, now + this.#believed));
  }

  async #judge(digest: string, token: string): Promise<AuthInfo> {
    const fixed = this.#statics.get(digest);
    if (fixed !== undefined) return fixed;
    if (this.#verifier === undefined) throw new InvalidTokenError();
    const info = await within(CHECK_TIME, this.#verifier.verifyAccessToken(token));
    if (typeof info?.clientId !== 'string' || !Array.isArray(info.scopes)) {
      throw new TypeError('verifyAccessToken must give an AuthInfo with clientId and scopes');
    }
    // What is no number would be compared with the clock, and never be late.
    if (info.expiresAt !== undefined && !Number.isFinite(info.expiresAt)) {
      throw new TypeError('verifyAccessToken must give expiresAt as a number of seconds');
    }
    const { resource } = info;
    if (resource !== undefined && comparable(resource) !== comparable(this.#auth.resource ?? '')) {
      throw new InvalidTokenError('The token is not meant for this server');
    }
    return info;
  }

  #unknown(): Refusal {
    const challenge = { status: 401, error: 'invalid_token', scopes: this.#auth.requiredScopes ?? [] } as const;
    return {
      error: new ProtocolError(ProtocolErrorCode.ServerError, 'Unauthorized'),
      status: 401,
      headers: challengeHeader(challenge, this.#metadata.url),
    };
  }

  #missing(info: AuthInfo): string[] {
    return (this.#auth.requiredScopes ?? []).filter((scope) => !info.scopes.includes(scope));
  }

  #challengeFor(error: unknown): Challenge {
    const scopes = this.#auth.requiredScopes ?? [];
    if (error instanceof InvalidTokenError || isInvalidToken(error)) {
      return { status: 401, error: 'invalid_token', description: error.message, scopes };
    }
    if (error instanceof ScopeError) {
      return { status: 403, error: 'insufficient_scope', description: error.message, scopes };
    }
    // Not the token's fault: the operator is told what, the client only that it may come back.
    try {
      this.#auth.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // A listener of errors that fails has nobody to be told.
    }
    return { status: 503, error: 'temporarily_unavailable', description: 'The token cannot be checked now' };
  }

  #refuse(exchange: Exchange, challenge: Challenge): void {
    answerChallenge(exchange, challenge, this.#metadata.url);
  }
}

class ScopeError extends Error {
  constructor(missing: readonly string[]) {
    super(`Missing scope: ${missing.join(' ')}`);
  }
}

/** The token of an `Authorization: Bearer` header; undefined for anything else. */
function tokenOf(header: string): string | undefined {
  if (header.length > LONGEST_TOKEN) return undefined;
  return /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header)?.[1];
}

/** The official SDK's way to say it, for verifiers that were written for it. */
function isInvalidToken(error: unknown): error is Error {
  return error instanceof OAuthError && error.code === OAuthErrorCode.InvalidToken;
}

/** Rejects when it takes longer than `ms`; what comes then is not looked at. */
async function within<T>(ms: number, given: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`verifyAccessToken gave no answer within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([given, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 8707 compares resources as they are; a trailing slash and a fragment are what people get wrong. */
function comparable(resource: URL | string): string {
  const href = URL.canParse(String(resource)) ? new URL(resource).href : '';
  return href.replace(/#.*$/s, '').replace(/\/$/, '');
}

/** Two tokens without names are two callers: what belongs to one must not be the other's. */
function infoOf({ token, clientId, scopes = [], expiresAt, extra }: StaticToken, index: number): AuthInfo {
  const name = clientId ?? (index === 0 ? 'static' : `static-${index + 1}`);
  const info: AuthInfo = { token, clientId: name, scopes: [...scopes] };
  if (expiresAt !== undefined) info.expiresAt = expiresAt;
  if (extra !== undefined) info.extra = extra;
  return info;
}

function verifierOf({ jwt, introspection, verifier, resource = '' }: AuthOptions): TokenVerifier | undefined {
  if (jwt !== undefined) return new JwtVerifier(jwt, resource);
  if (introspection !== undefined) return new IntrospectionVerifier(introspection, resource);
  return verifier;
}

function believedOf({ introspection }: AuthOptions): number {
  return introspection?.cacheTtl ?? INTROSPECTION_BELIEVED;
}
