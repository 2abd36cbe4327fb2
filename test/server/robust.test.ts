/**
 * Nothing that a client, a transport, a store or a callback of the user's does ends the process, is answered with nothing,
 * or leaves something behind. From outside, on every engine.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as dial, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChangeBus } from '../../ts/protocol/changes.js';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { nodeHandler, toNodeHandler } from '../../ts/server/adapters/node.js';
import { attachmentOf } from '../../ts/server/attach.js';
import type { ListenOptions } from '../../ts/server/listen.js';
import { Server } from '../../ts/server/lowlevel/server.js';
import { McpServer } from '../../ts/server/mcp.js';
import { RedisEventStore } from '../../ts/server/redis/events.js';
import { serveStdio } from '../../ts/server/stdio.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { InMemoryTransport } from '../../ts/server/transports/in-memory.js';
import { NodeStreamableHTTPServerTransport } from '../../ts/server/transports/node.js';
import { WebStandardStreamableHTTPServerTransport } from '../../ts/server/transports/streamable.js';
import type { JSONRPCMessage, Transport } from '../../ts/server/transports/transport.js';
import { engineNames } from '../engines.js';
import {
  broken,
  ends,
  INITIALIZE,
  INITIALIZED,
  legacy,
  META,
  modern,
  rejecting,
  text,
  turns,
  until,
} from './robust.stage.js';

/** The other end of a transport, in the hands of a test. */
async function joined(server: { connect(transport: Transport): Promise<void> }) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const heard: any[] = [];
  near.onmessage = (message) => void heard.push(message);
  await near.start();
  await server.connect(far);
  ends.push(() => near.close());
  return {
    near,
    heard,
    async ask(message: unknown): Promise<any> {
      const before = heard.length;
      await near.send(message as JSONRPCMessage);
      await until(() => heard.length > before);
      return heard[before];
    },
  };
}

