/**
 * `thirdrail/server/stdio`: what `@modelcontextprotocol/server/stdio` exports. Lists names, holds no code.
 */
export {
  type StdioHandle as StdioServerHandle,
  type StdioOptions as ServeStdioOptions,
  serveStdio,
} from '../server/stdio.js';
export { StdioServerTransport } from '../server/transports/stdio.js';
