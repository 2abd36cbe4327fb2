/**
 * Mounting on Hono: the names of `@modelcontextprotocol/hono`, and `honoHandler`, which mounts a server in one line. Hono is
 * an optional peer dependency: only this file imports it.
 */
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { isJsonContentType } from '../../protocol/sdk/names.js';
import type { AuthInfo } from '../../protocol/types.js';
import { createMcpHandler, type McpHttpHandler, type McpServerFactory, type McpServerLike } from './handler.js';
import { mountedOf } from './mounted.js';
import type { CreateMcpHandlerOptions } from './options.js';
import {
  bindsLoopback,
  forbidden,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  markHost,
  markOrigin,
  validateHostHeader,
  validateOriginHeader,
} from './validate.js';
import { serveWeb } from './webface.js';

export interface CreateMcpHonoAppOptions {
  /** What the application is going to be bound to. Default 127.0.0.1. On loopback `Host` and `Origin` are checked. */
  host?: string;
  /** Host names (without port) that `Host` may name. Default on loopback: localhost, 127.0.0.1 and [::1]; else any. */
  allowedHosts?: string[];
  /** Host names (without port) that an `Origin` header may name. Default: as for `allowedHosts`. */
  allowedOrigins?: string[];
}

/**
 * A Hono application that keeps web pages of other hosts away from a local server, and sets `parsedBody` to the JSON body of
 * a request.
 */
export function createMcpHonoApp(options: CreateMcpHonoAppOptions = {}): Hono {
  const { host = '127.0.0.1', allowedHosts, allowedOrigins } = options;
  const app = new Hono();
  const local = bindsLoopback(host);
  if (allowedHosts !== undefined) app.use('*', hostHeaderValidation(allowedHosts));
  else if (local) app.use('*', localhostHostValidation());
  else if (host === '0.0.0.0' || host === '::') {
    console.warn(`Bound to ${host}, the application takes any Host header: name those that are meant in allowedHosts.`);
  }
  if (allowedOrigins !== undefined) app.use('*', originValidation(allowedOrigins));
  else if (local) app.use('*', localhostOriginValidation());
  // Behind the checks: what nobody may send need not be parsed.
  app.use('*', parseBody);
  return app;
}

/** From a copy, so that whoever comes next can still read the request. */
const parseBody: MiddlewareHandler = async (c: Context, next) => {
  if (c.get('parsedBody') === undefined && isJsonContentType(c.req.header('content-type'))) {
    try {
      c.set('parsedBody', await c.req.raw.clone().json());
    } catch {
      return c.text('Invalid JSON', 400);
    }
  }
  return next();
};

/** 403 unless the request's `Host` is allowed. @param allowedHostnames without ports, IPv6 in brackets */
export function hostHeaderValidation(allowedHostnames: string[]): MiddlewareHandler {
  return async (c, next) => {
    const result = validateHostHeader(c.req.header('host'), allowedHostnames);
    if (!result.ok) return c.json(forbidden(result.message), 403);
    markHost(c.req.raw);
    return next();
  };
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostHostValidation(): MiddlewareHandler {
  return hostHeaderValidation(localhostAllowedHostnames());
}
/** 403 unless the request's `Origin` is allowed or absent. @param allowedOriginHostnames without scheme and port */
export function originValidation(allowedOriginHostnames: string[]): MiddlewareHandler {
  return async (c, next) => {
    const result = validateOriginHeader(c.req.header('origin'), allowedOriginHostnames);
    if (!result.ok) return c.json(forbidden(result.message), 403);
    markOrigin(c.req.raw);
    return next();
  };
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostOriginValidation(): MiddlewareHandler {
  return originValidation(localhostAllowedOrigins());
}

/** A route handler with what it takes to end it. */
export type HonoMcpHandler = ((c: Context) => Promise<Response>) & {
  readonly handler: McpHttpHandler;
  close(): Promise<void>;
};

/**
 * A server (or factory) as a route handler: `app.all('/mcp', honoHandler(server))`. The variable `parsedBody` is taken for
 * the body and `auth` for who asks, where middleware has set them. On Node the socket tells whether the request came to a
 * loopback address, whose names are then checked.
 * @throws as `createMcpHandler`
 */
export function honoHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): HonoMcpHandler {
  const handler = createMcpHandler(server, options);
  const mounted = mountedOf(handler.fetch);
  const serve = async (c: Context): Promise<Response> => {
    if (mounted === undefined) throw new Error('The handler is not mounted');
    mounted.assertOpen();
    const given = { parsedBody: c.get('parsedBody') as unknown, authInfo: c.get('auth') as AuthInfo | undefined };
    const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { localAddress?: string } } };
    return serveWeb(mounted, c.req.raw, given, incoming?.socket?.localAddress);
  };
  return Object.assign(serve, { handler, close: () => handler.close() });
}
