/**
 * `thirdrail/hono`: what `@modelcontextprotocol/hono` exports, and the handler for an application of one's own. Lists names,
 * holds no code. Hono is installed by whoever imports this.
 */
export {
  type CreateMcpHonoAppOptions,
  createMcpHonoApp,
  type HonoMcpHandler,
  honoHandler,
  hostHeaderValidation,
  localhostHostValidation,
  localhostOriginValidation,
  originValidation,
} from '../server/adapters/hono.js';
