/** The same over standard input and output, for clients that start the server themselves. */
import { McpServer, serveStdio } from 'thirdrail';
import { z } from 'zod';

const server = new McpServer({ name: 'hello', version: '1.0.0' });

server.registerTool(
  'greet',
  { description: 'Says hello.', inputSchema: z.object({ name: z.string() }) },
  ({ name }) => {
    // Standard output belongs to the protocol: this goes to standard error.
    console.log(`greeting ${name}`);
    return { content: [{ type: 'text', text: `Hello, ${name}!` }] };
  },
);

serveStdio(server);
