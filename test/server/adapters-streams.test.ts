/** Streams through every adapter: events before the result, clients that leave, clients that read slowly, subscriptions. */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { fetchHandler } from '../../ts/server/adapters/fetch.js';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { honoHandler } from '../../ts/server/adapters/hono.js';
import { toNodeHandler } from '../../ts/server/adapters/node.js';
import { Server } from '../../ts/server/lowlevel/server.js';
import { McpServer } from '../../ts/server/mcp.js';
import {
  ask,
  atEnd,
  call,
  connect,
  eventsOf,
  legacy,
  MODERN,
  MOUNTINGS,
  modern,
  onNode,
  text,
} from './adapters-stage.js';

/** A promise with its ends. */
function mark<T = void>() {
  let settle!: (value: T) => void;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

describe.each(MOUNTINGS)('%s', (_, mount) => {
  it('streams what a handler says before its result, at once', async () => {
    const heard = mark();
    const url = await mount(() => {
      const server = new McpServer({ name: 'streams', version: '1' });
      server.registerTool('steps', {}, async (ctx) => {
        ctx.progress(1, 2);
        await heard.promise; // what is kept back until the result would never be seen
        ctx.progress(2, 2);
        return text('done');
      });
      return server;
    });
    const answer = await ask(url, {
      ...call('steps', {}, { progressToken: 'p' }),
      heard: (piece) => piece.includes('"progress":1') && heard.settle(),
    });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.headers['x-accel-buffering']).toBe('no');
    const [first, second, result] = eventsOf(answer.text);
    expect([first.params.progress, second.params.progress]).toEqual([1, 2]);
    expect(result).toMatchObject({ id: 1, result: text('done') });
  });

  it('aborts the handler of a client that leaves, before and after the first event', async () => {
    for (const speaks of [false, true]) {
      const started = mark();
      const stopped = mark<string>();
      const closed = mark();
      const url = await mount(() => {
        const server = new McpServer({ name: 'streams', version: '1' });
        server.registerTool('hold', {}, async (ctx) => {
          if (speaks) ctx.progress(1);
          started.settle();
          if (!ctx.signal.aborted) await once(ctx.signal, 'abort');
          stopped.settle(ctx.signal.reason.name);
          return text('let go');
        });
        const { close } = server;
        server.close = async (...given) => {
          closed.settle();
          return close.apply(server, given);
        };
        return server;
      });
      const leaving = new AbortController();
      const heard = mark();
      const held = ask(url, {
        ...call('hold', {}, { progressToken: 1 }),
        signal: leaving.signal,
        heard: () => heard.settle(),
      });
      held.catch(() => {});
      await started.promise;
      if (speaks) await heard.promise;
      leaving.abort();
      await expect(held).rejects.toThrow();
      expect(await stopped.promise).toBe('AbortError');
      await closed.promise;
    }
  });

  it('tells subscribers of changes, through the bus of the handler', async () => {
    const server = new McpServer({ name: 'streams', version: '1' });
    server.registerTool('one', {}, () => text(1));
    const client = await connect(await mount(server), { pin: MODERN });
    const changed = mark();
    client.setNotificationHandler('notifications/tools/list_changed', () => changed.settle());
    const subscription = await client.listen({ toolsListChanged: true });
    expect(subscription.honoredFilter).toMatchObject({ toolsListChanged: true });
    server.registerTool('two', {}, () => text(2));
    await changed.promise;
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['one', 'two']);
    await subscription.close();
  });
});

it('asks a writer to wait while its client does not read, and goes on when it does', async () => {
  const waits = mark();
  const piece = 'x'.repeat(64 * 1024);
  const server = new McpServer({ name: 'streams', version: '1' });
  let sent = 0;
  server.registerTool('much', {}, async (ctx) => {
    for (; sent < 400; sent++) {
      if (sent === 300) waits.settle();
      ctx.mcpReq.notify({ method: 'notifications/x', params: { piece } });
      if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return text('done');
  });
  // A stream whose client never reads is cut off, and its server is free again.
  const url = await onNode(toNodeHandler(createMcpHandler(server)) as never);
  const socket = connectSocket(Number(url.port), '127.0.0.1');
  atEnd(() => socket.destroy());
  socket.pause();
  const { headers, body } = call('much');
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers });
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  await waits.promise;
  const gone = once(socket, 'close');
  socket.resume();
  await gone;
  expect((await ask(url, modern('server/discover'))).status).toBe(200);
});

