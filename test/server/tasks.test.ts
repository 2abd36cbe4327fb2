/**
 * The tasks extension from outside: raw requests to real listeners, on each engine. Stores have their own tests, see
 * tasks-stores.test.ts; notifications are in tasks-notifications.test.ts.
 */
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ProtocolError } from '../../ts/protocol/errors.js';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { McpServer } from '../../ts/server/mcp.js';
import { MemoryTaskStore } from '../../ts/server/tasks/memory.js';
import { enableTasks } from '../../ts/server/tasks/tasks.js';
import { engineNames } from '../engines.js';
import { form, gate, type Json, serveTasks, TASKS, TaskClient, text } from './tasks.stage.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UNKNOWN = { code: -32602, message: 'Task not found' };
const needsTasks = { extensions: { [TASKS]: {} } };

describe.each(engineNames)('%s engine', (engine) => {
  test('is declared, and its three methods are all there are', async () => {
    const { url } = await serveTasks(engine, (server) => void server.registerTool('t', {}, () => text('x')));
    const client = new TaskClient(url);
    const { capabilities } = (await client.ask('server/discover')).result;
    expect(capabilities.extensions).toEqual({ [TASKS]: {} });
    expect(capabilities.tasks).toBeUndefined();
    for (const method of ['tasks/list', 'tasks/result']) {
      const answer = await client.ask(method, { taskId: 'x' });
      expect([answer.status, answer.error.code]).toEqual([404, -32601]);
    }
  });

  test('a call becomes a task that is found at once, works, and completes with what the call would have given', async () => {
    const work = gate();
    const { url, tasks } = await serveTasks(engine, (server, all) => {
      server.registerTool('work', {}, (ctx) =>
        all.start(ctx, async (task) => {
          await task.setStatus('half done');
          await work.passed;
          return text('done');
        }),
      );
    });
    const client = new TaskClient(url);
    const { result } = await client.call('work', {}, { task: { ttl: 5 } });
    expect(result).toEqual({
      resultType: 'task',
      taskId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'working',
      createdAt: expect.stringMatching(ISO),
      lastUpdatedAt: expect.stringMatching(ISO),
      ttlMs: 3_600_000,
      pollIntervalMs: 1000,
      _meta: expect.any(Object),
    });
    const { taskId } = result;
    expect(await client.get(taskId)).toMatchObject({ resultType: 'complete', taskId, status: 'working' });
    await client.until(taskId, (task) => task.statusMessage === 'half done');
    expect(tasks.running).toBe(1);
    work.open();
    const done = await client.until(taskId, 'completed');
    expect(done.result).toEqual(text('done'));
    expect(done).not.toHaveProperty('error');
    expect(done).not.toHaveProperty('inputRequests');
    expect(Date.parse(done.lastUpdatedAt)).toBeGreaterThanOrEqual(Date.parse(done.createdAt));
    expect(await client.get(taskId)).toEqual(done);
  });

  test('a failing tool completes with isError; a protocol error, and nothing else, fails the task', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('throws', {}, (ctx) =>
        tasks.start(ctx, () => {
          throw new Error('no disk');
        }),
      );
      server.registerTool('refuses', {}, (ctx) =>
        tasks.start(ctx, () => {
          throw new ProtocolError(-32050, 'Rate limit', { retry: 5 });
        }),
      );
      server.registerTool('cyclic', {}, (ctx) =>
        tasks.start(ctx, () => {
          const content: Json[] = [];
          content.push(content);
          return { content };
        }),
      );
      server.registerTool('nothing', {}, (ctx) => tasks.start(ctx, (() => undefined) as never));
      server.registerTool('asks', {}, (ctx) =>
        tasks.start(ctx, () => ({ resultType: 'input_required', inputRequests: {} }) as never),
      );
    });
    const client = new TaskClient(url);
    const over = async (name: string) => client.until(await client.begin(name), (task) => task.status !== 'working');
    expect(await over('throws')).toMatchObject({ status: 'completed', result: { ...text('no disk'), isError: true } });
    const refused = await over('refuses');
    expect(refused).toMatchObject({
      status: 'failed',
      statusMessage: 'Rate limit',
      error: { code: -32050, message: 'Rate limit', data: { retry: 5 } },
    });
    expect(refused).not.toHaveProperty('result');
    expect(await over('cyclic')).toMatchObject({ status: 'failed', error: { code: -32603 } });
    expect(await over('nothing')).toMatchObject({ status: 'completed', result: { isError: true } });
    expect(await over('asks')).toMatchObject({ status: 'completed', result: { isError: true } });
  });

  test('the output of a task is checked as that of its tool: schema, text beside structure, pieces put together', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      const outputSchema = z.object({ n: z.number() });
      const give = (value: unknown) => (ctx: Json) => tasks.start(ctx, () => ({ structuredContent: value }) as never);
      server.registerTool('right', { outputSchema }, give({ n: 1 }) as never);
      server.registerTool('wrong', { outputSchema }, give({ n: 'x' }) as never);
      server.registerTool('pieces', {}, (ctx) =>
        tasks.start(ctx, () => ({ content: [{ type: 'text', text: pieces() as never }] })),
      );
      async function* pieces() {
        yield 'piece ';
        yield 'by "piece"';
      }
    });
    const client = new TaskClient(url);
    const result = async (name: string) => (await client.until(await client.begin(name), 'completed')).result;
    expect(await result('right')).toEqual({ structuredContent: { n: 1 }, ...text('{"n":1}') });
    expect(await result('wrong')).toMatchObject({ isError: true });
    expect((await result('wrong')).content[0].text).toContain('Invalid structured content for tool wrong');
    expect(await result('pieces')).toEqual(text('piece by "piece"'));
  });

  test('questions wait in the task, several at once, and are answered one by one', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('ask', {}, (ctx) =>
        tasks.start(ctx, async (task) => {
          const both = await Promise.all([
            task.elicit(form({ a: { type: 'string' } }), { key: 'first' }),
            task.elicit(form({ b: { type: 'string' } }), { key: 'second' }),
          ]);
          const third = await task.elicit(form({ c: { type: 'string' } }));
          return text([...both, third].map((answer) => JSON.stringify(answer.content)).join());
        }),
      );
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('ask');
    const asked = await client.until(taskId, 'input_required');
    expect(Object.keys(asked.inputRequests)).toEqual(['first', 'second']);
    expect(asked.inputRequests.first).toEqual({ method: 'elicitation/create', params: expect.any(Object) });
    expect(asked).not.toHaveProperty('requestState');
    const accept = (content: object) => ({ action: 'accept', content });

    // Unknown keys, the ones of prototypes among them, are ignored and acknowledged.
    const strange = JSON.parse('{"never":{"action":"accept"},"__proto__":{"action":"accept"},"constructor":1}');
    const ignored = await client.ask('tasks/update', { taskId, inputResponses: strange });
    expect(ignored.result).toEqual({ resultType: 'complete', _meta: expect.any(Object) });
    expect(Object.keys((await client.get(taskId)).inputRequests)).toEqual(['first', 'second']);

    await client.ask('tasks/update', { taskId, inputResponses: { second: accept({ b: '2' }) } });
    const partly = await client.get(taskId);
    expect([partly.status, Object.keys(partly.inputRequests)]).toEqual(['input_required', ['first']]);
    expect(partly).not.toHaveProperty('inputResponses');
    // A second answer to the same question changes nothing.
    await client.ask('tasks/update', {
      taskId,
      inputResponses: { second: accept({ b: 'x' }), first: accept({ a: '1' }) },
    });
    const next = await client.until(taskId, (task) => task.status === 'input_required');
    const [key] = Object.keys(next.inputRequests) as [string];
    expect(['first', 'second']).not.toContain(key);
    await client.ask('tasks/update', { taskId, inputResponses: { [key]: accept({ c: '3' }) } });
    expect((await client.until(taskId, 'completed')).result).toEqual(text('{"a":"1"},{"b":"2"},{"c":"3"}'));
  });

  test('an answer that is none is refused and the question stays; one that its schema refuses is asked for again', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('ask', {}, (ctx) =>
        tasks.start(ctx, async (task) => {
          const requestedSchema = z.object({ n: z.number() }).refine(({ n }) => n % 2 === 0);
          const answer = await task.elicit({ message: 'Even?', requestedSchema }, { key: 'n' });
          return text(JSON.stringify(answer.content));
        }),
      );
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('ask');
    await client.until(taskId, 'input_required');
    const update = (inputResponses: unknown) => client.ask('tasks/update', { taskId, inputResponses });
    for (const bad of [undefined, null, [], 'n', { n: 5 }, { n: { action: 'maybe' } }]) {
      expect((await update(bad)).error?.code, JSON.stringify(bad)).toBe(-32602);
    }
    const unfit = await update({ n: { action: 'accept', content: { n: 'two' } } });
    expect(unfit.error).toMatchObject({ code: -32602, message: expect.stringContaining('inputResponses["n"]') });
    expect(Object.keys((await client.get(taskId)).inputRequests)).toEqual(['n']);
    await update({ n: { action: 'accept', content: { n: 3 } } });
    const again = await client.until(taskId, 'input_required');
    const [key] = Object.keys(again.inputRequests) as [string];
    expect(key).not.toBe('n');
    await update({ [key]: { action: 'accept', content: { n: 4 } } });
    expect((await client.until(taskId, 'completed')).result).toEqual(text('{"n":4}'));
  });

  test('a key is used once in the life of a task; what the client cannot be asked fails it with -32021', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('twice', {}, (ctx) =>
        tasks.start(ctx, async (task) => {
          await task.elicit(form(), { key: 'k' });
          await task.elicit(form(), { key: 'k' });
          return text('');
        }),
      );
      server.registerTool('roots', {}, (ctx) => tasks.start(ctx, async (task) => text(`${await task.listRoots()}`)));
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('twice');
    await client.until(taskId, 'input_required');
    await client.ask('tasks/update', { taskId, inputResponses: { k: { action: 'decline' } } });
    const { result } = await client.until(taskId, 'completed');
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('asked for twice') }] });
    const failed = await client.until(await client.begin('roots'), 'failed');
    expect(failed.error).toMatchObject({ code: -32021, data: { requiredCapabilities: { roots: {} } } });
  });

  test('cancelling reaches the handler’s signal; the status is final whatever the handler does then', async () => {
    const [started, stopped, late] = [gate(), gate<string>(), gate()];
    const { url, tasks } = await serveTasks(engine, (server, all) => {
      server.registerTool('work', {}, (ctx) =>
        all.start(ctx, async ({ signal, setStatus }) => {
          started.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          stopped.open(`${signal.reason.name}: ${signal.reason.message}`);
          await late.passed;
          await setStatus('still here');
          return text('too late');
        }),
      );
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('work');
    await started.passed;
    const ack = await client.ask('tasks/cancel', { taskId });
    expect(ack.result).toEqual({ resultType: 'complete', _meta: expect.any(Object) });
    expect(await stopped.passed).toBe('AbortError: The client cancelled the task');
    const cancelled = await client.until(taskId, 'cancelled');
    late.open();
    while (tasks.running > 0) await new Promise(setImmediate);
    expect(await client.get(taskId)).toEqual(cancelled);
    for (const method of ['tasks/cancel', 'tasks/update']) {
      const again = await client.ask(method, { taskId, inputResponses: {} });
      expect(again.result).toEqual({ resultType: 'complete', _meta: expect.any(Object) });
    }
    expect(await client.get(taskId)).toEqual(cancelled);
  });

  test('cancelling a task that waits for an answer ends the wait; completing does not abort the signal', async () => {
    const [ended, signals] = [gate<string>(), [] as AbortSignal[]];
    const { url, tasks } = await serveTasks(engine, (server, all) => {
      server.registerTool('ask', {}, (ctx) =>
        all.start(ctx, async (task) => {
          await task.elicit(form()).catch((error: Error) => ended.open(error.name));
          return text('');
        }),
      );
      server.registerTool('quick', {}, (ctx) =>
        all.start(ctx, ({ signal }) => {
          signals.push(signal);
          return text('');
        }),
      );
    });
    const client = new TaskClient(url);
    const taskId = await client.begin('ask');
    await client.until(taskId, 'input_required');
    await client.ask('tasks/cancel', { taskId });
    expect(await ended.passed).toBe('AbortError');
    expect(await client.get(taskId)).not.toHaveProperty('inputRequests');
    await client.until(await client.begin('quick'), 'completed');
    while (tasks.running > 0) await new Promise(setImmediate);
    expect(signals[0]?.aborted).toBe(false);
  });

  test('without the extension: within the call, or -32021; the methods are refused, and tasks with legacy clients', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('waits', {}, (ctx) =>
        tasks.start(ctx, async (task) => {
          await task.setStatus('is nobody’s to see');
          return text(String(task.taskId));
        }),
      );
      server.registerTool('refuses', {}, (ctx) => tasks.start(ctx, () => text(''), { otherwise: 'refuse' }));
    });
    const client = new TaskClient(url, null);
    expect((await client.call('waits')).result).toMatchObject({ resultType: 'complete', ...text('undefined') });
    const refused = await client.call('refuses');
    expect(refused.error).toMatchObject({ code: -32021, data: { requiredCapabilities: needsTasks } });
    const taskId = await new TaskClient(url).begin('waits');
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const answer = await client.ask(method, { taskId, inputResponses: {} });
      expect(answer.error).toMatchObject({ code: -32021, data: { requiredCapabilities: needsTasks } });
    }
    const legacy = async (method: string, params: object) => {
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      return (await (await fetch(url, { method: 'POST', headers, body })).json()) as Json;
    };
    const params = { name: 'waits', arguments: {}, task: { ttl: 1000 } };
    expect((await legacy('tools/call', params)).result).toEqual(text('undefined'));
    expect((await legacy('tasks/get', { taskId })).error.code).toBe(-32601);
  });

  test('asks first, in rounds of the call, and is a task then; its keys are its own', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('both', {}, async (ctx) => {
        const name = await ctx.elicit(form({ name: { type: 'string' } }), { key: 'name' });
        return tasks.start(ctx, async (task) => {
          const age = await task.elicit(form({ age: { type: 'number' } }), { key: 'name' });
          return text(`${name.content?.name} is ${age.content?.age}`);
        });
      });
    });
    const client = new TaskClient(url);
    const round = (await client.call('both')).result;
    expect(round).toMatchObject({ resultType: 'input_required', inputRequests: { name: {} } });
    expect(round).not.toHaveProperty('taskId');
    const inputResponses = { name: { action: 'accept', content: { name: 'Ann' } } };
    const { result } = await client.call('both', {}, { inputResponses, requestState: round.requestState });
    expect(result).toMatchObject({ resultType: 'task', status: 'working' });
    expect(result).not.toHaveProperty('requestState');
    expect(result).not.toHaveProperty('inputRequests');
    const { taskId } = result;
    await client.until(taskId, 'input_required');
    await client.ask('tasks/update', {
      taskId,
      inputResponses: { name: { action: 'accept', content: { age: 30 } } },
    });
    expect((await client.until(taskId, 'completed')).result).toEqual(text('Ann is 30'));
  });

  test('unknown, foreign, long and missing ids are all told -32602', async () => {
    const tokens = [
      { token: 'token-of-the-first-one', clientId: 'one' },
      { token: 'token-of-the-second-one', clientId: 'two' },
      { token: 'a-newer-token-of-the-first', clientId: 'one' },
    ];
    const stopped = gate();
    const { url, tasks } = await serveTasks(
      engine,
      (server, all) => {
        server.registerTool('work', {}, (ctx) =>
          all.start(ctx, async ({ signal }) => {
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            stopped.open();
            return text('');
          }),
        );
      },
      {},
      { auth: { tokens } },
    );
    const [one, two, renewed] = tokens.map(({ token }) => new TaskClient(url, {}, token)) as [
      TaskClient,
      TaskClient,
      TaskClient,
    ];
    const taskId = await one.begin('work');
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const inputResponses = {};
      expect((await two.ask(method, { taskId, inputResponses })).error).toEqual(UNKNOWN);
      expect((await one.ask(method, { taskId: 'no-such', inputResponses })).error).toEqual(UNKNOWN);
      expect((await one.ask(method, { taskId: 'x'.repeat(5000), inputResponses })).error).toEqual(UNKNOWN);
      expect((await one.ask(method, { inputResponses })).error.code).toBe(-32602);
      expect((await one.ask(method, { taskId: 5, inputResponses })).error).toBeDefined();
    }
    expect(tasks.running).toBe(1);
    expect((await renewed.get(taskId)).status).toBe('working');
    await renewed.ask('tasks/cancel', { taskId });
    await stopped.passed;
  });

  test('a task expires: it is not found any more, and its code is stopped', async () => {
    const stopped = gate<string>();
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('work', {}, (ctx) =>
        tasks.start(
          ctx,
          async ({ signal }) => {
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            stopped.open(signal.reason.message);
            return text('');
          },
          { ttlMs: 300, pollIntervalMs: 50, statusMessage: 'briefly' },
        ),
      );
    });
    const client = new TaskClient(url);
    const { result } = await client.call('work');
    expect(result).toMatchObject({ ttlMs: 300, pollIntervalMs: 50, statusMessage: 'briefly' });
    expect(await stopped.passed).toBe('The task expired');
    await expect(client.until(result.taskId, 'gone')).rejects.toThrow('Task not found');
  });

  test('as many as there is room for; then what is over makes room', async () => {
    const gates = [gate(), gate(), gate()];
    let begun = 0;
    const store = new MemoryTaskStore({ maxTasks: 2 });
    const { url, tasks } = await serveTasks(
      engine,
      (server, all) => {
        server.registerTool('work', {}, (ctx) =>
          all.start(ctx, async () => {
            await gates[begun++]?.passed;
            return text('');
          }),
        );
      },
      { store },
    );
    const client = new TaskClient(url);
    const first = await client.begin('work');
    const second = await client.begin('work');
    expect((await client.call('work')).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('No room for another task') }],
    });
    gates[0]?.open();
    await client.until(first, 'completed');
    await client.begin('work');
    expect(store.size).toBe(2);
    expect((await client.get(second)).status).toBe('working');
    await expect(client.get(first)).rejects.toThrow('Task not found');
    while (tasks.running !== 2) await new Promise(setImmediate);
  });

  test('closing the tasks cancels what runs and starts nothing more', async () => {
    const { url, tasks } = await serveTasks(
      engine,
      (server, all) => {
        server.registerTool('work', {}, (ctx) =>
          all.start(
            ctx,
            ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
          ),
        );
      },
      { store: new MemoryTaskStore(), maxRunning: 1 },
    );
    const client = new TaskClient(url);
    const taskId = await client.begin('work');
    expect((await client.call('work')).result).toMatchObject({ isError: true });
    await tasks.close();
    expect(await client.get(taskId)).toMatchObject({ status: 'cancelled', statusMessage: 'The server is closing' });
    const refused = await client.call('work');
    expect(refused.error ?? refused.result).toBeDefined();
    expect(refused.result?.resultType).not.toBe('task');
  });

  test('a client that left while the store took its time gets no task that runs for nobody', async () => {
    const [creating, created, left] = [gate(), gate(), gate()];
    class Slow extends MemoryTaskStore {
      override async create(task: Parameters<MemoryTaskStore['create']>[0]): Promise<void> {
        creating.open();
        await created.passed;
        await super.create(task);
      }
    }
    let ran = false;
    const store = new Slow();
    const { url, tasks } = await serveTasks(
      engine,
      (server, all) => {
        server.registerTool('work', {}, (ctx) => {
          ctx.signal.addEventListener('abort', () => left.open());
          return all.start(ctx, () => {
            ran = true;
            return text('');
          });
        });
      },
      { store },
    );
    const leaving = new AbortController();
    const call = new TaskClient(url).post('tools/call', { name: 'work', arguments: {} }, leaving.signal);
    await creating.passed;
    leaving.abort();
    await expect(call).rejects.toThrow();
    await left.passed;
    created.open();
    while (store.size === 0 || tasks.running > 0) await new Promise(setImmediate);
    expect(ran).toBe(false);
  });

  test('what a store says is told to the operator, not to clients', async () => {
    const errors: string[] = [];
    class Broken extends MemoryTaskStore {
      override async create(): Promise<void> {
        throw new Error('connect ECONNREFUSED 10.0.0.5:6379');
      }
      override async get(): Promise<undefined> {
        throw new Error('read ECONNRESET 10.0.0.5');
      }
    }
    const { url } = await serveTasks(
      engine,
      (server, tasks) => void server.registerTool('work', {}, (ctx) => tasks.start(ctx, () => text(''))),
      { store: new Broken(), onerror: (error) => errors.push(error.message) },
    );
    const client = new TaskClient(url);
    expect((await client.call('work')).error).toEqual({ code: -32603, message: 'The task could not be created' });
    expect((await client.ask('tasks/get', { taskId: 'x' })).error).toEqual({ code: -32603, message: 'Internal error' });
    expect(errors).toEqual(['connect ECONNREFUSED 10.0.0.5:6379', 'read ECONNRESET 10.0.0.5']);
  });

  test('headers must agree: Mcp-Name is the task’s id', async () => {
    const { url } = await serveTasks(engine, (server, tasks) => {
      server.registerTool('quick', {}, (ctx) => tasks.start(ctx, () => text('')));
    });
    class Wrong extends TaskClient {
      override headers(method: string, params: Json): Record<string, string> {
        return { ...super.headers(method, params), 'mcp-name': 'another' };
      }
    }
    const taskId = await new TaskClient(url).begin('quick');
    expect((await new Wrong(url).ask('tasks/get', { taskId })).error.code).toBe(-32020);
  });
});

