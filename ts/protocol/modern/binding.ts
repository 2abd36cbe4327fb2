/**
 * What a sealed state belongs to: method, name, arguments and caller. A state that comes with another request, or from
 * another caller, does not open.
 */
import { createHash } from 'node:crypto';
import type { RequestContext } from '../context.js';
import type { Members } from '../incoming.js';
import { partyOf } from '../party.js';

/** Text that is equal for two requests exactly when one may carry the state of the other. */
export function requestBinding(context: RequestContext): string {
  const hash = createHash('sha256').update(canonical(context.originalArguments())).digest('base64url');
  const auth = context.authInfo;
  const caller = auth === undefined ? [] : [partyOf(auth)];
  return JSON.stringify([context.method, context.name, hash, ...caller]);
}

/** JSON with sorted keys: a client that encodes its request again may order them otherwise. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = value as Members;
  return `{${Object.keys(members)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(members[key])}`)
    .join(',')}}`;
}
