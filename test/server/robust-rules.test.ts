/**
 * Rules, stores and modes that are to keep somebody out or something safe: what fails, or talks its way in, does not get past
 * them. From outside, on every engine.
 */
import { describe, expect, it } from 'vitest';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { McpServer } from '../../ts/server/mcp.js';
import { MemoryTaskStore } from '../../ts/server/tasks/memory.js';
import type { TaskStore } from '../../ts/server/tasks/store.js';
import { enableTasks } from '../../ts/server/tasks/tasks.js';
import { engineNames } from '../engines.js';
import { broken, ends, META, modern, rejecting, text, turns } from './robust.stage.js';

describe('task stores that fail', () => {
  const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const fails: Record<string, (inner: MemoryTaskStore) => Partial<TaskStore>> = {
    'create rejects': () => ({ create: rejecting }),
    'get rejects': () => ({ get: rejecting }),
    'get throws': () => ({ get: broken }),
    'update rejects': () => ({ update: rejecting }),
    'update throws': () => ({ update: broken }),
    'watch throws': () => ({ watch: broken }),
    'the end of watch throws': () => ({ watch: () => broken }),
    'nothing is given': () => ({ get: () => undefined as never, update: () => undefined as never }),
  };
  it.each(Object.entries(fails))('%s', async (_what, failing) => {
    const inner = new MemoryTaskStore();
    const whole: TaskStore = {
      create: (task) => inner.create(task),
      get: (taskId) => inner.get(taskId),
      update: (taskId, step) => inner.update(taskId, step),
      watch: (taskId, listener) => inner.watch(taskId, listener),
      close: () => inner.close(),
    };
    const server = new McpServer({ name: 's', version: '1' });
    const tasks = enableTasks(server, { store: { ...whole, ...failing(inner) }, onerror: broken });
    server.registerTool('t', {}, (ctx) =>
      tasks.start(ctx, async (task) => {
        await task.setStatus('begun');
        return text('done');
      }),
    );
    const handler = createMcpHandler(server);
    ends.push(() => handler.close());
    const ask = async (method: string, params: Record<string, unknown>): Promise<any> => {
      const response = await handler.fetch(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': method,
            ...(method !== 'subscriptions/listen' && { 'mcp-name': String(params.name ?? params.taskId) }),
          },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
        }),
      );
      if (response.headers.get('content-type') === 'application/json') return response.json();
      await response.body?.cancel();
      return {};
    };
    const { result } = await ask('tools/call', { name: 't' });
    const taskId = result?.taskId ?? 'none';
    await turns(20);
    for (const method of ['tasks/get', 'tasks/cancel']) {
      const { error } = await ask(method, { taskId });
      expect([undefined, -32602, -32603]).toContain(error?.code);
    }
    await ask('subscriptions/listen', { notifications: { taskIds: [taskId, 'other'] } });
    await turns(20);
  });
});

describe.each(engineNames)('access rules that fail (%s)', (engine) => {
  const tokens = [{ token: 'a-token-of-sixteen', clientId: 'alice' }];
  const authorization = { authorization: 'Bearer a-token-of-sixteen' };

  async function guarded(rule: object): Promise<string> {
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('t', rule as never, () => text('done'));
    const listener = await server.listen({ port: 0, engine, auth: { tokens } });
    ends.push(() => listener.close({ grace: 0 }));
    return listener.url;
  }

  it.each([
    ['canAccess throws', { canAccess: broken }],
    ['canAccess is asynchronous', { canAccess: async () => true }],
    ['canAccess rejects', { canAccess: rejecting }],
    ['scopeChallenge throws', { scopeChallenge: broken }],
    ['scopeChallenge rejects', { scopeChallenge: rejecting }],
    ['scopeChallenge gives nonsense', { scopeChallenge: () => ({}) }],
    ['scopeChallenge gives nonsense later', { scopeChallenge: async () => ({}) }],
  ])('let nobody through: %s', async (_what, rule) => {
    const url = await guarded(rule);
    const { error } = await modern(url, 'tools/call', { name: 't', arguments: {} }, authorization);
    expect([-32602, -32603]).toContain(error.code);
    await modern(url, 'tools/list', {}, authorization);
  });

  it('keep a list that not all may see out of caches that all share', async () => {
    const server = new McpServer(
      { name: 's', version: '1' },
      { cacheHints: { 'tools/list': { cacheScope: 'public', ttlMs: 1000 } } },
    );
    server.registerTool('open', {}, () => text('a'));
    server.registerTool('hidden', { canAccess: () => false }, () => text('a'));
    const listener = await server.listen({ port: 0, engine, auth: { tokens } });
    ends.push(() => listener.close({ grace: 0 }));
    const { result } = await modern(listener.url, 'tools/list', {}, authorization);
    expect(result).toMatchObject({ tools: [{ name: 'open' }], ttlMs: 1000, cacheScope: 'private' });
  });

  it('cannot put lines into the head of an answer', async () => {
    const url = await guarded({ scopeChallenge: () => ({ scopes: ['a"\r\nset-cookie: x=y\r\nx: \u2028'] }) });
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 't',
        ...authorization,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't', _meta: META } }),
    });
    expect(response.headers.get('set-cookie')).toBeNull();
    await response.text();
  });
});

describe('a handler for the modern era alone', () => {
  const key = 'io.modelcontextprotocol/protocolVersion';
  it.each([{}, { x: key }, { x: { [key]: '2026-07-28' } }])(
    'is not talked into the other by _meta %j',
    async (_meta) => {
      const seen: string[] = [];
      const handler = createMcpHandler(
        ({ era }) => {
          seen.push(era);
          const server = new McpServer({ name: 's', version: '1' });
          server.registerTool('t', {}, () => text('served'));
          return server;
        },
        { legacy: 'reject' },
      );
      ends.push(() => handler.close());
      const response = await handler.fetch(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't', _meta } }),
        }),
      );
      expect([response.status, ((await response.json()) as { error: { code: number } }).error.code]).toEqual([
        400, -32022,
      ]);
      expect(seen).toEqual([]);
    },
  );
});
