/**
 * Cache hints: how long a modern client may reuse a list, a resource, or what `server/discover` says.
 *
 * A hint given with a resource outweighs the one of `resources/read`, member by member.
 */
import type { CacheHint } from '../protocol/types.js';
import type { ListKind } from './offer.js';

/** The methods whose results can be cached. */
export type CacheableMethod =
  | 'tools/list'
  | 'prompts/list'
  | 'resources/list'
  | 'resources/templates/list'
  | 'resources/read'
  | 'server/discover';

export const CACHEABLE_METHODS: Readonly<Record<ListKind | 'discover', CacheableMethod>> = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
  discover: 'server/discover',
};

export type CacheHints = Partial<Record<CacheableMethod, CacheHint>>;

/** @throws RangeError when a member has a value that no client would understand */
export function checkHint(of: string, hint: CacheHint | undefined): void {
  if (hint === undefined) return;
  if (hint.ttlMs !== undefined && !(Number.isSafeInteger(hint.ttlMs) && hint.ttlMs >= 0)) {
    throw new RangeError(`cacheHint of ${of}: ttlMs must be a whole number of milliseconds, zero or more`);
  }
  if (hint.cacheScope !== undefined && hint.cacheScope !== 'public' && hint.cacheScope !== 'private') {
    throw new RangeError(`cacheHint of ${of}: cacheScope must be "public" or "private"`);
  }
}

/** @throws TypeError for a method that cannot be cached, RangeError for a bad hint */
export function checkHints(hints: CacheHints): void {
  const methods = new Set<string>([...Object.values(CACHEABLE_METHODS), 'resources/read']);
  for (const [method, hint] of Object.entries(hints)) {
    if (!methods.has(method)) throw new TypeError(`cacheHints: ${method} has no cacheable result`);
    checkHint(method, hint);
  }
}

/** All members, with the defaults of the specification. */
export function fullHint(own: CacheHint | undefined, general: CacheHint | undefined): Required<CacheHint> {
  return {
    ttlMs: own?.ttlMs ?? general?.ttlMs ?? 0,
    cacheScope: own?.cacheScope ?? general?.cacheScope ?? 'private',
  };
}
