/** What a request to a Streamable HTTP transport must look like: its headers, and the messages in its body. */

import { asMembers, own } from '../../protocol/incoming.js';
import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
} from '../../protocol/sdk/guards.js';
import { isJsonContentType } from '../../protocol/sdk/names.js';
import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResultResponse,
  RequestId,
} from '../../protocol/types.js';
import { type Exchange, Refusal } from './streamable-exchange.js';
import type { Settings } from './streamable-options.js';

/** Messages of one batch. */
const MAX_BATCH = 100;
/** Longest header value that an error quotes. */
const MAX_QUOTED = 100;

/** @throws Refusal for a host or origin that is not let in */
export function checkSource(exchange: Exchange, { hosts, origins }: Settings): void {
  const host = exchange.header('host');
  if (hosts !== undefined && (host === undefined || !hosts.includes(host))) {
    throw new Refusal(403, -32000, `Invalid Host header: ${quoted(host)}`);
  }
  const origin = exchange.header('origin');
  if (origins !== undefined && origin !== undefined && !origins.includes(origin)) {
    throw new Refusal(403, -32000, `Invalid Origin header: ${quoted(origin)}`);
  }
}

/** @throws Refusal when the client does not take every one of the media types */
export function checkAccept(exchange: Exchange, types: readonly string[]): void {
  const accept = (exchange.header('accept') ?? '').toLowerCase();
  if (types.every((type) => accept.includes(type))) return;
  const wanted = types.length === 1 ? types[0] : `both ${types.join(' and ')}`;
  throw new Refusal(406, -32000, `Not Acceptable: Client must accept ${wanted}`);
}

/** @throws Refusal for a revision that is not spoken here; none named is fine */
export function checkVersion(exchange: Exchange, versions: readonly string[]): void {
  const version = exchange.header('mcp-protocol-version');
  if (version === undefined || versions.includes(version)) return;
  const known = `(supported versions: ${versions.join(', ')})`;
  throw new Refusal(400, -32000, `Bad Request: Unsupported protocol version: ${quoted(version)} ${known}`);
}

/** The messages of a POST. @throws Refusal when it has none, too many, or something else */
export async function readMessages(
  exchange: Exchange,
  maxBytes: number,
): Promise<{ messages: JSONRPCMessage[]; batch: boolean }> {
  if (!isJsonContentType(exchange.header('content-type'))) {
    throw new Refusal(415, -32000, 'Unsupported Media Type: Content-Type must be application/json');
  }
  const value = exchange.parsedBody === undefined ? await decoded(exchange, maxBytes) : exchange.parsedBody;
  const messages: unknown[] = Array.isArray(value) ? value : [value];
  if (messages.length === 0) throw new Refusal(400, -32600, 'Invalid Request: An empty batch');
  if (messages.length > MAX_BATCH) throw new Refusal(400, -32600, `Invalid Request: More than ${MAX_BATCH} messages`);
  if (!messages.every(isMessage)) throw new Refusal(400, -32700, 'Parse error: Invalid JSON-RPC message');
  return { messages: messages as JSONRPCMessage[], batch: Array.isArray(value) };
}

async function decoded(exchange: Exchange, maxBytes: number): Promise<unknown> {
  const text = await exchange.text(maxBytes);
  if (text === undefined) {
    throw new Refusal(413, -32000, `Payload Too Large: Request body must not exceed ${maxBytes} bytes`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, -32700, 'Parse error: Invalid JSON');
  }
}

function isMessage(value: unknown): boolean {
  return isRequest(value) || isJSONRPCNotification(value) || isResponse(value);
}

export const isRequest = (value: unknown): value is JSONRPCRequest => isJSONRPCRequest(value);
export const isResponse = (value: unknown): value is JSONRPCResultResponse | JSONRPCErrorResponse =>
  isJSONRPCResultResponse(value) || isJSONRPCErrorResponse(value);

/** A handshake that is complete: only such a one begins a session. @returns the revision that it asks for */
export function handshakeVersion(message: JSONRPCMessage): string | undefined {
  if (!isRequest(message) || message.method !== 'initialize') return undefined;
  const params = asMembers(message.params) ?? {};
  const version = own(params, 'protocolVersion');
  const info = asMembers(own(params, 'clientInfo'));
  const named = info !== undefined && typeof own(info, 'name') === 'string' && typeof own(info, 'version') === 'string';
  return typeof version === 'string' && named && asMembers(own(params, 'capabilities')) !== undefined
    ? version
    : undefined;
}

/** The request that a message calls off. */
export function cancelled(message: JSONRPCMessage): RequestId | undefined {
  if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return undefined;
  const id = own(asMembers(message.params) ?? {}, 'requestId');
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function quoted(header: string | undefined): string {
  return header === undefined ? 'none' : header.slice(0, MAX_QUOTED);
}

/** In a time that tells nothing about where two ids differ. */
export function sameId(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return different === 0;
}
