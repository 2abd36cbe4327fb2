/**
 * `thirdrail/fastify`: what `@modelcontextprotocol/fastify` exports, and the handler for an application of one's own. Lists
 * names, holds no code. Fastify is installed by whoever imports this.
 */
export {
  type CreateMcpFastifyAppOptions,
  createMcpFastifyApp,
  type FastifyMcpHandler,
  fastifyHandler,
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  originValidation,
} from '../server/adapters/fastify.js';
