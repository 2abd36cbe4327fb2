// What the HTTP and stdio servers of the official SDK v2 have in common: the factory.
import { McpServer } from '@modelcontextprotocol/server';

/** A fresh server with these tools; the SDK calls for one per request (HTTP) or per connection (stdio). */
export function v2Server(tools) {
  const server = new McpServer({ name: 'official-v2', version: '2.4.0' });
  for (const { name, description, schema, run } of tools) {
    server.registerTool(name, { description, inputSchema: schema }, async (input) => run(input));
  }
  return server;
}
