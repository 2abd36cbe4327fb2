/**
 * The requests that both eras have: lists, tools/call, prompts/get, resources/read. An era's own requests, and what must
 * hold before any request is looked at, are in its folder.
 */

import type { Offer } from '../server/offer.js';
import { LIST_METHODS, type ListKey, listAnswer } from './answers.js';
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from './errors.js';
import type { Exchange } from './exchange.js';
import { asMembers, type Incoming, own } from './incoming.js';
import { pageOf } from './pages.js';
import type { Session } from './sessions.js';
import type { Runnable } from './state.js';

type Answer = (exchange: Exchange, message: Incoming, session: Session | undefined) => void;

/** Method name -> the capability without which the method does not exist, and the answer. */
const SHARED = new Map<string, { capability: 'tools' | 'prompts' | 'resources'; answer: Answer }>([
  [LIST_METHODS.tools, { capability: 'tools', answer: lister('tools') }],
  [LIST_METHODS.prompts, { capability: 'prompts', answer: lister('prompts') }],
  [LIST_METHODS.resources, { capability: 'resources', answer: lister('resources') }],
  [LIST_METHODS.resourceTemplates, { capability: 'resources', answer: lister('resourceTemplates') }],
  ['tools/call', { capability: 'tools', answer: runNamed('tools/call') }],
  ['prompts/get', { capability: 'prompts', answer: runNamed('prompts/get') }],
  ['resources/read', { capability: 'resources', answer: readResource }],
]);

/** Answers a request that both eras have; false when the method is none of them, or its capability is not declared. */
export function answerShared(exchange: Exchange, message: Incoming, session: Session | undefined): boolean {
  const entry = SHARED.get(message.method);
  if (entry === undefined || exchange.state.offer.capabilities()[entry.capability] === undefined) return false;
  entry.answer(exchange, message, session);
  return true;
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

function lister(key: ListKey): Answer {
  return (exchange, message, session) => {
    const offer = exchange.state.offer;
    const cursor = message.params === undefined ? undefined : own(message.params, 'cursor');
    if (cursor !== undefined && typeof cursor !== 'string') {
      exchange.fail(invalidParams('"cursor" must be a string'));
      return;
    }
    if (offer.dynamic(key)) {
      const list: Runnable = { run: (_, context) => dynamicList(offer, key, cursor, context) };
      exchange.state.execute(exchange.context(message, session), list, undefined, '');
      return;
    }
    const page = pageOf(key, offer.list(key), offer.pageSize, cursor);
    exchange.result(listAnswer(exchange.era, key, page.items, offer.cacheHint(key), offer.info, page.nextCursor));
  };
}

/** A list as a result object: its last items are made for this request, by code that may take its time or fail. */
async function dynamicList(
  offer: Offer,
  key: ListKey,
  cursor: string | undefined,
  context: RequestContext,
): Promise<object> {
  const items = [...offer.list(key), ...(await offer.dynamicItems(key, context))];
  const page = pageOf(key, items, offer.pageSize, cursor);
  const list = { [key]: page.items.map((item) => JSON.parse(item) as unknown), nextCursor: page.nextCursor };
  if (context.era === 'legacy') return list;
  const { ttlMs = 0, cacheScope = 'private' } = offer.cacheHint(key);
  return { ...list, ttlMs, cacheScope };
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
    if (handler === undefined) exchange.fail(unknownName(method, name));
    else exchange.state.execute(exchange.context(message, session), handler, args, '');
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
  if (handler !== undefined) {
    exchange.state.execute(exchange.context(message, session), handler, undefined, uri);
    return;
  }
  const match = offer.matchTemplate(uri);
  if (match === undefined) exchange.fail(unknownName('resources/read', uri));
  // A template's run takes the context alone: the variables are bound already.
  else
    exchange.state.execute(
      exchange.context(message, session),
      { run: (_, context) => match.run(context) },
      undefined,
      uri,
    );
}
