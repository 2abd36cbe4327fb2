/**
 * The requests that both eras have: lists, tools/call, prompts/get, resources/read, completion/complete, and methods that
 * the server's author answers as a whole. An era's own requests, and what must hold before any request is looked at, are in
 * its folder.
 */

import type { MethodHandler, Offer } from '../server/offer.js';
import { whenAllowed } from './allowed.js';
import { LIST_METHODS, type ListKey, listAnswer } from './answers.js';
import { complete } from './complete.js';
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from './errors.js';
import type { Exchange } from './exchange.js';
import { asMembers, type Incoming, own } from './incoming.js';
import { checkMirrored } from './modern/mirrored.js';
import { ROUND_METHODS, readRetry } from './modern/rounds.js';
import { pageOf } from './pages.js';
import type { Session } from './sessions.js';
import type { Runnable } from './state.js';
import type { CacheHint } from './types.js';

type Answer = (exchange: Exchange, message: Incoming, session: Session | undefined) => void;
type Capability = 'tools' | 'prompts' | 'resources' | 'completions';

/** Method name -> the capability without which the method does not exist, and the answer. */
const SHARED = new Map<string, { capability: Capability; answer: Answer }>([
  [LIST_METHODS.tools, { capability: 'tools', answer: lister('tools') }],
  [LIST_METHODS.prompts, { capability: 'prompts', answer: lister('prompts') }],
  [LIST_METHODS.resources, { capability: 'resources', answer: lister('resources') }],
  [LIST_METHODS.resourceTemplates, { capability: 'resources', answer: lister('resourceTemplates') }],
  ['tools/call', { capability: 'tools', answer: runNamed('tools/call') }],
  ['prompts/get', { capability: 'prompts', answer: runNamed('prompts/get') }],
  ['resources/read', { capability: 'resources', answer: readResource }],
  ['completion/complete', { capability: 'completions', answer: complete }],
]);

/** The member of params that names what a method is about, for the methods that name something. */
export const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/**
 * Answers a request that is not an era's own; false when nobody knows the method, or its capability is not declared.
 */
export function answerShared(exchange: Exchange, message: Incoming, session: Session | undefined): boolean {
  if (answerCustom(exchange, message, session)) return true;
  const { offer } = exchange.state;
  const entry = SHARED.get(message.method);
  if (entry !== undefined && offer.capabilities()[entry.capability] !== undefined) {
    entry.answer(exchange, message, session);
    return true;
  }
  if (offer.fallback === undefined) return false;
  runCustom(offer.fallback, exchange, message, session);
  return true;
}

/** Answers a method that has a handler of its own, which stands before everything else. */
export function answerCustom(exchange: Exchange, message: Incoming, session: Session | undefined): boolean {
  const handler = exchange.state.offer.methodHandler(message.method);
  if (handler === undefined) return false;
  runCustom(handler, exchange, message, session);
  return true;
}

function runCustom(handler: MethodHandler, exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const { params } = message;
  const member = NAMED.get(message.method);
  const name = member === undefined || params === undefined ? undefined : own(params, member);
  const context = exchange.context(message, session, typeof name === 'string' ? name : '');
  // A result that is no object is refused where results are encoded.
  const run = (_: unknown, ctx: RequestContext) => handler.run(params, ctx) as object | Promise<object>;
  perform(exchange, message, context, { run }, params, context.method === 'resources/read' ? context.name : '');
}

export function methodNotFound(method: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.MethodNotFound, `Method not found: ${method}`);
}

