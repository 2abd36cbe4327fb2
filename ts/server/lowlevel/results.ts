/**
 * What a handler by method gave, made a result: checked as far as the specification demands, with the freshness that
 * modern clients are told.
 */
import type { RequestContext } from '../../protocol/context.js';
import { ProtocolError, ProtocolErrorCode } from '../../protocol/errors.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import type { CacheHint } from '../../protocol/types.js';
import { CACHEABLE_METHODS } from '../hints.js';
import type { ListKind, Offer } from '../offer.js';

/** Methods whose result may ask for more first. */
const ROUNDS = new Set(['tools/call', 'prompts/get', 'resources/read']);
const KINDS = new Map<string, ListKind | 'discover'>(
  Object.entries(CACHEABLE_METHODS).map(([kind, method]) => [method, kind as ListKind | 'discover']),
);

/** @throws {ProtocolError} -32603 for what is no result of the method */
export function finished(
  method: string,
  params: Members | undefined,
  result: unknown,
  context: RequestContext,
  offer: Offer,
): object {
  const members = asMembers(result);
  if (members === undefined) throw broken(`The handler of ${method} returned no object`);
  if (members.resultType === 'input_required' && !ROUNDS.has(method)) {
    throw broken(`The handler of ${method} asked for input, which only tools/call, prompts/get and resources/read may`);
  }
  if (members.resultType !== undefined && members.resultType !== 'complete') return members;
  if (method === 'tools/call') return toolResult(members);
  const hint = context.era === 'modern' ? hintOf(method, params, offer) : undefined;
  return hint === undefined ? members : { ...hint, ...members };
}

function toolResult(result: Members): object {
  if (result.content === undefined) return { content: [], ...result };
  if (!Array.isArray(result.content)) throw broken('The handler of tools/call returned content that is no array');
  return result;
}

function hintOf(method: string, params: Members | undefined, offer: Offer): CacheHint | undefined {
  const kind = KINDS.get(method);
  if (kind !== undefined) return offer.cacheHint(kind);
  if (method !== 'resources/read') return undefined;
  const uri = params === undefined ? undefined : own(params, 'uri');
  return offer.cacheHint('resources', typeof uri === 'string' ? uri : '');
}

function broken(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, message);
}