describe('callbacks of the user that fail', () => {
  for (const [how, fail] of [
    ['throw', broken],
    ['reject', rejecting],
  ] as const) {
    it(`oninitialized, onclose, onerror and the transport's own, when they ${how}`, async () => {
      const server = new McpServer({ name: 's', version: '1' });
      const told: string[] = [];
      server.server.oninitialized = fail as () => void;
      server.server.onclose = fail as () => void;
      server.server.onerror = (error) => {
        told.push(error.message);
        return fail() as never;
      };
      const { near, ask } = await joined(server);
      await ask(INITIALIZE);
      await near.send(INITIALIZED);
      await turns();
      expect(told).toEqual(['broken']);
      await server.close();
      await turns();
      expect(told).toEqual(['broken', 'broken']);
      expect(server.isConnected()).toBe(false);
    });

    it(`what stood on the transport before it was connected, when they ${how}`, async () => {
      const server = new Server({ name: 's', version: '1' });
      const [near, far] = InMemoryTransport.createLinkedPair();
      far.onclose = fail as () => void;
      far.onerror = fail as () => void;
      await near.start();
      await server.connect(far);
      far.onerror(new Error('trouble'));
      await near.close();
      expect(server.transport).toBeUndefined();
    });

    it(`a change bus, when its functions ${how}`, async () => {
      const bus: ChangeBus = { publish: fail as () => void, subscribe: () => () => {} };
      const server = new McpServer({ name: 's', version: '1' }, { changes: bus });
      const told: string[] = [];
      server.server.onerror = (error) => void told.push(error.message);
      server.registerTool('a', {}, () => text('a'));
      await joined(server);
      server.registerTool('b', {}, () => text('b'));
      await turns();
      server.sendResourceUpdated({ uri: 'memo://x' });
      await server.server.sendResourceUpdated({ uri: 'memo://x' }).catch(() => {});
      await turns();
      expect(told.length).toBeGreaterThan(1);
    });

    it(`over stdio, when onclose ${how}s`, async () => {
      const server = new McpServer({ name: 's', version: '1' });
      server.server.onclose = fail as () => void;
      const input = new PassThrough();
      const output = new PassThrough();
      const handle = serveStdio(server, { input, output });
      input.write(`${JSON.stringify(INITIALIZE)}\n`);
      await once(output, 'data');
      input.end();
      await handle.closed;
    });
  }

  it('the end of stdio waits for no subscription, however many there are', async () => {
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('a', {}, () => text('a'));
    const input = new PassThrough();
    const output = new PassThrough();
    let acknowledged = 0;
    output.on('data', (chunk) => {
      acknowledged += String(chunk).split('acknowledged').length - 1;
    });
    const handle = serveStdio(server, { input, output });
    const params = { notifications: { toolsListChanged: true }, _meta: META };
    for (let id = 0; id < 400; id += 1) {
      input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params })}\n`);
    }
    await until(() => acknowledged === 400);
    input.end();
    await handle.closed;
  });

  it('a transport that cannot send, or throws at everything', async () => {
    const server = new McpServer({ name: 's', version: '1' });
    const told: string[] = [];
    server.server.onerror = (error) => void told.push(error.message);
    server.registerTool('a', {}, () => text('a'));
    const transport: Transport = {
      start: async () => {},
      send: rejecting,
      close: async () => {},
      setProtocolVersion: broken,
    };
    await server.connect(transport);
    transport.onmessage?.(INITIALIZE);
    transport.onmessage?.({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'a' } });
    await turns();
    expect(told).toEqual(['broken', 'broken', 'broken']);
    await expect(server.server.ping()).rejects.toThrow();
    await server.close();
  });

  it.each(engineNames)('handlers, list and completion callbacks, and middleware (%s)', async (engine) => {
    const server = new McpServer({ name: 's', version: '1' });
    // biome-ignore lint/suspicious/noThenProperty: what handlers give may look like a promise and be none
    const thenable = { then: (_: unknown, no: (error: unknown) => void) => no(new Error('secret')) };
    const results: Record<string, () => unknown> = {
      throws: broken,
      rejects: rejecting,
      'rejects-with-nothing': () => Promise.reject(undefined),
      'throws-null': () => {
        throw null;
      },
      thenable: () => thenable,
      'a-getter-that-throws': () => ({
        get content() {
          return broken();
        },
      }),
      'a-then-that-throws': () => ({
        // biome-ignore lint/suspicious/noThenProperty: the same
        get then() {
          return broken();
        },
      }),
      nothing: () => undefined,
      'a-BigInt': () => ({ content: [{ type: 'text', text: 1n }] }),
      'toJSON-that-throws': () => ({ content: [], toJSON: broken }),
    };
    for (const [name, run] of Object.entries(results)) {
      server.registerTool(name, {}, run as never);
      server.registerPrompt(name, {}, run as never);
      server.registerResource(name, `memo://${encodeURIComponent(name)}`, {}, run as never);
    }
    const template = new ResourceTemplate('list://{x}', {
      list: rejecting as never,
      complete: { x: rejecting as never },
    });
    server.registerResource('t', template, {}, run());
    const listener = await server.listen({ port: 0, engine });
    ends.push(() => listener.close({ grace: 0 }));
    for (const name of Object.keys(results)) {
      const tool = await modern(listener.url, 'tools/call', { name });
      expect([name, tool.result?.isError ?? tool.error?.code]).toEqual([name, tool.result ? true : -32603]);
      expect((await modern(listener.url, 'prompts/get', { name })).error?.code).toBe(-32603);
      const uri = `memo://${encodeURIComponent(name)}`;
      expect((await modern(listener.url, 'resources/read', { uri })).error?.code).toBe(-32603);
    }
    expect((await modern(listener.url, 'resources/list', {})).error.code).toBe(-32603);
    const ref = { type: 'ref/resource', uri: 'list://{x}' };
    const completion = { ref, argument: { name: 'x', value: '' } };
    expect((await modern(listener.url, 'completion/complete', completion)).error).toEqual({
      code: -32603,
      message: 'Internal error',
    });
    server.use(broken);
    expect((await modern(listener.url, 'tools/call', { name: 'nothing' })).error.code).toBe(-32603);
  });

  function run() {
    return () => ({ contents: [] });
  }
});

