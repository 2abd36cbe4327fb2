/**
 * Mounting on Express: the names of `@modelcontextprotocol/express`, and `expressHandler`, which mounts a server in one line.
 * Express is an optional peer dependency: only this file imports it.
 */

import type { Express, RequestHandler, Router } from 'express';
import express from 'express';
import {
  bearerAuthChallengeResponse,
  type VerifyBearerTokenOptions,
  verifyBearerToken,
} from '../../protocol/sdk/bearer.js';
import {
  type AuthMetadataOptions,
  buildOAuthProtectedResourceMetadata,
  oauthMetadataResponse,
} from '../../protocol/sdk/resource-metadata.js';
import type { AuthInfo } from '../../protocol/types.js';
import type { McpServerFactory, McpServerLike } from './handler.js';
import * as node from './node.js';
import type { CreateMcpHandlerOptions } from './options.js';
import { bindsLoopback, localhostAllowedHostnames, localhostAllowedOrigins } from './validate.js';

export type { OAuthTokenVerifier } from '../../protocol/sdk/bearer.js';
export {
  type AuthMetadataOptions,
  getOAuthProtectedResourceMetadataUrl,
} from '../../protocol/sdk/resource-metadata.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Who asks, when middleware has found out. */
    auth?: AuthInfo;
  }
}

export interface CreateMcpExpressAppOptions {
  /** What the application is going to be bound to. Default 127.0.0.1. On loopback `Host` and `Origin` are checked. */
  host?: string;
  /** Host names (without port) that `Host` may name. Default on loopback: localhost, 127.0.0.1 and [::1]; else any. */
  allowedHosts?: string[];
  /** Host names (without port) that an `Origin` header may name. Default: as for `allowedHosts`. */
  allowedOrigins?: string[];
  /** Longest JSON body, in the form of Express, such as '4mb'. Default '100kb'. */
  jsonLimit?: string;
}

/** An Express application that parses JSON bodies and keeps web pages of other hosts away from a local server. */
export function createMcpExpressApp(options: CreateMcpExpressAppOptions = {}): Express {
  const { host = '127.0.0.1', allowedHosts, allowedOrigins, jsonLimit } = options;
  const app = express();
  const local = bindsLoopback(host);
  if (allowedHosts !== undefined) app.use(hostHeaderValidation(allowedHosts));
  else if (local) app.use(localhostHostValidation());
  else warnUnchecked(host);
  if (allowedOrigins !== undefined) app.use(originValidation(allowedOrigins));
  else if (local) app.use(localhostOriginValidation());
  // Behind the checks: what nobody may send need not be parsed.
  app.use(express.json(jsonLimit === undefined ? undefined : { limit: jsonLimit }));
  return app;
}

/** A server that everybody reaches under every name can be reached by any page's script, if its address is known. */
export function warnUnchecked(host: string): void {
  if (host !== '0.0.0.0' && host !== '::') return;
  process.emitWarning(
    `The application is going to be bound to ${host} and takes any Host header: name those that are meant in allowedHosts.`,
    { code: 'THIRDRAIL_HOST_UNCHECKED' },
  );
}

/** 403 unless the request's `Host` is allowed. @param allowedHostnames without ports, IPv6 in brackets */
export function hostHeaderValidation(allowedHostnames: string[]): RequestHandler {
  return middleware(node.hostHeaderValidation(allowedHostnames));
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostHostValidation(): RequestHandler {
  return hostHeaderValidation(localhostAllowedHostnames());
}
/** 403 unless the request's `Origin` is allowed or absent. @param allowedOriginHostnames without scheme and port */
export function originValidation(allowedOriginHostnames: string[]): RequestHandler {
  return middleware(node.originValidation(allowedOriginHostnames));
}
/** The same for localhost, 127.0.0.1 and [::1]. */
export function localhostOriginValidation(): RequestHandler {
  return originValidation(localhostAllowedOrigins());
}

function middleware(guard: node.NodeGuard): RequestHandler {
  return (req, res, next) => {
    if (guard(req, res)) next();
  };
}

export type BearerAuthMiddlewareOptions = VerifyBearerTokenOptions;

/** Lets requests pass whose bearer token is good, and puts into `req.auth` who it stands for; challenges the others. */
export function requireBearerAuth(options: BearerAuthMiddlewareOptions): RequestHandler {
  const { verifier, ...rest } = options; // wrong options are to fail now, not with the first request
  return async (req, res, next) => {
    try {
      req.auth = await verifyBearerToken(req.headers.authorization, { verifier, ...rest });
    } catch (error) {
      await send(bearerAuthChallengeResponse(error, rest), res);
      return;
    }
    next();
  };
}

/**
 * Serves the two documents by which clients find out how to get a token; to be mounted at the root of the application.
 * @throws Error when the issuer is no https: URL, unless it is on localhost, insecure ones are allowed by the option, or by
 *   the environment variable MCP_DANGEROUSLY_ALLOW_INSECURE_ISSUER_URL
 */
export function mcpAuthMetadataRouter(options: AuthMetadataOptions): Router {
  const insecure = ['true', '1'].includes(process.env.MCP_DANGEROUSLY_ALLOW_INSECURE_ISSUER_URL ?? '');
  const resolved: AuthMetadataOptions = insecure ? { ...options, dangerouslyAllowInsecureIssuerUrl: true } : options;
  if (resolved.dangerouslyAllowInsecureIssuerUrl) {
    process.emitWarning('Issuer URLs without TLS are taken: never in production.', {
      code: 'THIRDRAIL_INSECURE_ISSUER',
    });
  }
  buildOAuthProtectedResourceMetadata(resolved);
  const router = express.Router();
  router.use(async (req, res, next) => {
    const { method } = req;
    const asked = req.headers['access-control-request-headers'];
    const headers = new Headers();
    if (typeof asked === 'string') headers.set('access-control-request-headers', asked);
    // Its path is all that matters, and a Host header of whatever form must not get in its way.
    const request = new Request(new URL(req.originalUrl.replace(/^\/+/, '/'), 'http://localhost'), { method, headers });
    const response = oauthMetadataResponse(request, resolved);
    if (response === undefined) next();
    else await send(response, res);
  });
  return router;
}

async function send(response: Response, res: Parameters<RequestHandler>[1]): Promise<void> {
  res.status(response.status);
  response.headers.forEach((value, name) => {
    res.setHeader(name, value);
  });
  res.end(await response.text());
}

/**
 * A server (or factory) as middleware: `app.all('/mcp', expressHandler(server))`. What `express.json()` has parsed is not
 * parsed again, and `req.auth` is who asks.
 * @throws as `createMcpHandler`
 */
export function expressHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): RequestHandler & Pick<node.MountedNodeHandler, 'handler' | 'close'> {
  const serve = node.nodeHandler(server, options);
  const handler: RequestHandler = (req, res) => serve(req, res as unknown as node.NodeServerResponseLike, req.body);
  return Object.assign(handler, { handler: serve.handler, close: serve.close });
}
