/**
 * What registration brought, as handlers of methods: for code that wraps the handler of `tools/list` or `tools/call` of a
 * server rather than writing one. The protocol itself answers these methods without going through here.
 */
import { LIST_METHODS } from '../../protocol/answers.js';
import type { RequestContext } from '../../protocol/context.js';
import { asMembers, type Members, own } from '../../protocol/incoming.js';
import { invalidParams, listObject, unknownName } from '../../protocol/requests.js';
import type { JSONRPCRequest, Result } from '../../protocol/types.js';
import type { Catalog } from '../catalog.js';
import type { ListKind } from '../offer.js';

type Stored = (request: JSONRPCRequest, ctx: RequestContext) => Promise<Result>;

/** Undefined when the server answers no such method. */
export function builtInHandler(catalog: Catalog, method: string): Stored | undefined {
  for (const kind of Object.keys(LIST_METHODS) as ListKind[]) {
    if (LIST_METHODS[kind] !== method) continue;
    return catalog.offers(kind) ? (request, ctx) => list(catalog, kind, request, ctx) : undefined;
  }
  if (method === 'tools/call')
    return catalog.offers('tools') ? (request, ctx) => call(catalog, method, request, ctx) : undefined;
  if (method === 'prompts/get')
    return catalog.offers('prompts') ? (request, ctx) => call(catalog, method, request, ctx) : undefined;
  if (method !== 'resources/read' || !catalog.offers('resources')) return undefined;
  return (request, ctx) => read(catalog, request, ctx);
}

async function list(catalog: Catalog, kind: ListKind, request: JSONRPCRequest, ctx: RequestContext): Promise<Result> {
  const cursor = member(request, 'cursor');
  if (cursor !== undefined && typeof cursor !== 'string') throw invalidParams('"cursor" must be a string');
  const items = [...catalog.list(kind), ...(await catalog.dynamicItems(kind, ctx))];
  return listObject(catalog, kind, items, cursor, ctx) as Result;
}

async function call(
  catalog: Catalog,
  method: 'tools/call' | 'prompts/get',
  request: JSONRPCRequest,
  ctx: RequestContext,
): Promise<Result> {
  const name = member(request, 'name');
  if (typeof name !== 'string') throw invalidParams('"name" must be a string');
  const handler = catalog.handlers[catalog.find(method, name)];
  if (handler === undefined) throw unknownName(method, name);
  return (await handler.run(member(request, 'arguments'), ctx)) as Result;
}

async function read(catalog: Catalog, request: JSONRPCRequest, ctx: RequestContext): Promise<Result> {
  const uri = member(request, 'uri');
  if (typeof uri !== 'string') throw invalidParams('"uri" must be a string');
  const handler = catalog.handlers[catalog.find('resources/read', uri)];
  if (handler !== undefined) return (await handler.run(undefined, ctx)) as Result;
  const match = catalog.matchTemplate(uri);
  if (match === undefined) throw unknownName('resources/read', uri);
  return (await match.run(ctx)) as Result;
}

function member(request: JSONRPCRequest, key: string): unknown {
  const params: Members | undefined = asMembers(request.params);
  return params === undefined ? undefined : own(params, key);
}
