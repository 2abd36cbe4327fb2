/**
 * A call that takes long is answered at once with a task, which the client asks for. For a client that does not know tasks
 * the same code runs within the call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { enableTasks, McpServer } from 'thirdrail';
import { z } from 'zod';

const server = new McpServer({ name: 'reports', version: '1.0.0' });
const tasks = enableTasks(server, { pollIntervalMs: 100 });

server.registerTool(
  'report',
  { description: 'Writes a report.', inputSchema: z.object({ pages: z.number().int().min(1).max(100) }) },
  ({ pages }, ctx) =>
    tasks.start(ctx, async (task) => {
      for (let page = 1; page <= pages; page += 1) {
        await sleep(20, undefined, { signal: task.signal });
        await task.setStatus(`page ${page} of ${pages}`);
      }
      return { content: [{ type: 'text', text: `A report of ${pages} pages.` }] };
    }),
);

const listener = await server.listen({ port: Number(process.env.PORT || 3000) });
console.log(`listening on ${listener.url}`);
