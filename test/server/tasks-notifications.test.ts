/**
 * `notifications/tasks` from outside: subscriptions of raw HTTP clients to real listeners, on each engine; on a pipe with
 * the engine's side of the seam recorded.
 */
import { describe, expect, test } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { MemoryTaskStore } from '../../ts/server/tasks/memory.js';
import { enableTasks, type Tasks } from '../../ts/server/tasks/tasks.js';
import { engineNames } from '../engines.js';
import { envelope, Recorder } from '../protocol/recorder.js';
import { form, gate, type Json, serveTasks, TASKS, TaskClient, text } from './tasks.stage.js';

const ID = 'io.modelcontextprotocol/subscriptionId';

/** A tool whose task says something, asks something, and ends. */
function equip(server: McpServer, tasks: Tasks): void {
  server.registerTool('work', {}, (ctx) =>
    tasks.start(ctx, async (task) => {
      const answer = await task.elicit(form(), { key: 'ok' });
      await task.setStatus('nearly');
      return text(answer.action);
    }),
  );
  server.registerTool('tool', {}, () => text(''));
}

async function take(messages: AsyncIterator<Json>, count: number): Promise<Json[]> {
  const taken: Json[] = [];
  while (taken.length < count) taken.push((await messages.next()).value);
  return taken;
}

describe.each(engineNames)('%s engine', (engine) => {
  test('tells what a task is and becomes, as tasks/get would, tagged with the subscription', async () => {
    const { url, server } = await serveTasks(engine, equip);
    const client = new TaskClient(url);
    const taskId = await client.begin('work');
    await client.until(taskId, 'input_required');
    const messages = await client.listen({ taskIds: [taskId, taskId, 'no-such'], toolsListChanged: true });
    const [ack, now] = await take(messages, 2);
    expect(ack).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: { [ID]: 1 }, notifications: { taskIds: [taskId], toolsListChanged: true } },
    });
    const { resultType, _meta, ...task } = await client.get(taskId);
    expect(now).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tasks',
      params: { _meta: { [ID]: 1 }, ...task },
    });
    await client.ask('tasks/update', { taskId, inputResponses: { ok: { action: 'decline' } } });
    const told = await take(messages, 3);
    expect(told.map(({ params }) => [params.status, params.statusMessage])).toEqual([
      ['working', undefined],
      ['working', 'nearly'],
      ['completed', 'nearly'],
    ]);
    expect(told[2].params.result).toEqual(text('decline'));
    // The subscription goes on: what else was asked for is still told.
    server.registerTool('another', {}, () => text(''));
    expect((await take(messages, 1))[0].method).toBe('notifications/tools/list_changed');
    messages.end();
  });

  test('a task that is over when it is followed is told once', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('quick', {}, (ctx) => tasks.start(ctx, () => text('done')));
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('quick');
    await client.until(taskId, 'completed');
    const [, told] = await take(await client.listen({ taskIds: [taskId] }), 2);
    expect(told.params).toMatchObject({ taskId, status: 'completed', result: text('done') });
  });

  test('needs the extension, and ids that are some; without tasks on the server they are ignored', async () => {
    const { url } = await serveTasks(engine, equip);
    const refused = await new TaskClient(url, null).ask('subscriptions/listen', { notifications: { taskIds: ['x'] } });
    expect(refused.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
    });
    const client = new TaskClient(url);
    for (const taskIds of ['x', [5], null, Array.from({ length: 1025 }, String)]) {
      const answer = await client.ask('subscriptions/listen', { notifications: { taskIds } });
      expect(answer.error?.code, JSON.stringify(taskIds)?.slice(0, 20)).toBe(-32602);
    }
    const plain = new McpServer({ name: 'plain', version: '1' });
    plain.registerTool('tool', {}, () => text(''));
    const listener = await plain.listen({ port: 0, engine });
    const messages = await new TaskClient(listener.url, null).listen({ taskIds: ['x'], toolsListChanged: true });
    const [ack] = await take(messages, 1);
    expect(ack.params.notifications).toEqual({ toolsListChanged: true });
    messages.end();
    await listener.close({ grace: 0 });
  });

  test('follows tasks of its owner only', async () => {
    const tokens = [
      { token: 'token-of-the-first-one', clientId: 'one' },
      { token: 'token-of-the-second-one', clientId: 'two' },
    ];
    const { url } = await serveTasks(engine, equip, {}, { auth: { tokens } });
    const [one, two] = tokens.map(({ token }) => new TaskClient(url, {}, token)) as [TaskClient, TaskClient];
    const [mine, theirs] = [await two.begin('work'), await one.begin('work')];
    await two.until(mine, 'input_required');
    const messages = await two.listen({ taskIds: [theirs, mine] });
    const [ack, first] = await take(messages, 2);
    expect(ack.params.notifications).toEqual({ taskIds: [mine] });
    expect(first.params.taskId).toBe(mine);
    await one.ask('tasks/cancel', { taskId: theirs });
    await two.ask('tasks/cancel', { taskId: mine });
    expect((await take(messages, 1))[0].params).toMatchObject({ taskId: mine, status: 'cancelled' });
    messages.end();
  });

  test('an expired token is told nothing more: its subscription ends', async () => {
    const expiresAt = Date.now() / 1000 + 1;
    const token = 'token-that-expires-soon';
    const tokens = [
      { token, clientId: 'one', expiresAt },
      { token: 'token-that-stays-valid', clientId: 'one' },
    ];
    const { url } = await serveTasks(engine, equip, {}, { auth: { tokens } });
    const lasting = new TaskClient(url, {}, 'token-that-stays-valid');
    const taskId = await lasting.begin('work');
    await lasting.until(taskId, 'input_required');
    const messages = await new TaskClient(url, {}, token).listen({ taskIds: [taskId] });
    await take(messages, 2);
    await new Promise((resolve) => setTimeout(resolve, expiresAt * 1000 - Date.now() + 20));
    await lasting.ask('tasks/cancel', { taskId });
    const rest: Json[] = [];
    for await (const message of messages) rest.push(message);
    expect(rest).toEqual([expect.objectContaining({ id: 1, result: expect.any(Object) })]);
    expect(JSON.stringify(rest)).not.toContain(taskId);
  });

  test('a store that fails is an error without its words; a server that closes says so', async () => {
    class Broken extends MemoryTaskStore {
      broken = false;
      override async get(taskId: string): ReturnType<MemoryTaskStore['get']> {
        if (this.broken) throw new Error('secret address');
        return super.get(taskId);
      }
    }
    const store = new Broken();
    const { url, server } = await serveTasks(engine, equip, { store });
    const client = new TaskClient(url);
    const taskId = await client.begin('work');
    store.broken = true;
    const failed = await client.ask('subscriptions/listen', { notifications: { taskIds: [taskId] } });
    expect(failed.error).toEqual({ code: -32603, message: 'Internal error' });
    store.broken = false;
    const messages = await client.listen({ taskIds: [taskId] });
    await take(messages, 2);
    await server.close();
    const rest: Json[] = [];
    for await (const message of messages) rest.push(message);
    expect(rest.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });
});

