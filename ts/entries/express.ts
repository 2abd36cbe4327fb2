/**
 * `thirdrail/express`: what `@modelcontextprotocol/express` exports, and the handler for an application of one's own. Lists
 * names, holds no code. Express is installed by whoever imports this.
 */
export {
  type AuthMetadataOptions,
  type BearerAuthMiddlewareOptions,
  type CreateMcpExpressAppOptions,
  createMcpExpressApp,
  expressHandler,
  getOAuthProtectedResourceMetadataUrl,
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  mcpAuthMetadataRouter,
  type OAuthTokenVerifier,
  originValidation,
  requireBearerAuth,
} from '../server/adapters/express.js';
