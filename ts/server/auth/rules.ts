/**
 * What an entry's access rule means for a caller: hidden, refused with a challenge for more scopes (step-up, RFC 6750 and
 * RFC 9470's idea), or allowed.
 */
import type { RequestContext } from '../../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import type { Refusal } from '../../protocol/guard.js';
import { unknownName } from '../../protocol/requests.js';
import type { AuthInfo } from '../../protocol/types.js';
import type { AccessRule, ScopeChallenge } from '../offer.js';
import { challengeHeader } from './challenge.js';

export interface RuleQuestion {
  readonly rule: AccessRule;
  readonly auth: AuthInfo | undefined;
  readonly method: string;
  readonly name: string;
  /** Absent when the question is only whether to show the entry. */
  readonly context: RequestContext | undefined;
  /** Scopes that every request needs: asked for along with what is missing. */
  readonly always: readonly string[];
  readonly metadataUrl: string;
}

/** Undefined: go on. */
export function refusalOf(question: RuleQuestion): Refusal | undefined | Promise<Refusal | undefined> {
  const { rule, auth, method, name, context } = question;
  // Who may not even know of an entry is told what is told of names that are not there.
  // Only true is yes: an async function gives a promise, which is no answer and would let everybody in.
  const may: unknown = rule.canAccess === undefined || rule.canAccess(auth, context);
  if (may !== true) {
    if (may instanceof Promise) may.catch(() => {});
    return { error: unknownName(method, name), status: 200, headers: '' };
  }
  const missing = (rule.scopes ?? []).filter((scope) => auth?.scopes.includes(scope) !== true);
  if (missing.length > 0 && context !== undefined) {
    return challenged(question, missing, rule.scopes ?? [], `Missing scope: ${missing.join(' ')}`);
  }
  // Only a call can be judged by it: the handler looks at the request.
  if (rule.scopeChallenge === undefined || context === undefined) return undefined;
  const request = requestOf(context);
  const challenge = rule.scopeChallenge(auth === undefined ? { request } : { request, authInfo: auth });
  const answer = (given: ScopeChallenge | undefined): Refusal | undefined =>
    given === undefined
      ? undefined
      : challenged(question, given.scopes, given.scopes, given.errorDescription ?? 'More scopes are needed');
  return challenge instanceof Promise ? challenge.then(answer) : answer(challenge);
}

/** The request in the words of the wire, without its envelope. */
function requestOf(context: RequestContext): Parameters<NonNullable<AccessRule['scopeChallenge']>>[0]['request'] {
  const { body } = context;
  const params = body === undefined ? undefined : (JSON.parse(body) as { params?: Record<string, unknown> }).params;
  const request = { jsonrpc: '2.0' as const, id: context.requestId, method: context.method };
  return params === undefined ? request : { ...request, params };
}

function challenged(
  { always, metadataUrl }: RuleQuestion,
  missing: readonly string[],
  needed: readonly string[],
  description: string,
): Refusal {
  // The whole set: a client that asks for less would lose what it needs for the other requests.
  const scopes = [...new Set([...always, ...needed])];
  return {
    error: new ProtocolError(ProtocolErrorCode.ServerError, `Insufficient scope: ${missing.join(' ')}`),
    status: 403,
    headers: challengeHeader({ status: 403, error: 'insufficient_scope', description, scopes }, metadataUrl),
  };
}