test('a server for every request: tasks live in the store that all of them share', async () => {
  const store = new MemoryTaskStore();
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'factory', version: '1' });
    const tasks = enableTasks(server, { store });
    server.registerTool('ask', {}, (ctx) =>
      tasks.start(ctx, async (task) => text((await task.elicit(form(), { key: 'ok' })).action)),
    );
    return server;
  });
  class Direct extends TaskClient {
    override post(method: string, params: Json, signal?: AbortSignal): Promise<Response> {
      const init = { method: 'POST', headers: this.headers(method, params), body: this.body(method, params) };
      return handler.fetch(new Request('http://127.0.0.1/mcp', signal === undefined ? init : { ...init, signal }));
    }
  }
  const client = new Direct('');
  const taskId = await client.begin('ask');
  await client.until(taskId, 'input_required');
  const messages = await client.listen({ taskIds: [taskId] });
  expect((await messages.next()).value.params.notifications).toEqual({ taskIds: [taskId] });
  expect((await messages.next()).value.params.status).toBe('input_required');
  await client.ask('tasks/update', { taskId, inputResponses: { ok: { action: 'decline' } } });
  expect((await messages.next()).value.params.status).toBe('working');
  expect((await messages.next()).value.params).toMatchObject({ status: 'completed', result: text('decline') });
  messages.end();
  await handler.close();
});

