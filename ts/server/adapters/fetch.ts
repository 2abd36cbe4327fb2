/**
 * Mounting on runtimes whose servers are a function from Request to Response: Cloudflare Workers, Deno, Bun, Next.js,
 * SvelteKit. Needs of Node only what those runtimes bring: Buffer, node:crypto, node:module and timers (on Workers the
 * flag `nodejs_compat`).
 */
import { createMcpHandler, type McpHttpHandler, type McpServerFactory, type McpServerLike } from './handler.js';
import type { CreateMcpHandlerOptions } from './options.js';

/** A function from Request to Response that is a handler as well: `export default` takes it in either form. */
export type FetchHandler = McpHttpHandler['fetch'] & McpHttpHandler;

/**
 * A server (or factory) as a function from Request to Response. There is no socket to look at: `allowedHosts` and
 * `allowedOrigins` hold when they are given.
 * @throws as `createMcpHandler`
 */
export function fetchHandler(
  server: McpServerFactory | McpServerLike,
  options: CreateMcpHandlerOptions = {},
): FetchHandler {
  const handler = createMcpHandler(server, options);
  return Object.assign(handler.fetch, handler);
}
