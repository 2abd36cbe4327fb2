/**
 * Asking the user in the middle of a call. A legacy client is asked while the handler waits; for a modern one the call ends
 * with the question, and the handler runs again from its start when the client comes back: what must not run twice is in
 * `ctx.once`.
 */
import { McpServer } from 'thirdrail';
import { z } from 'zod';

const server = new McpServer({ name: 'booking', version: '1.0.0' });
let held = 0;

server.registerTool(
  'book',
  { description: 'Books a table.', inputSchema: z.object({ guests: z.number().int().positive() }) },
  async ({ guests }, ctx) => {
    const table = await ctx.once('table', () => ++held);
    const answer = await ctx.elicit({
      message: `Table ${table} for ${guests} is free. On which name?`,
      requestedSchema: z.object({ name: z.string().min(1) }),
    });
    if (answer.action !== 'accept') return { content: [{ type: 'text', text: 'Nothing was booked.' }] };
    return {
      content: [{ type: 'text', text: `Table ${table} for ${guests}, on ${answer.content.name} (${ctx.era}).` }],
    };
  },
);

const listener = await server.listen({ port: Number(process.env.PORT || 3000) });
console.log(`listening on ${listener.url}`);
