/**
 * A JSON-RPC message as the protocol reads it: decoded, narrowed, own properties only. Checks of single methods' params
 * are not here.
 */
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import type { RequestId } from './types.js';

export type Members = Record<string, unknown>;

export interface Incoming {
  readonly kind: 'request' | 'notification' | 'response';
  /** Undefined for notifications. */
  readonly id: RequestId | undefined;
  /** Empty for responses. */
  readonly method: string;
  /** Undefined when absent or positional. */
  readonly params: Members | undefined;
  readonly meta: Members | undefined;
  /** Of a response: what it brings, untouched. */
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Longest id in characters, like the engine's scan. */
const MAX_ID = 256;

/**
 * Reads one decoded message. The engine has proven single messages; the members of a batch are proven here.
 * @returns the message, or the -32600 error that it deserves
 */
export function readIncoming(value: unknown): Incoming | ProtocolError {
  const envelope = asMembers(value);
  if (envelope === undefined) return invalid('a message must be an object');
  if (own(envelope, 'jsonrpc') !== '2.0') return invalid('"jsonrpc" must be "2.0"');
  const id = own(envelope, 'id');
  const method = own(envelope, 'method');
  if (method === undefined) {
    if (!Object.hasOwn(envelope, 'result') && !Object.hasOwn(envelope, 'error')) return invalid('"method" is missing');
    // The answer to a request that could not be read has the id null.
    const responseId = typeof id === 'string' || typeof id === 'number' ? id : undefined;
    const brought = { result: own(envelope, 'result'), error: own(envelope, 'error') };
    return { kind: 'response', id: responseId, method: '', params: undefined, meta: undefined, ...brought };
  }
  if (typeof method !== 'string') return invalid('"method" must be a string');
  const bad = id !== undefined && typeof id !== 'number' && (typeof id !== 'string' || id.length > MAX_ID);
  if (bad) return invalid('"id" must be a string or a number');
  const raw = own(envelope, 'params');
  if (raw !== undefined && (typeof raw !== 'object' || raw === null)) return invalid('"params" must be an object');
  const params = asMembers(raw);
  const meta = params === undefined ? undefined : asMembers(own(params, '_meta'));
  const kind = Object.hasOwn(envelope, 'id') ? 'request' : 'notification';
  return { kind, id: id as RequestId | undefined, method, params, meta };
}

/** An own member; never what a prototype would answer for `constructor` or `__proto__`. */
export function own(members: Members, key: string): unknown {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

export function asMembers(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidRequest, `Invalid request: ${why}`);
}
