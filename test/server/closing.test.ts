/**
 * Closing a listener on which clients hold streams of every kind open: none of them holds its end. The grace is longer than
 * the test may take, so that a stream that waited for it would be seen.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { H2 } from '../engine/h2.js';
import { request, Wire } from '../engine/wire.js';
import { engineNames } from '../engines.js';

const GRACE = 60_000;
const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';
const JSON_TYPE = ['content-type', 'application/json'] as const;
const ACCEPT = ['accept', 'application/json, text/event-stream'] as const;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(options: ListenOptions) {
  const server = new McpServer({ name: 'closing', version: '1' });
  const running = new Set<() => void>();
  server.registerTool('wait', {}, async (ctx) => {
    ctx.progress(1);
    await new Promise<void>((resolve) => running.add(resolve));
    return { content: [{ type: 'text', text: 'done' }] };
  });
  server.registerTool('ask', {}, async (ctx) => {
    const { roots } = await ctx.listRoots();
    return { content: [{ type: 'text', text: `${roots.length}` }] };
  });
  const listener = await server.listen({ port: 0, sse: true, ...options });
  ends.push(() => server.close({ grace: 0 }));
  return { listener, running };
}

async function wireTo(port: number): Promise<Wire> {
  const wire = await Wire.connect(port);
  ends.push(() => wire.leave());
  return wire;
}

const message = (method: string, params: object, id: number | null = 1) =>
  JSON.stringify({ jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params });
const opening = message('initialize', {
  protocolVersion: LEGACY,
  capabilities: { roots: {} },
  clientInfo: { name: 'old', version: '1' },
});

/** A legacy session; gives the header lines of its requests. */
async function session(port: number): Promise<(readonly [string, string])[]> {
  const wire = await wireTo(port);
  wire.send(request('POST', '/mcp', [JSON_TYPE, ACCEPT], opening));
  const id = (await wire.response()).headers['mcp-session-id'] as string;
  const lines = [JSON_TYPE, ACCEPT, ['mcp-session-id', id], ['mcp-protocol-version', LEGACY]] as const;
  wire.send(request('POST', '/mcp', [...lines], message('notifications/initialized', {}, null)));
  expect((await wire.response()).status).toBe(202);
  return [...lines];
}

async function standalone(port: number): Promise<Wire> {
  const wire = await wireTo(port);
  wire.send(request('GET', '/mcp', await session(port)));
  await wire.until('text/event-stream');
  return wire;
}

async function httpSse(port: number): Promise<Wire> {
  const wire = await wireTo(port);
  wire.send(request('GET', '/sse', [ACCEPT]));
  await wire.until('event: endpoint');
  return wire;
}

async function subscribed(port: number): Promise<Wire> {
  const wire = await wireTo(port);
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'new', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = message('subscriptions/listen', { notifications: { toolsListChanged: true }, _meta });
  const lines = [JSON_TYPE, ACCEPT, ['mcp-protocol-version', MODERN], ['mcp-method', 'subscriptions/listen']] as const;
  wire.send(request('POST', '/mcp', [...lines], body));
  await wire.until('acknowledged');
  return wire;
}

describe.each(engineNames)('close, on the %s engine', (engine) => {
  for (const kept of [false, true]) {
    it(`waits for no stream that waits for news, ${kept ? 'with' : 'without'} an event store`, async () => {
      const { listener } = await serve({ engine, ...(kept ? { eventStore: new MemoryEventStore() } : {}) });
      const { port } = listener;
      const streams = await Promise.all([standalone(port), httpSse(port), subscribed(port)]);
      const wires = [...streams, await standalone(port), await httpSse(port)];
      await listener.close({ grace: GRACE });
      for (const wire of wires) {
        // Ended in good order, and not cut.
        expect((await wire.response('GET')).status).toBe(200);
        await wire.closed;
      }
      expect(listener.stats()).toMatchObject({ connections: 0, inFlight: 0, aborted: 0 });
    });
  }

  it('waits for the running call, whose stream it then ends', async () => {
    const { listener, running } = await serve({ engine, eventStore: new MemoryEventStore() });
    const lines = await session(listener.port);
    const wire = await wireTo(listener.port);
    const body = message('tools/call', { name: 'wait', arguments: {}, _meta: { progressToken: 7 } });
    wire.send(request('POST', '/mcp', lines, body));
    await wire.until('notifications/progress');
    const news = await standalone(listener.port);
    let over = false;
    const closed = listener.close({ grace: GRACE }).then(() => {
      over = true;
    });
    await news.closed;
    expect(over).toBe(false);
    for (const finish of running) finish();
    expect((await wire.response()).text).toContain('"text":"done"');
    await closed;
  });

  it('fails a handler that waits for its client, which could not answer any more', async () => {
    const { listener } = await serve({ engine });
    const wire = await wireTo(listener.port);
    const lines = await session(listener.port);
    wire.send(request('POST', '/mcp', lines, message('tools/call', { name: 'ask', arguments: {} })));
    await wire.until('roots/list');
    await listener.close({ grace: GRACE });
    expect((await wire.response()).text).toContain('"isError":true');
  });

  it('ends streams on one connection of HTTP/2', async () => {
    const { listener } = await serve({ engine });
    const client = await H2.connect(listener.port);
    ends.push(() => client.leave());
    const streams = ['/sse', '/mcp'].map((path) => ({ path, headers: {} as Record<string, string> }));
    for (const [name, value] of await session(listener.port)) if (streams[1]) streams[1].headers[name] = value;
    const opened = streams.map(({ path, headers }) => {
      const stream = client.request('GET', path, { accept: 'text/event-stream', ...headers }, null);
      const ended = new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)));
      stream.resume();
      return { ended, begun: new Promise((resolve) => stream.once('response', resolve)) };
    });
    for (const { begun } of opened) await begun;
    await listener.close({ grace: GRACE });
    for (const { ended } of opened) expect(await ended).toBe(0);
    await client.closed;
  });
});