it('keeps silent streams alive with comments', async () => {
  const heard = mark();
  const server = new McpServer({ name: 'streams', version: '1' });
  server.registerTool('wait', {}, async (ctx) => {
    ctx.progress(1);
    await heard.promise;
    return text('done');
  });
  const url = await onNode(toNodeHandler(createMcpHandler(server, { keepAliveMs: 20 })) as never);
  const answer = await ask(url, {
    ...call('wait', {}, { progressToken: 1 }),
    heard: (piece) => /^: *\n\n/m.test(piece) && heard.settle(),
  });
  expect(eventsOf(answer.text).at(-1)).toMatchObject({ result: text('done') });
});

describe('a handler with a factory', () => {
  const build = () => {
    const server = new McpServer(
      { name: 'streams', version: '1' },
      { capabilities: { resources: { subscribe: true } } },
    );
    server.registerTool('say', { inputSchema: z.object({}) }, (_, ctx) => {
      ctx.progress(1);
      return text('said');
    });
    return server;
  };
  const request = (message: { body: string; headers: Record<string, string> }) =>
    new Request('http://localhost/mcp', { method: 'POST', ...message });
  const listen = (notifications: object) => request(modern('subscriptions/listen', { notifications }));

  it('has one bus for the subscriptions of all requests, counts them, and ends them with a result', async () => {
    const handler = createMcpHandler(build, { maxSubscriptions: 1 });
    const response = await handler.fetch(listen({ toolsListChanged: true, resourceSubscriptions: ['a://b'] }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reading = response.text();
    const full = await handler.fetch(listen({ toolsListChanged: true }));
    expect(await full.json()).toMatchObject({ error: { code: -32603 } });
    handler.notify.toolsChanged();
    handler.notify.promptsChanged(); // was not asked for
    handler.bus.publish({ kind: 'resource_updated', uri: 'a://b' });
    handler.notify.resourceUpdated('a://c');
    await handler.close();
    const messages = eventsOf(await reading);
    expect(messages.map((message) => message.method ?? message.result.resultType)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
      'notifications/resources/updated',
      'complete',
    ]);
    expect(messages[2].params).toMatchObject({ uri: 'a://b' });
  });

  it('gives a place back when a subscriber leaves', async () => {
    const handler = createMcpHandler(build, { maxSubscriptions: 1 });
    const first = await handler.fetch(listen({ toolsListChanged: true }));
    await first.body?.cancel();
    const second = await handler.fetch(listen({ toolsListChanged: true }));
    expect(second.headers.get('content-type')).toBe('text/event-stream');
    await handler.close();
  });

  it('shapes responses as it is told', async () => {
    const say = () => request(call('say', {}, { progressToken: 1 }));
    const types = async (mode: 'auto' | 'sse' | 'json', message: Request) => {
      const response = await createMcpHandler(build, { responseMode: mode }).fetch(message);
      return [response.status, response.headers.get('content-type'), eventsOf(await response.clone().text()).length];
    };
    const STREAM = 'text/event-stream';
    const ONE = 'application/json';
    expect(await types('auto', say())).toEqual([200, STREAM, 2]);
    expect(await types('json', say())).toEqual([200, ONE, 0]);
    expect(await types('sse', say())).toEqual([200, STREAM, 2]);
    expect(await types('auto', request(modern('tools/list')))).toEqual([200, ONE, 0]);
    expect(await types('sse', request(modern('tools/list')))).toEqual([200, STREAM, 1]);
    // What is refused keeps its status.
    const unknown = modern('tools/nothing');
    expect(await types('sse', request(unknown))).toEqual([404, ONE, 0]);
    // Subscriptions are streams whatever was said.
    const handler = createMcpHandler(build, { responseMode: 'json' });
    const listening = await handler.fetch(listen({ toolsListChanged: true }));
    expect(listening.headers.get('content-type')).toBe(STREAM);
    await handler.close();
    expect(eventsOf(await listening.text())).toHaveLength(2);
  });

  it('has no sessions, and refuses the legacy era when told so', async () => {
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const stateless = await createMcpHandler(build).fetch(request(legacy('initialize', params)));
    expect(await stateless.json()).toMatchObject({ result: { protocolVersion: '2025-06-18' } });
    expect(stateless.headers.get('mcp-session-id')).toBeNull();
    for (const served of [build, build()]) {
      const strict = createMcpHandler(served, { legacy: 'reject' });
      const refused = await strict.fetch(request(legacy('initialize', params)));
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        id: 1,
        error: { code: -32022, data: { supported: [MODERN], requested: '2025-06-18' } },
      });
      const bare = { ...legacy('tools/list'), headers: { 'content-type': 'application/json' } };
      expect((await strict.fetch(request(bare))).status).toBe(400);
      expect((await strict.fetch(request(legacy('notifications/initialized', {}, null)))).status).toBe(202);
      expect((await strict.fetch(new Request('http://localhost/mcp'))).status).toBe(405);
      expect((await strict.fetch(request(modern('tools/list')))).status).toBe(200);
    }
  });

  it('tells its owner, and nobody else, why a factory failed', async () => {
    const errors: string[] = [];
    for (const factory of [
      () => {
        throw new Error('no database');
      },
      async () => Promise.reject(new Error('no database')),
      () => ({ close: async () => {} }),
    ]) {
      const handler = createMcpHandler(factory, { onerror: (error) => errors.push(error.message) });
      const response = await handler.fetch(request(call('say')));
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('database');
    }
    expect(errors.filter((message) => message === 'no database')).toHaveLength(2);
  });

  it('gives the factory the request', async () => {
    const seen: (string | null)[] = [];
    const handler = createMcpHandler(({ requestInfo, era }) => {
      seen.push(era, requestInfo?.headers.get('x-tenant') ?? null, requestInfo?.url ?? null);
      return build();
    });
    const say = call('say');
    const tenant = new Request('http://localhost/mcp?a=b', {
      method: 'POST',
      ...say,
      headers: { ...say.headers, 'x-tenant': 't' },
    });
    await handler.fetch(tenant);
    const url = await onNode(toNodeHandler(handler) as never);
    await ask(url, { ...say, headers: { ...say.headers, 'x-tenant': 'u' } });
    expect(seen).toEqual(['modern', 't', 'http://localhost/mcp?a=b', 'modern', 'u', url.href]);
  });

  it('checks names where there is no socket only when they are given', async () => {
    const say = call('say');
    const at = (host: string) => new Request(`http://${host}/mcp`, { method: 'POST', ...say });
    expect((await createMcpHandler(build).fetch(at('anything.example'))).status).toBe(200);
    const named = createMcpHandler(build, { allowedHosts: ['api.example'], allowedOrigins: null });
    expect((await named.fetch(at('api.example:8443'))).status).toBe(200);
    expect((await named.fetch(at('evil.example'))).status).toBe(403);
    expect(honoHandler(build).handler.fetch).toBeTypeOf('function');
  });
});

