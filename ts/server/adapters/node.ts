/**
 * Mounting on node:http and whatever speaks its `(request, response)`: `toNodeHandler` and the guards of
 * `@modelcontextprotocol/node` under their names, and `nodeHandler`, which mounts a server in one line.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../../protocol/types.js';
import { bodyLimit, RequestBodyTooLargeError } from './body.js';
import { createMcpHandler, type McpHttpHandler, type McpServerFactory, type McpServerLike } from './handler.js';
import { mountedOf } from './mounted.js';
import { type NodeRequest, serveNode } from './nodeface.js';
import type { CreateMcpHandlerOptions } from './options.js';
import {
  forbidden,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  markHost,
  markOrigin,
  validateHostHeader,
  validateOriginHeader,
} from './validate.js';
import type { McpHandlerRequestOptions } from './webface.js';

/** As much of node's request as is needed. */
export interface NodeIncomingMessageLike extends AsyncIterable<unknown> {
  method?: string;
  url?: string;
  headers: Record<string, string | string[] | undefined>;
  /** Who asks, as middleware in front has found out. */
  auth?: AuthInfo;
}

/** As much of node's response as is needed. */
export interface NodeServerResponseLike {
  writeHead(statusCode: number, headers?: Record<string, string>): unknown;
  write(chunk: string | Uint8Array): unknown;
  end(chunk?: string | Uint8Array): unknown;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  destroyed?: boolean;
}

/** Anything with the `fetch` of a handler. */
export interface FetchLikeMcpHandler {
  fetch: (request: Request, options?: McpHandlerRequestOptions) => Promise<Response>;
}

/**
 * Resolves when the response has ended.
 * @param parsedBody what a body parser in front made of the body; a function (Express's `next`) is not taken for one
 */
export type NodeMcpRequestHandler = (
  req: NodeIncomingMessageLike,
  res: NodeServerResponseLike,
  parsedBody?: unknown,
) => Promise<void>;

export interface ToNodeHandlerOptions {
  /** Told when a request is answered 500 because the handler threw, for instance after its `close`. */
  onerror?: (error: Error) => void;
  /** Most bytes of a body that is turned into a Request. Default 4 MiB. Our own handlers have the option themselves. */
  maxRequestBodySize?: number;
}

/**
 * A handler for `(request, response)`. Handlers made by `createMcpHandler` are served directly; others get a Request and
 * their Response is written, with back-pressure.
 */
export function toNodeHandler(handler: FetchLikeMcpHandler, opts: ToNodeHandlerOptions = {}): NodeMcpRequestHandler {
  const limit = bodyLimit(opts.maxRequestBodySize);
  const report = (error: unknown): void => {
    try {
      opts.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // Whoever is told of an error must not cause the next one.
    }
  };
  return async (req, res, given) => {
    const parsedBody = typeof given === 'function' ? undefined : given;
    // Looked up every time: a handler whose `fetch` was replaced must get its own.
    const mounted = mountedOf(handler.fetch);
    if (mounted === undefined) {
      // Whatever a response that is no longer ours throws: the promise is seldom looked at, and must not end the process.
      await serveAny(handler, req, res, parsedBody, limit, report).catch(report);
      return;
    }
    try {
      mounted.assertOpen();
    } catch (error) {
      report(error);
      failed(res, 500, INTERNAL);
      return;
    }
    await serveNode(mounted, req as unknown as NodeRequest, res as unknown as ServerResponse, parsedBody);
  };
}

/** A mounted server, with what it takes to end it. */
export interface MountedNodeHandler extends NodeMcpRequestHandler {
  readonly handler: McpHttpHandler;
  close(): Promise<void>;
}

/**
 * A server (or factory) as a handler for `(request, response)`: `createServer(nodeHandler(server))`.
 * @throws as `createMcpHandler`
 */
export function nodeHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): MountedNodeHandler {
  const handler = createMcpHandler(server, options);
  const { onerror } = options;
  const serve = toNodeHandler(handler, onerror === undefined ? {} : { onerror });
  return Object.assign(serve, { handler, close: () => handler.close() });
}

export interface ToWebRequestOptions {
  /** Becomes the signal of the request. */
  signal?: AbortSignal;
  /** Most bytes of a body. Default 4 MiB. */
  maxRequestBodySize?: number;
}

/**
 * A request of node:http as one of the Fetch standard.
 * @param parsedBody what a body parser made of the body; undefined: it is read, to its end
 * @throws Error named RequestBodyTooLargeError (status 413) for a body over the limit; whatever reading it throws
 */