test('mistakes are told where they are made', async () => {
  await expect(serveTasks('js', () => {}, { ttlMs: 0 })).rejects.toThrow('ttlMs');
  await expect(serveTasks('js', () => {}, { pollInterval: 5 } as never)).rejects.toThrow('pollInterval');
  await expect(serveTasks('js', () => {}, { store: {} as never })).rejects.toThrow('Option store');
  await expect(serveTasks('js', () => {}, { maxRunning: 0 })).rejects.toThrow('maxRunning');
  expect(() => new MemoryTaskStore({ maxTasks: 0 })).toThrow('maxTasks');
  const said: string[] = [];
  const { url } = await serveTasks('js', (server, tasks) => {
    const start = (options: unknown) => (ctx: Json) =>
      tasks
        .start(ctx, () => text(''), options as never)
        .catch((error: Error) => {
          said.push(error.message);
          return text('');
        });
    server.registerTool('a', {}, start({ otherwise: 'whatever' }));
    server.registerTool('b', {}, start({ ttl: 5 }));
    server.registerPrompt('c', {}, (async (ctx: Json) => {
      await start({})(ctx);
      return { messages: [] };
    }) as never);
  });
  const client = new TaskClient(url);
  await client.call('a');
  await client.call('b');
  await client.ask('prompts/get', { name: 'c' });
  expect(said).toEqual([
    expect.stringContaining('otherwise'),
    expect.stringContaining('ttl'),
    'Only tools/call may be answered with a task, not prompts/get',
  ]);
});
