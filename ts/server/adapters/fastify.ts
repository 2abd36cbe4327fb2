/**
 * Mounting on Fastify: the names of `@modelcontextprotocol/fastify`, and `fastifyHandler`, which mounts a server in one
 * line. Fastify is an optional peer dependency: only this file imports it.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import type { AuthInfo } from '../../protocol/types.js';
import type { McpServerFactory, McpServerLike } from './handler.js';
import { type MountedNodeHandler, type NodeServerResponseLike, nodeHandler } from './node.js';
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

export interface CreateMcpFastifyAppOptions {
  /** What the application is going to be bound to. Default 127.0.0.1. On loopback `Host` and `Origin` are checked. */
  host?: string;
  /** Host names (without port) that `Host` may name. Default on loopback: localhost, 127.0.0.1 and [::1]; else any. */
  allowedHosts?: string[];
  /** Host names (without port) that an `Origin` header may name. Default: as for `allowedHosts`. */
  allowedOrigins?: string[];
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** A Fastify application that keeps web pages of other hosts away from a local server. */
export function createMcpFastifyApp(options: CreateMcpFastifyAppOptions = {}): FastifyInstance {
  const { host = '127.0.0.1', allowedHosts, allowedOrigins } = options;
  const app = Fastify();
  const local = bindsLoopback(host);
  if (allowedHosts !== undefined) app.addHook('onRequest', hostHeaderValidation(allowedHosts));
  else if (local) app.addHook('onRequest', localhostHostValidation());
  else if (host === '0.0.0.0' || host === '::') {
    app.log.warn(`Bound to ${host}, the application takes any Host header: name those that are meant in allowedHosts.`);
  }
  if (allowedOrigins !== undefined) app.addHook('onRequest', originValidation(allowedOrigins));
  else if (local) app.addHook('onRequest', localhostOriginValidation());
  return app;
}

/** 403 unless the request's `Host` is allowed. @param allowedHostnames without ports, IPv6 in brackets */
export function hostHeaderValidation(allowedHostnames: string[]): Hook {
  return async (request, reply) => {
    const result = validateHostHeader(request.headers.host, allowedHostnames);
    if (result.ok) markHost(request.raw);
    else await reply.code(403).send(forbidden(result.message));
  };
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostHostValidation(): Hook {
  return hostHeaderValidation(localhostAllowedHostnames());
}
/** 403 unless the request's `Origin` is allowed or absent. @param allowedOriginHostnames without scheme and port */
export function originValidation(allowedOriginHostnames: string[]): Hook {
  return async (request, reply) => {
    const result = validateOriginHeader(request.headers.origin, allowedOriginHostnames);
    if (result.ok) markOrigin(request.raw);
    else await reply.code(403).send(forbidden(result.message));
  };
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostOriginValidation(): Hook {
  return originValidation(localhostAllowedOrigins());
}

/** A route handler with what it takes to end it. */
export type FastifyMcpHandler = ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) &
  Pick<MountedNodeHandler, 'handler' | 'close'>;

/**
 * A server (or factory) as a route handler: `app.all('/mcp', fastifyHandler(server))`. The body that Fastify has parsed is
 * not parsed again; who asks is in `request.auth` or `request.raw.auth`. The reply is taken over from Fastify, with the
 * headers that it has by then.
 * @throws as `createMcpHandler`
 */
export function fastifyHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): FastifyMcpHandler {
  const serve = nodeHandler(server, options);
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const raw = request.raw as typeof request.raw & { auth?: AuthInfo };
    const { auth } = request as { auth?: AuthInfo };
    if (auth !== undefined && raw.auth === undefined) raw.auth = auth;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    await serve(raw, reply.raw as unknown as NodeServerResponseLike, request.body ?? undefined);
  };
  return Object.assign(handler, { handler: serve.handler, close: serve.close });
}