export async function toWebRequest(
  req: NodeIncomingMessageLike,
  parsedBody?: unknown,
  options: ToWebRequestOptions = {},
): Promise<Request> {
  const limit = bodyLimit(options.maxRequestBodySize);
  const method = (req.method ?? 'GET').toUpperCase();
  const host = first(req.headers.host) ?? first(req.headers[':authority']) ?? 'localhost';
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || name.startsWith(':')) continue; // pseudo headers of HTTP/2 are no headers
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  let body: string | undefined;
  if (method !== 'GET' && method !== 'HEAD') {
    if (parsedBody === undefined) body = await readText(req, limit);
    else {
      body = JSON.stringify(parsedBody) as string | undefined;
      // They describe bytes that are gone.
      for (const name of ['content-encoding', 'transfer-encoding', 'content-length']) headers.delete(name);
      if (body !== undefined) headers.set('content-length', `${Buffer.byteLength(body)}`);
    }
  }
  const { signal } = options;
  return new Request(`http://${host}${req.url ?? '/'}`, {
    method,
    headers,
    ...(signal !== undefined && { signal }),
    ...(body !== undefined && body !== '' && { body }),
  });
}

async function readText(req: NodeIncomingMessageLike, limit: number): Promise<string> {
  if (Number(first(req.headers['content-length'])) > limit) throw new RequestBodyTooLargeError(limit);
  const chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of req) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
    held += bytes.byteLength;
    if (held > limit) throw new RequestBodyTooLargeError(limit);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, held).toString('utf8');
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

// ---------------------------------------------------------------------------------------------------- any handler

const INTERNAL = '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal server error"},"id":null}';

async function serveAny(
  handler: FetchLikeMcpHandler,
  req: NodeIncomingMessageLike,
  res: NodeServerResponseLike,
  parsedBody: unknown,
  limit: number,
  report: (error: unknown) => void,
): Promise<void> {
  const client = new AbortController();
  let over = false;
  let drained: (() => void) | undefined;
  res.on('drain', () => drained?.());
  res.on('close', () => {
    if (!over) client.abort();
    drained?.();
  });
  if (res.destroyed === true) client.abort();
  let response: Response;
  try {
    const request = await toWebRequest(req, parsedBody, { signal: client.signal, maxRequestBodySize: limit });
    const { auth } = req;
    response = await handler.fetch(request, {
      ...(auth !== undefined && { authInfo: auth }),
      ...(parsedBody !== undefined && { parsedBody }),
    });
  } catch (error) {
    over = true;
    if (error instanceof RequestBodyTooLargeError) failed(res, 413, JSON.stringify(forbidden(error.message)), true);
    else {
      report(error);
      failed(res, 500, INTERNAL);
    }
    return;
  }
  res.writeHead(response.status, Object.fromEntries(response.headers));
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (client.signal.aborted) break; // leaving the loop cancels the stream
      if (res.write(chunk) !== false) continue;
      await new Promise<void>((resolve) => {
        drained = resolve;
        if (client.signal.aborted) resolve();
      });
    }
  } catch {
    // The stream failed after its head was sent: what is left is to end it.
  }
  over = true;
  res.end();
}

function failed(res: NodeServerResponseLike, status: number, text: string, close = false): void {
  res.writeHead(status, { 'content-type': 'application/json', ...(close && { connection: 'close' }) });
  res.end(text);
}

// --------------------------------------------------------------------------------------------------------- guards

/** A guard of node:http: false when it has answered 403, and nothing may follow. */
export type NodeGuard = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Lets requests pass whose `Host` is allowed.
 * @param allowedHostnames without ports, IPv6 in brackets
 */
export function hostHeaderValidation(allowedHostnames: string[]): NodeGuard {
  return (req, res) => {
    const result = validateHostHeader(req.headers.host, allowedHostnames);
    if (result.ok) markHost(req);
    else failed(res, 403, JSON.stringify(forbidden(result.message)));
    return result.ok;
  };
}

/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostHostValidation(): NodeGuard {
  return hostHeaderValidation(localhostAllowedHostnames());
}

/**
 * Lets requests pass whose `Origin` is allowed or absent.
 * @param allowedOriginHostnames without scheme and port, IPv6 in brackets
 */
export function originValidation(allowedOriginHostnames: string[]): NodeGuard {
  return (req, res) => {
    const result = validateOriginHeader(req.headers.origin, allowedOriginHostnames);
    if (result.ok) markOrigin(req);
    else failed(res, 403, JSON.stringify(forbidden(result.message)));
    return result.ok;
  };
}

/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostOriginValidation(): NodeGuard {
  return originValidation(localhostAllowedOrigins());
}
