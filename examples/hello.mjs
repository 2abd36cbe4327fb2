/** The smallest server, over HTTP: one tool, both eras of the protocol. PORT says where it listens (default 3000). */
import { McpServer } from 'thirdrail';
import { z } from 'zod';

const server = new McpServer({ name: 'hello', version: '1.0.0' });

server.registerTool(
  'greet',
  { description: 'Says hello.', inputSchema: z.object({ name: z.string() }) },
  ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}!` }] }),
);

const listener = await server.listen({ port: Number(process.env.PORT || 3000) });
console.log(`listening on ${listener.url}`);
