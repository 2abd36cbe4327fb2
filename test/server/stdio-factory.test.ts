/** serveStdio with a factory, with a transport, and with the official SDK's options. */
import { PassThrough } from 'node:stream';
import { Client, type Transport as ClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProtocolEra } from '../../ts/protocol/types.js';
import { Server } from '../../ts/server/lowlevel/server.js';
import { McpServer } from '../../ts/server/mcp.js';
import { type StdioHandle, type StdioOptions, type StdioTarget, serveStdio } from '../../ts/server/stdio.js';
import { InMemoryTransport } from '../../ts/server/transports/in-memory.js';
import { ReadBuffer, serializeMessage } from '../../ts/server/transports/stdio.js';
import type { JSONRPCMessage, Transport } from '../../ts/server/transports/transport.js';

const MODERN = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
};
const INITIALIZE = {
  jsonrpc: '2.0' as const,
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
};

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The client's end of two streams. */
class Streams implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly #buffer = new ReadBuffer();

  async start(): Promise<void> {
    this.output.on('data', (chunk: Buffer) => {
      this.#buffer.append(chunk);
      for (let next = this.#buffer.readMessage(); next !== null; next = this.#buffer.readMessage())
        this.onmessage?.(next);
    });
  }
  async send(message: JSONRPCMessage): Promise<void> {
    this.input.write(serializeMessage(message));
  }
  async close(): Promise<void> {
    this.input.end();
    this.onclose?.();
  }
}

type Begin = (target: StdioTarget, options?: StdioOptions) => { near: Transport; handle: StdioHandle };
const WAYS: [string, Begin][] = [
  [
    'streams',
    (target, options = {}) => {
      const near = new Streams();
      const handle = serveStdio(target, { input: near.input, output: near.output, ...options });
      ends.push(() => handle.close({ grace: 0 }));
      return { near, handle };
    },
  ],
  [
    'a transport',
    (target, options = {}) => {
      const [near, transport] = InMemoryTransport.createLinkedPair();
      const handle = serveStdio(target, { transport, ...options });
      ends.push(() => handle.close());
      return { near, handle };
    },
  ],
];

function maker(log: string[]) {
  return ({ era }: { era: ProtocolEra }) => {
    const number = log.push(era);
    const server = new McpServer({ name: `made ${number}`, version: '1' });
    server.server.onclose = () => log.push(`closed ${number}`);
    server.registerTool('era', {}, (ctx) => ({ content: [{ type: 'text', text: `${era} ${ctx.era} ${number}` }] }));
    return server;
  };
}

async function join(near: Transport, mode: VersionNegotiationMode): Promise<Client> {
  const client = new Client({ name: 'f', version: '1' }, { versionNegotiation: { mode } });
  ends.push(() => client.close());
  await client.connect(near as ClientTransport);
  return client;
}

