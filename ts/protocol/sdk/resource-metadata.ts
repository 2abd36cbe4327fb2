/**
 * The two documents by which a client finds out how to get a token: the protected resource's metadata (RFC 9728) and a
 * copy of its authorization server's (RFC 8414). For `fetch(Request)` handlers.
 */
import type { OAuthMetadata, OAuthProtectedResourceMetadata } from '../types/auth.js';
import { OAuthError, OAuthErrorCode } from './errors.js';

export interface AuthMetadataOptions {
  /** What the authorization server publishes about itself; shown again for clients that look for it here. */
  oauthMetadata: OAuthMetadata;
  /** Public URL of this server: its resource identifier. Its path is part of where the document is. */
  resourceServerUrl: URL;
  serviceDocumentationUrl?: URL;
  scopesSupported?: string[];
  resourceName?: string;
  /** Takes an issuer without TLS that is not on localhost. For tests; never in production. Default: false. */
  dangerouslyAllowInsecureIssuerUrl?: boolean;
}

const RESOURCE = '/.well-known/oauth-protected-resource';
const AUTHORIZATION_SERVER = '/.well-known/oauth-authorization-server';
const METHODS = 'GET, HEAD, OPTIONS';

/**
 * The document about this server.
 * @throws Error when the issuer is no https: URL (localhost aside), or has a query or a fragment
 */
export function buildOAuthProtectedResourceMetadata(options: AuthMetadataOptions): OAuthProtectedResourceMetadata {
  const { issuer } = options.oauthMetadata;
  checkIssuer(new URL(issuer), options.dangerouslyAllowInsecureIssuerUrl === true);
  return {
    resource: options.resourceServerUrl.href,
    authorization_servers: [issuer],
    scopes_supported: options.scopesSupported,
    resource_name: options.resourceName,
    resource_documentation: options.serviceDocumentationUrl?.href,
  };
}

function checkIssuer(issuer: URL, insecure: boolean): void {
  const local = issuer.hostname === 'localhost' || issuer.hostname === '127.0.0.1';
  if (issuer.protocol !== 'https:' && !local && !insecure) throw new Error('Issuer URL must be HTTPS');
  if (issuer.hash !== '') throw new Error(`Issuer URL must not have a fragment: ${issuer}`);
  if (issuer.search !== '') throw new Error(`Issuer URL must not have a query string: ${issuer}`);
}

/** Where the document about a server is: `https://host/mcp` has it at `https://host/.well-known/.../mcp`. */
export function getOAuthProtectedResourceMetadataUrl(serverUrl: URL): string {
  const url = new URL(serverUrl);
  url.pathname = resourcePath(serverUrl);
  url.hash = '';
  return url.href;
}

function resourcePath(serverUrl: URL): string {
  const path = withoutSlash(serverUrl.pathname);
  return path === '/' ? RESOURCE : RESOURCE + path;
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The answer when a request asks for one of the two documents, undefined when it does not. */
export function oauthMetadataResponse(request: Request, options: AuthMetadataOptions): Response | undefined {
  const path = withoutSlash(new URL(request.url).pathname);
  const resource = path === resourcePath(options.resourceServerUrl);
  if (!resource && path !== AUTHORIZATION_SERVER) return undefined;
  // Made for both, as it checks the issuer; and not before, as wrong options must not stop other requests.
  const built = buildOAuthProtectedResourceMetadata(options);
  return documentResponse(request, resource ? built : options.oauthMetadata);
}

// Clients in browsers come from any origin, and there is nothing here that is not public.
const CORS = { 'Access-Control-Allow-Origin': '*' };

function documentResponse(request: Request, document: object): Response {
  if (request.method === 'OPTIONS') return preflight(request.headers.get('access-control-request-headers'));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const why = `The method ${request.method} is not allowed for this endpoint`;
    const error = new OAuthError(OAuthErrorCode.MethodNotAllowed, why);
    return Response.json(error.toResponseObject(), { status: 405, headers: { ...CORS, Allow: METHODS } });
  }
  const response = Response.json(document, { headers: CORS });
  return request.method === 'HEAD' ? new Response(null, response) : response;
}

function preflight(asked: string | null): Response {
  const headers: Record<string, string> = { ...CORS, 'Access-Control-Allow-Methods': METHODS };
  if (asked !== null) {
    headers['Access-Control-Allow-Headers'] = asked;
    // What is allowed is what was asked for, so that caches must keep answers apart.
    headers.Vary = 'Access-Control-Request-Headers';
  }
  return new Response(null, { status: 204, headers });
}
