// The tasks extension: calls that are answered with a task, that fail in either way, that ask in the middle.
import { setTimeout as sleep } from 'node:timers/promises';
import { enableTasks, ProtocolError } from 'thirdrail';
import { text } from './samples.mjs';

/** @param {import('thirdrail').McpServer} server */
export function registerTasks(server) {
  const tasks = enableTasks(server, { pollIntervalMs: 100 });
  const named = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
  server.registerTool('greet', { description: 'Never a task', inputSchema: named }, ({ name }) =>
    text(`Hello, ${name}!`),
  );
  server.registerTool(
    'slow_compute',
    {
      description: 'A task that takes its time',
      inputSchema: { type: 'object', properties: { seconds: { type: 'number' }, label: { type: 'string' } } },
    },
    ({ seconds = 1, label = 'compute' }, ctx) =>
      tasks.start(ctx, async ({ signal }) => {
        await sleep(seconds * 1000, undefined, { signal });
        return text(`${label} took ${seconds} s`);
      }),
  );
  server.registerTool('failing_job', { description: 'A task whose tool fails' }, (ctx) =>
    tasks.start(
      ctx,
      async () => {
        await sleep(1000);
        throw new Error('The job failed');
      },
      { otherwise: 'refuse' },
    ),
  );
  server.registerTool('protocol_error_job', { description: 'A task that fails as a request' }, (ctx) =>
    tasks.start(ctx, async () => {
      await sleep(200);
      throw new ProtocolError(-32603, 'The job could not be run');
    }),
  );
  server.registerTool(
    'confirm_delete',
    {
      description: 'A task that asks before it deletes',
      inputSchema: { type: 'object', properties: { filename: { type: 'string' } } },
    },
    ({ filename = 'file' }, ctx) =>
      tasks.start(ctx, async (task) => {
        const answer = await task.elicit(form(`Delete ${filename}?`, { confirm: { type: 'boolean' } }));
        const yes = answer.action === 'accept' && answer.content?.confirm === true;
        return text(yes ? `Deleted ${filename}` : `Kept ${filename}`);
      }),
  );
  server.registerTool('multi_input', { description: 'A task with two questions at once' }, (ctx) =>
    tasks.start(ctx, async (task) => {
      const answers = await Promise.all([
        task.elicit(form('First?', { value: { type: 'string' } }), { key: 'first' }),
        task.elicit(form('Second?', { value: { type: 'string' } }), { key: 'second' }),
      ]);
      return text(answers.map((answer) => answer.content?.value ?? answer.action).join(', '));
    }),
  );
  server.registerTool('test_tool_with_task', { description: 'Asks first, and is a task then' }, async (ctx) => {
    const answer = await ctx.elicit(form('What is your name?', { name: { type: 'string' } }), { key: 'user_name' });
    const name = String(answer.content?.name ?? answer.action);
    return tasks.start(ctx, async () => {
      await sleep(100);
      return text(`Hello, ${name}!`);
    });
  });
}

function form(message, properties) {
  return { message, requestedSchema: { type: 'object', properties } };
}