/** Sends and collects without any client. */
async function raw(near: Transport): Promise<(message: object) => Promise<any>> {
  const waiting = new Map<unknown, (message: any) => void>();
  near.onmessage = (message: any) => waiting.get(message.id)?.(message);
  await near.start();
  return (message) =>
    new Promise((resolve) => {
      waiting.set((message as { id: unknown }).id, resolve);
      void near.send({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
    });
}
const list = (id: unknown, meta?: object) => ({ id, method: 'tools/list', params: meta && { _meta: meta } });

describe.each(WAYS)('a factory over %s', (_name, begin) => {
  it.each([
    ['legacy', 'legacy', 'legacy legacy 1'],
    ['auto', 'auto', 'modern modern 1'],
    ['pinned', { pin: MODERN }, 'modern modern 1'],
  ] as const)('makes one server for a client that is %s', async (_mode, mode, said) => {
    const log: string[] = [];
    const { near, handle } = begin(maker(log));
    const client = await join(near, mode);
    const result = await client.callTool({ name: 'era' });
    expect(result.content).toEqual([{ type: 'text', text: said }]);
    expect((await client.listTools()).tools).toHaveLength(1);
    expect(log).toHaveLength(1);
    await handle.close();
    await handle.closed;
  });

  it('makes one more when the client asked and then fell back', async () => {
    const log: string[] = [];
    const ask = await raw(begin(maker(log)).near);
    const probe = await ask({ id: 1, method: 'server/discover', params: { _meta: META } });
    expect(probe.result._meta['io.modelcontextprotocol/serverInfo'].name).toBe('made 1');
    const [first, second] = await Promise.all([ask(INITIALIZE), ask(list(2))]);
    expect(first.result.serverInfo.name).toBe('made 3');
    expect(second.result.tools).toHaveLength(1);
    expect(log).toEqual(['modern', 'closed 1', 'legacy']);
  });

  it('keeps order while a server is being made', async () => {
    const log: string[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const make = maker(log);
    const ask = await raw(begin(async (context) => gate.then(() => make(context))).near);
    const answers = Promise.all([ask(INITIALIZE), ask(list(1)), ask({ id: 2, method: 'ping' })]);
    open();
    const [first, second, third] = await answers;
    expect([first.result.serverInfo.name, second.result.tools.length, third.result]).toEqual(['made 1', 1, {}]);
    expect(log).toEqual(['legacy']);
  });

  it('answers for a factory that fails, and asks it again', async () => {
    const errors: string[] = [];
    let calls = 0;
    const make = maker([]);
    const target = (context: { era: ProtocolEra }) => {
      calls += 1;
      if (calls === 1) throw new Error('no database');
      return calls === 2 ? ({} as McpServer) : make(context);
    };
    const ask = await raw(begin(target, { onerror: (error) => errors.push(error.message) }).near);
    const refused = await ask(INITIALIZE);
    expect(refused.error).toEqual({ code: -32603, message: 'Internal server error' });
    expect((await ask(INITIALIZE)).error.code).toBe(-32603);
    expect((await ask(INITIALIZE)).result.serverInfo.name).toBe('made 1');
    expect(errors).toEqual(['no database', 'Not a McpServer']);
  });

  it('makes none for messages that nobody could answer', async () => {
    const log: string[] = [];
    const ask = await raw(begin(maker(log)).near);
    const odd = { ...META, 'io.modelcontextprotocol/protocolVersion': '2030-01-01' };
    expect((await ask(list(1, odd))).error).toMatchObject({ code: -32022, data: { requested: '2030-01-01' } });
    const bare = { 'io.modelcontextprotocol/protocolVersion': MODERN };
    expect((await ask(list(2, bare))).error.code).toBe(-32602);
    expect(log).toEqual([]);
    // Neither decided anything.
    expect((await ask(INITIALIZE)).result.serverInfo.name).toBe('made 1');
  });

  it('lets no modern client fall back', async () => {
    const ask = await raw(begin(maker([])).near);
    expect((await ask(list(1, META))).result.tools).toHaveLength(1);
    expect((await ask(INITIALIZE)).error).toMatchObject({ code: -32022, data: { supported: [MODERN] } });
  });

  it('refuses the legacy era when told, whatever it was given', async () => {
    const made: StdioTarget[] = [maker([]), maker([])({ era: 'modern' })];
    for (const target of made) {
      const ask = await raw(begin(target, { legacy: 'reject' }).near);
      expect((await ask(INITIALIZE)).error).toMatchObject({ code: -32022, data: { requested: '2025-11-25' } });
      expect((await ask(list(1, META))).result.tools).toHaveLength(1);
    }
  });

  it('is the one client of its server', async () => {
    let server: McpServer | undefined;
    const { near, handle } = begin((context) => {
      server = maker([])(context);
      return server;
    });
    const client = new Client({ name: 'f', version: '1' }, { capabilities: { roots: {} } });
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///x' }] }));
    await client.connect(near as ClientTransport);
    const { server: low } = server as McpServer;
    expect([low.getClientVersion()?.name, low.getNegotiatedProtocolVersion()]).toEqual(['f', '2025-11-25']);
    expect(await low.listRoots()).toEqual({ roots: [{ uri: 'file:///x' }] });
    const changed = new Promise<void>((resolve) =>
      client.setNotificationHandler('notifications/tools/list_changed', () => resolve()),
    );
    server?.registerTool('more', {}, () => ({ content: [] }));
    await changed;
    const closed = new Promise<void>((resolve) => {
      low.onclose = resolve;
    });
    await handle.close();
    await closed;
    expect([server?.isConnected(), low.getClientVersion()]).toEqual([false, undefined]);
  });

  it.each([
    ['legacy', 'with the subscriptions kept here', false],
    ['legacy', 'with handlers of its own', true],
    ['modern', 'with the subscriptions kept here', false],
    ['modern', 'with handlers of its own', true],
  ] as const)('tells a %s client of a changed resource, %s', async (era, _how, own) => {
    const uri = 'counter://value';
    const watched = new Set<string>();
    const { near } = begin((context) => {
      const server = new McpServer({ name: 'r', version: '1' }, { capabilities: { resources: { subscribe: true } } });
      server.registerResource('c', uri, {}, () => ({ contents: [{ uri, text: '1' }] }));
      if (own) {
        server.server.setRequestHandler('resources/subscribe', ({ params }) => {
          watched.add(params.uri);
          return {};
        });
        server.server.setRequestHandler('resources/unsubscribe', () => ({}));
      }
      server.registerTool('bump', {}, async () => {
        if (!own || context.era === 'modern' || watched.has(uri)) await server.server.sendResourceUpdated({ uri });
        return { content: [] };
      });
      return server;
    });
    const client = await join(near, era === 'legacy' ? 'legacy' : { pin: MODERN });
    const updated = new Promise<string>((resolve) =>
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri)),
    );
    if (era === 'modern') await client.listen({ resourceSubscriptions: [uri] });
    else await client.subscribeResource({ uri });
    await client.callTool({ name: 'bump' });
    expect(await updated).toBe(uri);
  });

  it('takes a low-level server', async () => {
    const server = new Server({ name: 'low', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({ tools: [] }));
    const { near } = begin(() => server);
    const client = await join(near, 'auto');
    expect((await client.listTools()).tools).toEqual([]);
  });
});

it('refuses options that do not go together', () => {
  const make = maker([]);
  const [, transport] = InMemoryTransport.createLinkedPair();
  expect(() => serveStdio(make, { transport, maxDepth: 3 })).toThrow('Unknown option of serveStdio: maxDepth');
  expect(() => serveStdio(make, { legacy: 'maybe' as never })).toThrow('Option legacy');
  expect(() => serveStdio(make, { onerror: 1 as never })).toThrow('Option onerror');
  expect(() => serveStdio(make, { maxSubscriptions: 0 })).toThrow('Option maxSubscriptions');
});
