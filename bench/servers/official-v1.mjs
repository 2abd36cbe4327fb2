// What the HTTP and stdio servers of the official SDK v1 have in common: the server with its tools.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

/** A fresh server with these tools. */
export function v1Server(tools) {
  const server = new McpServer({ name: 'official-v1', version: '1.32.2' });
  for (const { name, description, schema, run } of tools) {
    server.registerTool(name, { description, inputSchema: schema }, async (input) => run(input));
  }
  return server;
}