export function invalidParams(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: ${why}`);
}

/** The error for a name (or URI) that a routed method does not know. */
export function unknownName(method: string, name: string): ProtocolError {
  if (method === 'resources/read') return new ResourceNotFoundError(name);
  const what = method === 'prompts/get' ? 'Unknown prompt' : 'Unknown tool';
  return new ProtocolError(ProtocolErrorCode.InvalidParams, name === '' ? what : `${what}: ${name}`);
}

/** Runs a handler for whoever may have it run. */
function perform(
  exchange: Exchange,
  message: Incoming,
  context: RequestContext,
  target: Runnable,
  args: unknown,
  uri: string,
): void {
  const { state } = exchange;
  if (state.guard === undefined) resume(exchange, message, context, target, args, uri);
  else whenAllowed(state.guard, context, () => resume(exchange, message, context, target, args, uri));
}

/** Runs a handler, after a retry's state has proven itself. */
function resume(
  exchange: Exchange,
  message: Incoming,
  context: RequestContext,
  target: Runnable,
  args: unknown,
  uri: string,
): void {
  const { state } = exchange;
  if (exchange.era === 'legacy' || message.params === undefined || !ROUND_METHODS.has(context.method)) {
    state.execute(context, target, args, uri);
    return;
  }
  let proven: undefined | Promise<void>;
  try {
    const retry = readRetry(message.params);
    if (retry !== undefined) proven = context.asking().resume(retry);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    exchange.refuse(error);
    return;
  }
  const waits = proven;
  if (waits === undefined) state.execute(context, target, args, uri);
  else state.execute(context, { run: (given, ctx) => waits.then(() => target.run(given, ctx)) }, args, uri);
}

function lister(key: ListKey): Answer {
  return (exchange, message, session) => {
    const offer = exchange.state.offer;
    const cursor = message.params === undefined ? undefined : own(message.params, 'cursor');
    if (cursor !== undefined && typeof cursor !== 'string') {
      exchange.fail(invalidParams('"cursor" must be a string'));
      return;
    }
    if (offer.dynamic(key)) {
      const list: Runnable = { run: (_, context) => dynamicList(exchange, key, cursor, context) };
      exchange.state.execute(exchange.context(message, session), list, undefined, '');
      return;
    }
    const page = pageOf(key, shown(exchange, key, offer.list(key)), offer.pageSize, cursor);
    exchange.result(listAnswer(exchange.era, key, page.items, hintOf(exchange, key), offer.info, page.nextCursor));
  };
}

/** A list as a result object: its last items are made for this request, by code that may take its time or fail. */
async function dynamicList(
  exchange: Exchange,
  key: ListKey,
  cursor: string | undefined,
  context: RequestContext,
): Promise<object> {
  const { offer } = exchange.state;
  const items = shown(exchange, key, [...offer.list(key), ...(await offer.dynamicItems(key, context))]);
  return listObject(offer, key, items, cursor, context, hintOf(exchange, key));
}

/** A page of a list as a result object. @throws {ProtocolError} -32602 for a bad cursor */
export function listObject(
  offer: Offer,
  key: ListKey,
  items: readonly string[],
  cursor: string | undefined,
  context: RequestContext,
  hint = offer.cacheHint(key),
): object {
  const page = pageOf(key, items, offer.pageSize, cursor);
  const list = { [key]: page.items.map((item) => JSON.parse(item) as unknown), nextCursor: page.nextCursor };
  if (context.era === 'legacy') return list;
  const { ttlMs = 0, cacheScope = 'private' } = hint;
  return { ...list, ttlMs, cacheScope };
}

/** What some may not see is nobody else's to be shown out of a cache, whatever the server's author says of it. */
function hintOf({ state }: Exchange, key: ListKey): CacheHint {
  const hint = state.offer.cacheHint(key);
  return state.guard?.hides === true ? { ...hint, cacheScope: 'private' } : hint;
}

/** What would use an entry of a list, and the member that names it. */
const USES: Record<ListKey, [method: string, member: string]> = {
  tools: ['tools/call', 'name'],
  prompts: ['prompts/get', 'name'],
  resources: ['resources/read', 'uri'],
  resourceTemplates: ['resources/read', 'uriTemplate'],
};

/** The entries that the caller may see. */
function shown(exchange: Exchange, key: ListKey, items: readonly string[]): readonly string[] {
  const { guard } = exchange.state;
  if (guard === undefined || !guard.hides) return items;
  const [method, member] = USES[key];
  return items.filter((item) => {
    const name = String((JSON.parse(item) as Record<string, unknown>)[member]);
    // What has to be found out first is shown: it is asked again when the entry is used.
    const verdict = guard.allows(exchange.authInfo, method, name);
    return verdict === undefined || verdict instanceof Promise;
  });
}

function runNamed(method: 'tools/call' | 'prompts/get'): Answer {
  return (exchange, message, session) => {
    const { offer } = exchange.state;
    const name = message.params === undefined ? undefined : own(message.params, 'name');
    if (message.params === undefined || typeof name !== 'string') {
      exchange.fail(invalidParams('"name" must be a string'));
      return;
    }
    const args = own(message.params, 'arguments');
    if (args !== undefined && asMembers(args) === undefined) {
      exchange.fail(invalidParams('"arguments" must be an object'));
      return;
    }
    const handler = offer.handlers[offer.find(method, name)];
    if (handler === undefined) {
      exchange.fail(unknownName(method, name));
      return;
    }
    const mismatch = method === 'tools/call' ? checkMirrored(exchange, name, asMembers(args)) : undefined;
    if (mismatch !== undefined) exchange.refuse(mismatch);
    else perform(exchange, message, exchange.context(message, session, name), handler, args, '');
  };
}

function readResource(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const { offer } = exchange.state;
  const uri = message.params === undefined ? undefined : own(message.params, 'uri');
  if (typeof uri !== 'string') {
    exchange.fail(invalidParams('"uri" must be a string'));
    return;
  }
  const handler = offer.handlers[offer.find('resources/read', uri)];
  // A template's run takes the context alone: the variables are bound already.
  const match = handler === undefined ? offer.matchTemplate(uri) : undefined;
  const target: Runnable | undefined = match === undefined ? handler : { run: (_, context) => match.run(context) };
  if (target === undefined) exchange.fail(unknownName('resources/read', uri));
  else perform(exchange, message, exchange.context(message, session, uri), target, undefined, uri);
}