describe('transports', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const nested = (id: number, levels: number) =>
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"a","arguments":{"x":${deep(levels)}}}}`;

  it.each([200, 50_000])('answer what nests %d deep', async (levels) => {
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('a', { inputSchema: z.looseObject({}) }, () => text('a'));
    const transport = new WebStandardStreamableHTTPServerTransport();
    await server.connect(transport);
    ends.push(() => server.close());
    const post = (body: string) =>
      transport.handleRequest(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body,
        }),
      );
    const response = await post(nested(1, levels));
    expect(await response.text()).toContain('"code":-32600');
    expect(await (await post(nested(1, 50))).text()).toContain('"text":"a"');
    expect(await (await post(nested(1, levels).replace('"id":1,', ''))).status).toBe(202);
  });

  it('can be resumed out of a store in Redis, which splits ids of its own form', async () => {
    const entries: { key: string; id: string; message: Record<string, string> }[] = [];
    const client = {
      xAdd: async (key: string, _id: string, message: Record<string, string>) => {
        entries.push({ key, id: `${entries.length + 1}-0`, message });
        return `${entries.length}-0`;
      },
      xRange: async (key: string, from: string, to: string) =>
        entries
          .filter((entry) => entry.key === key)
          .filter(({ id }) => (from.startsWith('(') ? Number(id.slice(0, -2)) > Number(from.slice(1, -2)) : id === to)),
      expire: async () => 1,
    };
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('a', {}, () => text('kept'));
    const eventStore = new RedisEventStore({ client });
    const transport = new WebStandardStreamableHTTPServerTransport({
      eventStore,
      sessionIdGenerator: () => 'aZ09-.~_!',
    });
    await server.connect(transport);
    ends.push(() => server.close());
    const request = (method: string, body: unknown, headers: Record<string, string> = {}) =>
      transport.handleRequest(
        new Request('http://localhost/mcp', {
          method,
          headers: {
            accept: 'application/json, text/event-stream',
            'content-type': 'application/json',
            'mcp-session-id': 'aZ09-.~_!',
            ...headers,
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      );
    await (await request('POST', INITIALIZE)).text();
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a' } };
    const said = await (await request('POST', call, { 'mcp-protocol-version': '2025-11-25' })).text();
    const first = /^id: (.*)$/m.exec(said)?.[1] as string;
    const again = await request('GET', undefined, { 'last-event-id': first });
    expect([again.status, await again.text()]).toEqual([200, expect.stringContaining('kept')]);
  });

  it('live when somebody else ends their response', async () => {
    const server = new McpServer({ name: 's', version: '1' });
    let go = (): void => {};
    server.registerTool('slow', {}, async (ctx) => {
      ctx.progress(1);
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      for (let i = 2; i < 10; i += 1) ctx.progress(i);
      return text('late');
    });
    const transport = new NodeStreamableHTTPServerTransport();
    await server.connect(transport);
    const mounted = nodeHandler(server);
    ends.push(() => mounted.close());
    for (const serve of [
      (req: any, res: any) => transport.handleRequest(req, res),
      (req: any, res: any) => mounted(req, res),
    ]) {
      const http = createServer((req, res) => {
        void serve(req, res);
        res.once('pipe', () => {});
        void until(() => res.headersSent).then(() => {
          res.end();
          go();
        });
      });
      http.listen(0, '127.0.0.1');
      await once(http, 'listening');
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
      const params = { name: 'slow', _meta: { progressToken: 'p' } };
      await legacy(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      await turns(20);
      http.closeAllConnections();
      http.close();
    }
  });

  it('live when a foreign handler answers what cannot be written', async () => {
    const told: Error[] = [];
    const serve = toNodeHandler(
      { fetch: async () => new Response('x', { status: 200 }) },
      { onerror: (error) => void told.push(error) },
    );
    const http = createServer((req, res) => {
      res.end('mine');
      void serve(req as never, res as never);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    ends.push(() => http.close());
    await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    await until(() => told.length > 0);
  });
});

describe('hosts that make no URL', () => {
  const raw = (port: number, host: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let all = '';
      const socket: Socket = dial(port, '127.0.0.1', () => {
        socket.write(
          `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n` +
            `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
      });
      socket.setEncoding('utf8').on('data', (chunk) => {
        all += chunk;
      });
      socket.on('error', reject).on('close', () => resolve(all));
    });
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'where' } });
  const make = () => {
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('where', {}, (ctx) => text(new URL(ctx.http?.req.url ?? 'none:').host));
    return server;
  };
  const hosts = ['user:secret@127.0.0.1', 'a b', 'x:y:z', '[::1', '%'];

  it.each(engineNames)('do not keep a handler from its request (%s)', async (engine) => {
    const options: ListenOptions = { port: 0, engine, allowedHosts: null };
    const listener = await make().listen(options);
    ends.push(() => listener.close({ grace: 0 }));
    for (const host of hosts) expect(await raw(listener.port, host, call)).toMatch(/"text":"|^HTTP\/1.1 400/);
  });

  it('nor a factory from its own', async () => {
    const seen: string[] = [];
    const factory = createMcpHandler(
      ({ requestInfo }) => {
        seen.push(requestInfo?.url ?? '');
        return make();
      },
      { allowedHosts: null as never },
    );
    const http = createServer(toNodeHandler(factory) as never).listen(0, '127.0.0.1');
    await once(http, 'listening');
    ends.push(() => http.close());
    const { port } = http.address() as AddressInfo;
    for (const host of hosts) expect(await raw(port, host, call)).toContain('"text":"');
    expect(seen).toHaveLength(hosts.length);
    expect(seen.join()).not.toContain('secret');
  });
});

