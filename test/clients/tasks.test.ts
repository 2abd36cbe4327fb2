/**
 * The official client of the second generation and tasks. It knows nothing of the extension by itself: a call that becomes a
 * task is a result type that it does not support. What it can do is send the extension's methods, with schemas of ours.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { engineNames } from '../engines.js';
import { atEnd, serveTasks, TASKS, TaskClient, text } from '../server/tasks.stage.js';

const Task = z.looseObject({ taskId: z.string(), status: z.string() });

async function connect(url: string, capabilities: object): Promise<Client> {
  const client = new Client(
    { name: 'v2', version: '2.4.0' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  atEnd(() => client.close());
  return client;
}

describe.each(engineNames)('%s engine', (engine) => {
  const serve = () =>
    serveTasks(engine, (server, tasks) => {
      server.registerTool('work', {}, (ctx) =>
        tasks.start(ctx, async (task) => {
          await task.setStatus('at work');
          return text(task.taskId === undefined ? 'within the call' : 'as a task');
        }),
      );
    });

  test('a client that does not declare the extension gets its result from the call', async () => {
    const { url } = await serve();
    const client = await connect(url, {});
    expect(client.getServerCapabilities()?.extensions).toEqual({ [TASKS]: {} });
    expect(await client.callTool({ name: 'work', arguments: {} })).toMatchObject(text('within the call'));
  });

  test('a client that declares it sends the methods of the extension', async () => {
    const { url } = await serve();
    const client = await connect(url, { extensions: { [TASKS]: {} } });
    await expect(client.callTool({ name: 'work', arguments: {} })).rejects.toMatchObject({
      code: 'UNSUPPORTED_RESULT_TYPE',
      data: { resultType: 'task' },
    });
    const taskId = await new TaskClient(url).begin('work');
    const ask = (method: string) => client.request({ method, params: { taskId } } as never, Task as never);
    let task = (await ask('tasks/get')) as z.infer<typeof Task>;
    while (task.status === 'working') task = (await ask('tasks/get')) as z.infer<typeof Task>;
    expect(task).toMatchObject({ taskId, status: 'completed', result: text('as a task') });
  });
});