describe('on a pipe', () => {
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

  test('messages go among all others; who leaves or cancels early leaves nobody watching', async () => {
    const server = new McpServer({ name: 'pipe', version: '1' });
    const looking = gate();
    let watching = 0;
    class Slow extends MemoryTaskStore {
      slow = false;
      override async get(taskId: string): ReturnType<MemoryTaskStore['get']> {
        if (this.slow) await looking.passed;
        return super.get(taskId);
      }
      override watch(...given: Parameters<MemoryTaskStore['watch']>): () => void {
        const end = super.watch(...given);
        watching += 1;
        let ended = false;
        return () => {
          if (!ended) watching -= 1;
          ended = true;
          end();
        };
      }
    }
    const store = new Slow();
    const tasks = enableTasks(server, { store });
    equip(server, tasks);
    const recorder = new Recorder(createDispatch(offerOf(server)), true);
    const capabilities = { extensions: { [TASKS]: {} }, elicitation: {} };
    const send = (id: number, method: string, params: object): number => {
      const _meta = envelope({ 'io.modelcontextprotocol/clientCapabilities': capabilities });
      return recorder.post({ jsonrpc: '2.0', id, method, params: { ...params, _meta } });
    };
    const { taskId } = (await recorder.answered(send(1, 'tools/call', { name: 'work' }))).json;
    await settled();
    expect(watching).toBe(1);
    const slot = send(2, 'subscriptions/listen', { notifications: { taskIds: [taskId] } });
    await settled();
    expect((recorder.events.get(slot) ?? []).map((event) => event.method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tasks',
    ]);
    expect(watching).toBe(2);
    const cancel = (requestId: number) =>
      recorder.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, _meta: envelope() } });
    cancel(2);
    expect(watching).toBe(1);
    store.slow = true;
    const early = send(3, 'subscriptions/listen', { notifications: { taskIds: [taskId] } });
    const left = send(4, 'subscriptions/listen', { notifications: { taskIds: [taskId] } });
    cancel(3);
    recorder.leave(left);
    looking.open();
    await settled();
    expect(watching).toBe(1);
    expect(recorder.events.has(early)).toBe(false);
    await tasks.close();
  });
});