describe.each(engineNames)('10,000 requests (%s)', (engine) => {
  it('leave sizes where they were', async () => {
    const server = new McpServer({ name: 's', version: '1' }, { capabilities: { logging: {} } });
    server.registerTool('a', { inputSchema: { x: z.string().optional() } }, async ({ x }) => text(x ?? 'a'));
    server.registerPrompt('p', {}, async () => ({ messages: [] }));
    server.registerResource('t', new ResourceTemplate('memo://{x}', { list: undefined }), {}, async () => ({
      contents: [],
    }));
    const listener = await server.listen({ port: 0, engine, maxSessions: 50 });
    ends.push(() => listener.close({ grace: 0 }));
    const dispatch = attachmentOf(server).receiver();
    const kinds: ((i: number) => Promise<unknown>)[] = [
      (i) => modern(listener.url, 'tools/call', { name: 'a', arguments: { x: `${i}` } }),
      (i) => modern(listener.url, 'tools/call', { name: `nobody-${i}` }),
      (i) => modern(listener.url, 'resources/read', { uri: `memo://${i}` }),
      (i) => modern(listener.url, 'resources/read', { uri: `none://${i}` }),
      (i) => modern(listener.url, `com.example/${i}`, {}),
      (i) => modern(listener.url, 'completion/complete', { ref: { type: 'ref/prompt', name: `p${i}` } }),
      (i) => legacy(listener.url, { jsonrpc: '2.0', id: i, method: 'tools/call', params: { name: 'a' } }),
      (i) => legacy(listener.url, { ...INITIALIZE, id: i }),
      (i) => legacy(listener.url, INITIALIZED, { 'mcp-session-id': `no-${i}` }),
      (i) => legacy(listener.url, { jsonrpc: '2.0', id: i, result: {} }),
    ];
    for (let i = 0; i < 10_000; i += 40) {
      await Promise.all(Array.from({ length: 40 }, (_, at) => kinds[(i + at) % kinds.length]?.(i + at)));
    }
    expect(dispatch.sessionCount).toBe(50);
    expect(dispatch.sessions.streams.size).toBe(0);
    expect(listener.stats().inFlight).toBe(0);
  }, 60_000);
});
