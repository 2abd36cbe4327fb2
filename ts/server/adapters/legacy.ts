/**
 * For those who keep a legacy deployment of their own beside a handler: is a request legacy, and legacy serving alone.
 */
import { readRequestBody } from '../../protocol/sdk/body.js';
import { bodyLimit } from './body.js';
import { classifyInboundRequest, type InboundHttpRequest } from './classify.js';
import { createMcpHandler, type McpServerFactory } from './handler.js';
import type { McpHandlerRequestOptions } from './webface.js';

/** A handler of legacy requests, in the form of `fetch`. */
export type LegacyHttpHandler = (request: Request, options?: McpHandlerRequestOptions) => Promise<Response>;

export interface LegacyStatelessFallbackOptions {
  /** Most bytes of a request body. Default 4 MiB. */
  maxRequestBodySize?: number;
}

export interface IsLegacyRequestOptions {
  /** Most bytes of a request body; one above it is not legacy. Default 4 MiB. */
  maxRequestBodySize?: number;
}

/**
 * Serves legacy requests as a handler does by default: each from a server of its own, without sessions; GET and DELETE are
 * 405.
 * @param onerror told of failures
 */
export function legacyStatelessFallback(
  factory: McpServerFactory,
  onerror?: (error: Error) => void,
  options: LegacyStatelessFallbackOptions = {},
): LegacyHttpHandler {
  return createMcpHandler(factory, {
    legacy: 'stateless',
    ...(onerror !== undefined && { onerror }),
    ...(options.maxRequestBodySize !== undefined && { maxRequestBodySize: options.maxRequestBodySize }),
  }).fetch;
}

/**
 * Whether a handler would serve a request as legacy. What is refused (a malformed envelope, headers that contradict the
 * body, a body over the limit) is not: the modern side knows its errors.
 * @param parsedBody the decoded body, when it is known; else it is read from a copy, and the request can still be read
 * @throws TypeError when the body was read before and `parsedBody` is not given
 */
export async function isLegacyRequest(
  request: Request,
  parsedBody?: unknown,
  options: IsLegacyRequestOptions = {},
): Promise<boolean> {
  const limit = bodyLimit(options.maxRequestBodySize);
  const httpMethod = request.method.toUpperCase();
  let body = parsedBody;
  if (httpMethod === 'POST' && body === undefined) {
    const copy = request.clone();
    try {
      const read = await readRequestBody(copy, limit);
      if (read.tooLarge) return false;
      body = JSON.parse(read.text) as unknown;
    } catch (error) {
      // No JSON, or nothing at all: it claims nothing. A body that cannot be read is another matter.
      return error instanceof SyntaxError;
    }
  }
  const inbound: InboundHttpRequest = { httpMethod };
  const version = request.headers.get('mcp-protocol-version');
  const method = request.headers.get('mcp-method');
  const name = request.headers.get('mcp-name');
  if (version !== null) inbound.protocolVersionHeader = version;
  if (method !== null) inbound.mcpMethodHeader = method;
  if (name !== null) inbound.mcpNameHeader = name;
  if (httpMethod === 'POST') inbound.body = body;
  return classifyInboundRequest(inbound).kind === 'legacy';
}
