/**
 * Protected-resource metadata (RFC 9728): what this server is, and who issues tokens for it. Public by nature.
 */
import { Shape } from '../../engine/engine.js';
import type { PathHandler } from '../../protocol/state.js';
import type { AuthOptions } from './options.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

export interface ResourceMetadata {
  /** Absolute URL of the document; empty when no resource is configured, and nothing is published. */
  readonly url: string;
  /** Paths that serve it: the one of the resource, and the one of the whole host. */
  readonly paths: readonly string[];
  readonly body: string;
}

export function metadataOf(auth: AuthOptions): ResourceMetadata {
  if (auth.resource === undefined) return { url: '', paths: [], body: '' };
  const resource = new URL(auth.resource);
  const path = resource.pathname === '/' ? '' : resource.pathname.replace(/\/$/, '');
  const issuers = auth.jwt === undefined ? [] : [auth.jwt.issuer].flat();
  const document = {
    resource: auth.resource,
    authorization_servers: auth.authorizationServers ?? issuers,
    scopes_supported: auth.scopesSupported ?? auth.requiredScopes,
    bearer_methods_supported: ['header'],
    resource_name: auth.resourceName,
    resource_documentation: auth.resourceDocumentation,
  };
  return {
    url: `${resource.origin}${WELL_KNOWN}${path}`,
    paths: [...new Set([`${WELL_KNOWN}${path}`, WELL_KNOWN])],
    body: JSON.stringify(document),
  };
}

/** Serves the document to anybody, pages of other origins included: there is nothing secret in it. */
export function metadataHandler({ body }: ResourceMetadata): PathHandler {
  const cors = 'access-control-allow-origin: *\r\n';
  return (exchange, httpMethod) => {
    if (httpMethod === 'GET' || httpMethod === 'HEAD') {
      const headers = `content-type: application/json\r\ncache-control: public, max-age=3600\r\n${cors}`;
      exchange.port.reply(exchange.slot, 200, Shape.raw, 0, headers, httpMethod === 'HEAD' ? '' : body);
    } else if (httpMethod === 'OPTIONS') {
      const headers = `${cors}access-control-allow-methods: GET\r\naccess-control-allow-headers: *\r\n`;
      exchange.port.reply(exchange.slot, 204, Shape.raw, 0, headers, '');
    } else {
      exchange.port.reply(exchange.slot, 405, Shape.raw, 0, 'allow: GET, OPTIONS\r\n', '');
    }
  };
}