describe('fetchHandler', () => {
  it('is a function and a handler, for a factory of either class of server and for a server', async () => {
    const low = () => {
      const server = new Server({ name: 'low', version: '1' }, { capabilities: { tools: {} } });
      server.setRequestHandler('tools/call', async () => text('low'));
      return server;
    };
    const high = () => {
      const server = new McpServer({ name: 'high', version: '1' });
      server.registerTool('any', {}, () => text('high'));
      return server;
    };
    for (const [served, says] of [
      [low, 'low'],
      [async () => low(), 'low'],
      [high, 'high'],
      [high(), 'high'],
    ] as const) {
      const handler = fetchHandler(served);
      const request = () => new Request('http://edge.example/mcp', { method: 'POST', ...call('any') });
      expect(await (await handler(request())).json()).toMatchObject({ result: text(says) });
      expect(await (await handler.fetch(request())).json()).toMatchObject({ result: text(says) });
      const gone = new AbortController();
      gone.abort();
      await handler(new Request(request(), { signal: gone.signal })).catch(() => {});
      await handler.close();
      await expect(handler(request())).rejects.toThrow(/closed/);
    }
  });

  it('closes with its server', async () => {
    const server = new McpServer({ name: 'high', version: '1' });
    const handler = fetchHandler(server);
    expect(server.isConnected()).toBe(true);
    await server.close();
    expect(server.isConnected()).toBe(false);
    const request = new Request('http://edge.example/mcp', { method: 'POST', ...modern('server/discover') });
    await expect(handler(request)).rejects.toThrow(/closed/);
  });
});

it('leaves nothing of a request behind on the bus of the handler', async () => {
  const listeners = new Set<unknown>();
  const bus = {
    publish() {},
    subscribe(listener: unknown) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const build = () =>
    new McpServer({ name: 'streams', version: '1' }, { capabilities: { tools: { listChanged: true } } });
  const handler = createMcpHandler(build, { bus });
  const request = ({ body, headers }: { body: string; headers: Record<string, string> }) =>
    new Request('http://localhost/mcp', { method: 'POST', body, headers });
  for (const message of [modern('tools/list'), legacy('tools/list'), call('nobody')]) {
    await (await handler.fetch(request(message))).text();
  }
  expect(listeners.size).toBe(0);
  const open = await handler.fetch(
    request(modern('subscriptions/listen', { notifications: { toolsListChanged: true } })),
  );
  expect(listeners.size).toBe(1);
  await open.body?.cancel();
  expect(listeners.size).toBe(0);
  await handler.close();
});
