/**
 * `completion/complete`, which both eras have: checked params in, at most a hundred values out.
 */
import type { Completion, CompletionReference } from '../server/offer.js';
import { whenAllowed } from './allowed.js';
import type { RequestContext } from './context.js';
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import type { Exchange } from './exchange.js';
import { asMembers, type Incoming, type Members, own } from './incoming.js';
import type { Session } from './sessions.js';
import type { Runnable } from './state.js';

/** Most values that the specification lets an answer have. */
const MAX_VALUES = 100;

export function complete(exchange: Exchange, message: Incoming, session: Session | undefined): void {
  const { offer } = exchange.state;
  const params = message.params ?? {};
  const ref = readReference(own(params, 'ref'));
  const argument = asMembers(own(params, 'argument'));
  const name = argument === undefined ? undefined : own(argument, 'name');
  const value = argument === undefined ? undefined : own(argument, 'value');
  if (typeof name !== 'string' || typeof value !== 'string') throw invalid('"argument" must have a name and a value');
  const known = readKnown(own(params, 'context'));
  const run = async (_: unknown, context: RequestContext): Promise<object> => ({
    completion: bounded(await offer.complete(ref, { name, value }, known, context)),
  });
  const target: Runnable = { run };
  const context = exchange.context(message, session);
  const go = (): void => exchange.state.execute(context, target, undefined, '');
  const { guard } = exchange.state;
  // What could be said to a prompt or resource is a part of it: whoever may not use it is told nothing of it.
  if (guard === undefined) go();
  else if (ref.type === 'ref/prompt') whenAllowed(guard, context, go, 'prompts/get', ref.name);
  else whenAllowed(guard, context, go, 'resources/read', ref.uri);
}

function readReference(value: unknown): CompletionReference {
  const ref = asMembers(value);
  const type = ref === undefined ? undefined : own(ref, 'type');
  const name = ref === undefined ? undefined : own(ref, type === 'ref/resource' ? 'uri' : 'name');
  if (type === 'ref/prompt' && typeof name === 'string') return { type, name };
  if (type === 'ref/resource' && typeof name === 'string') return { type, uri: name };
  throw invalid('"ref" must be of type ref/prompt with a name, or ref/resource with a uri');
}

/** Arguments that are filled in already. */
function readKnown(value: unknown): Record<string, string> | undefined {
  const context = value === undefined ? undefined : asMembers(value);
  if (value !== undefined && context === undefined) throw invalid('"context" must be an object');
  const given = context === undefined ? undefined : own(context, 'arguments');
  if (given === undefined) return undefined;
  const known = asMembers(given);
  if (known === undefined || !Object.values(known).every((each) => typeof each === 'string')) {
    throw invalid('"context.arguments" must hold strings');
  }
  return known as Members & Record<string, string>;
}

/** What a callback gives beyond the limit is counted and not sent. */
function bounded(completion: Completion): Completion {
  const { values, total, hasMore } = completion;
  if (values.length <= MAX_VALUES) return completion;
  return { values: values.slice(0, MAX_VALUES), total: total ?? values.length, hasMore: hasMore ?? true };
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: ${why}`);
}
