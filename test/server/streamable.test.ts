/** The Streamable HTTP transports behind `server.connect`: official clients, sessions, resumption, and hostile requests. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MemoryEventStore } from '../../ts/protocol/events/memory.js';
import type { AuthInfo } from '../../ts/protocol/types.js';
import { McpServer } from '../../ts/server/mcp.js';
import { NodeStreamableHTTPServerTransport } from '../../ts/server/transports/node.js';
import {
  type WebStandardStreamableHTTPServerTransportOptions as Options,
  WebStandardStreamableHTTPServerTransport,
} from '../../ts/server/transports/streamable.js';
import { atEnd } from '../clients/stage.js';

interface Gate {
  open(): void;
  readonly opened: Promise<void>;
}
function gate(): Gate {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

interface Stage {
  readonly url: URL;
  readonly server: McpServer;
  readonly transport: NodeStreamableHTTPServerTransport | WebStandardStreamableHTTPServerTransport;
  readonly errors: Error[];
  /** Lets the tool `wait` go on. */
  readonly gate: Gate;
  /** Opened when the tool `wait` runs. */
  readonly running: Gate;
}

type Face = 'node' | 'web';
const faces: Face[] = ['node', 'web'];
const sessions = { sessionIdGenerator: () => 'session_1' };

/** One server over one transport on a free port. */
async function stage(face: Face, options: Options = sessions, auth?: AuthInfo): Promise<Stage> {
  const server = new McpServer({ name: 'unit', version: '1' }, { capabilities: { logging: {} } });
  const [waiting, running] = [gate(), gate()];
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  server.registerTool('who', {}, (ctx) => ({
    content: [{ type: 'text', text: `${ctx.authInfo?.clientId} ${ctx.http?.req?.headers.get('x-mark')}` }],
  }));
  server.registerTool('wait', {}, async (ctx) => {
    await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: 'early' } });
    running.open();
    await waiting.opened;
    await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: 'late' } });
    return { content: [{ type: 'text', text: 'done' }] };
  });
  const transport =
    face === 'node'
      ? new NodeStreamableHTTPServerTransport(options)
      : new WebStandardStreamableHTTPServerTransport(options);
  const errors: Error[] = [];
  transport.onerror = (error) => errors.push(error);
  await server.connect(transport);
  const http = createServer((request, response) => {
    if (transport instanceof NodeStreamableHTTPServerTransport) {
      void transport.handleRequest(auth === undefined ? request : Object.assign(request, { auth }), response);
    } else void bridge(transport, request, response, auth);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  atEnd(async () => {
    waiting.open();
    await server.close();
    await ended(http);
  });
  const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`);
  return { url, server, transport, errors, gate: waiting, running };
}

async function ended(http: Server): Promise<void> {
  http.closeAllConnections();
  http.close();
  await once(http, 'close');
}

/** What a framework does between node and Fetch's Request. */
async function bridge(
  transport: WebStandardStreamableHTTPServerTransport,
  request: IncomingMessage,
  response: ServerResponse,
  authInfo: AuthInfo | undefined,
): Promise<void> {
  const left = new AbortController();
  response.on('close', () => left.abort());
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await transport.handleRequest(
    new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method as string,
      headers: Object.entries(request.headers) as [string, string][],
      signal: left.signal,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    }),
    { authInfo },
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.flushHeaders();
  const reader = answer.body?.getReader();
  response.on('close', () => void reader?.cancel().catch(() => {}));
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    if (!response.write(part.value)) await once(response, 'drain', { signal: left.signal }).catch(() => {});
  }
  response.end();
}

const both = { accept: 'application/json, text/event-stream' };
const rpc = (id: number, method: string, params: object = {}) => ({ jsonrpc: '2.0', id, method, params });
const call = (id: number, name: string, args: object = {}) => rpc(id, 'tools/call', { name, arguments: args });
const hello = (version = '2025-11-25') =>
  rpc(0, 'initialize', { protocolVersion: version, capabilities: {}, clientInfo: { name: 'raw', version: '1' } });

const json = (response: Response): Promise<any> => response.json();

interface Raw {
  send(body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(headers?: Record<string, string>): Promise<Response>;
}
function raw(url: URL, session?: string): Raw {
  const named: Record<string, string> =
    session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
  return {
    send: (body, headers = {}) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...both, ...named, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (headers = {}) => fetch(url, { headers: { accept: 'text/event-stream', ...named, ...headers } }),
  };
}

/** A session, begun by hand. */
async function begun(at: Stage): Promise<Raw> {
  const first = await raw(at.url).send(hello());
  expect(first.status).toBe(200);
  await first.text();
  const client = raw(at.url, first.headers.get('mcp-session-id') as string);
  expect((await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(202);
  return client;
}

interface Event {
  id: string | undefined;
  data: any;
}

/** Reads events one by one. */
function events(response: Response): { next(): Promise<Event>; cancel(): Promise<void>; rest(): Promise<Event[]> } {
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  const take = async (): Promise<Event | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data !== undefined) return { id: field('id'), data: data === '' ? undefined : JSON.parse(data) };
        continue;
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  };
  return {
    next: async () => {
      const event = await take();
      if (event === undefined) throw new Error('The stream has ended');
      return event;
    },
    cancel: () => reader.cancel(),
    rest: async () => {
      const all: Event[] = [];
      for (let event = await take(); event !== undefined; event = await take()) all.push(event);
      return all;
    },
  };
}

describe.each(faces)('the %s transport', (face) => {
  describe.each([
    ['with a session, event streams', sessions],
    ['with a session, JSON', { ...sessions, enableJsonResponse: true }],
    ['without a session', {}],
  ] as [string, Options][])('%s', (_name, options) => {
    it('serves the official client, generation 2', async () => {
      const { url } = await stage(face, options);
      const client = new Client2({ name: 'c', version: '1' });
      await client.connect(new Http2(url));
      atEnd(() => client.close());
      expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('add');
      const result = await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
      expect(result.content).toEqual([{ type: 'text', text: '3' }]);
    });

    it('serves the official client, generation 1', async () => {
      const { url, server } = await stage(face, options);
      const client = new Client1({ name: 'c', version: '1' });
      const changed = new Promise<void>((resolve) => {
        client.fallbackNotificationHandler = async () => resolve();
      });
      await client.connect(new Http1(url) as never);
      atEnd(() => client.close());
      const result = await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
      expect(result.content).toEqual([{ type: 'text', text: '3' }]);
      if (options === sessions) {
        // Its GET stream is opened in the background: what is said before is nobody's.
        const again = setInterval(() => server.sendToolListChanged(), 20);
        await changed.finally(() => clearInterval(again));
      }
    });
  });

  it('keeps what belongs to a session', async () => {
    const began: string[] = [];
    const ended: string[] = [];
    const at = await stage(face, {
      sessionIdGenerator: () => 'the_session',
      onsessioninitialized: async (id) => void began.push(id),
      onsessionclosed: (id) => void ended.push(id),
    });
    const early = await raw(at.url).send(call(1, 'add'));
    expect([early.status, (await json(early)).error.message]).toEqual([400, 'Bad Request: Server not initialized']);
    const client = await begun(at);
    expect(began).toEqual(['the_session']);
    expect(at.transport.sessionId).toBe('the_session');
    const without = await raw(at.url).send(call(1, 'add'));
    expect([without.status, (await json(without)).error.message]).toEqual([
      400,
      'Bad Request: Mcp-Session-Id header is required',
    ]);
    const other = await raw(at.url, 'the_sessioN').send(call(1, 'add'));
    expect([other.status, (await json(other)).error]).toEqual([404, { code: -32001, message: 'Session not found' }]);
    const again = await client.send(hello());
    expect([again.status, (await json(again)).error.code]).toEqual([400, -32600]);
    const version = await client.send(call(1, 'add'), { 'mcp-protocol-version': '1999-01-01' });
    expect([version.status, (await json(version)).error.message]).toEqual([
      400,
      expect.stringContaining('Unsupported protocol version: 1999-01-01'),
    ]);
    const bye = await fetch(at.url, { method: 'DELETE', headers: { 'mcp-session-id': 'the_session' } });
    expect(bye.status).toBe(200);
    expect(ended).toEqual(['the_session']);
    expect((await client.send(call(2, 'add'))).status).toBe(404);
  });

  it('lets nobody end what is no session', async () => {
    const at = await stage(face, {});
    const bye = await fetch(at.url, { method: 'DELETE' });
    expect([bye.status, bye.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect((await raw(at.url).send(call(1, 'add', { a: 1, b: 1 }))).status).toBe(200);
  });

  it('refuses a session that its owner refuses', async () => {
    let refuse = true;
    const at = await stage(face, {
      ...sessions,
      onsessioninitialized: () => {
        if (refuse) throw new Error('a secret reason');
      },
    });
    const refused = await raw(at.url).send(hello());
    expect([refused.status, await json(refused)]).toEqual([
      500,
      { jsonrpc: '2.0', error: { code: -32603, message: 'Internal error' }, id: null },
    ]);
    expect(at.errors.map((error) => error.message)).toContain('a secret reason');
    refuse = false;
    await begun(at);
  });

  it('has one GET stream at a time, for what the server says by itself', async () => {
    const at = await stage(face);
    const client = await begun(at);
    const first = events(await client.get());
    const second = await client.get();
    expect([second.status, (await json(second)).error.message]).toEqual([
      409,
      'Conflict: Only one SSE stream is allowed per session',
    ]);
    await at.server.server.notification({ method: 'notifications/tools/list_changed' });
    expect((await first.next()).data.method).toBe('notifications/tools/list_changed');
    at.transport.closeStandaloneSSEStream();
    expect(await first.rest()).toEqual([]);
    const third = events(await client.get());
    await at.server.server.notification({ method: 'notifications/tools/list_changed' });
    expect((await third.next()).data.method).toBe('notifications/tools/list_changed');
    await third.cancel();
  });

  it('sends what belongs to a call on its stream, and the answer last', async () => {
    const at = await stage(face);
    const client = await begun(at);
    const stream = events(await client.send(call(7, 'wait')));
    expect((await stream.next()).data.params.data).toBe('early');
    at.gate.open();
    expect((await stream.rest()).map(({ data }) => data.params?.data ?? data.id)).toEqual(['late', 7]);
  });

  it('gives handlers who asks, and the request', async () => {
    const auth = { token: 't', clientId: 'ann', scopes: [] };
    const at = await stage(face, { enableJsonResponse: true }, auth);
    const answer = await raw(at.url).send(call(1, 'who'), { 'x-mark': 'seen' });
    expect((await json(answer)).result.content[0].text).toBe('ann seen');
  });

  it('ends a response whose calls are cancelled', async () => {
    for (const enableJsonResponse of [false, true]) {
      const at = await stage(face, { ...sessions, enableJsonResponse });
      const client = await begun(at);
      const answer = client.send(call(9, 'wait'));
      await at.running.opened;
      const off = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } };
      expect((await client.send(off)).status).toBe(202);
      const text = await (await answer).text();
      expect(text).not.toContain('"id":9');
    }
  });

  it('answers batches', async () => {
    const at = await stage(face, { enableJsonResponse: true });
    const answer = await raw(at.url).send([call(1, 'add', { a: 1, b: 1 }), call(2, 'add', { a: 2, b: 2 })]);
    const ids = (await json(answer)).map((each: { id: number }) => each.id);
    expect(ids.sort()).toEqual([1, 2]);
    const one = await raw(at.url).send([call(3, 'add', { a: 1, b: 1 })]);
    expect(await json(one)).toHaveLength(1);
  });

  it('ends everything when it is closed', async () => {
    const at = await stage(face);
    const client = await begun(at);
    const standalone = events(await client.get());
    const stream = events(await client.send(call(1, 'wait')));
    await stream.next();
    let closed = 0;
    at.server.server.onclose = () => {
      closed += 1;
    };
    await at.transport.close();
    await at.transport.close();
    expect(closed).toBe(1);
    expect([await standalone.rest(), await stream.rest()]).toEqual([[], []]);
    expect((await client.send(call(2, 'add'))).status).toBe(404);
  });

  describe('with an event store', () => {
    const kept = (): Options => ({ ...sessions, eventStore: new MemoryEventStore(), retryInterval: 5 });

    it('gives what was missed, once and in order, and goes on', async () => {
      const at = await stage(face, kept());
      const client = await begun(at);
      const stream = events(await client.send(call(1, 'wait')));
      const primed = await stream.next();
      expect(primed).toEqual({ id: expect.any(String), data: undefined });
      const early = await stream.next();
      await at.running.opened;
      at.transport.closeSSEStream(1);
      expect(await stream.rest()).toEqual([]);

      const second = await client.get({ 'last-event-id': primed.id as string });
      expect(second.status).toBe(200);
      const again = events(second);
      expect(await again.next()).toEqual(early);
      const taken = await client.get({ 'last-event-id': primed.id as string });
      expect([taken.status, (await json(taken)).error.message]).toEqual([
        409,
        'Conflict: Stream already has an active connection',
      ]);
      at.gate.open();
      expect((await again.rest()).map(({ data }) => data.params?.data ?? data.id)).toEqual(['late', 1]);

      // All of it is still there for who lost it afterwards, and then the stream ends.
      const third = events(await client.get({ 'last-event-id': early.id as string }));
      expect((await third.rest()).map(({ data }) => data.params?.data ?? data.id)).toEqual(['late', 1]);
    });

    it('keeps what is said on the GET stream while nobody reads it', async () => {
      const at = await stage(face, kept());
      const client = await begun(at);
      const first = events(await client.get());
      await at.server.server.notification({ method: 'notifications/tools/list_changed' });
      const { id } = await first.next();
      at.transport.closeStandaloneSSEStream();
      await first.rest();
      await at.server.server.notification({ method: 'notifications/message', params: { level: 'info', data: 1 } });
      const second = events(await client.get({ 'last-event-id': id as string }));
      expect((await second.next()).data.method).toBe('notifications/message');
      await at.server.server.notification({ method: 'notifications/tools/list_changed' });
      expect((await second.next()).data.method).toBe('notifications/tools/list_changed');
      await second.cancel();
    });

    it('gives nobody the stream of another session', async () => {
      const eventStore = new MemoryEventStore();
      const mine = await stage(face, { sessionIdGenerator: () => 'mine', eventStore });
      const theirs = await stage(face, { sessionIdGenerator: () => 'theirs', eventStore });
      const stream = events(await (await begun(mine)).send(call(1, 'add', { a: 1, b: 1 })));
      const { id } = await stream.next();
      const client = await begun(theirs);
      for (const last of [id as string, 'nonsense', '1.get', '\u00e9', 'x'.repeat(2_000)]) {
        const refused = await client.get({ 'last-event-id': last });
        expect([refused.status, (await json(refused)).error.message]).toEqual([400, 'Invalid event ID format']);
      }
    });

    it('does not prime clients that do not know it, and survives a store that fails', async () => {
      const at = await stage(face, kept());
      const old = await raw(at.url).send(hello('2025-06-18'));
      expect((await events(old).next()).data.id).toBe(0);

      const broken = await stage(face, {
        ...sessions,
        eventStore: {
          storeEvent: () => Promise.reject(new Error('down')),
          replayEventsAfter: () => Promise.reject(new Error('down')),
        },
      });
      const client = await begun(broken);
      const answer = await events(await client.send(call(1, 'add', { a: 1, b: 1 }))).rest();
      expect(answer.map(({ id, data }) => [id, data.id])).toEqual([[undefined, 1]]);
      const refused = await client.get({ 'last-event-id': 'any' });
      expect([refused.status, (await json(refused)).error]).toEqual([500, { code: -32603, message: 'Internal error' }]);
    });
  });

  describe('refuses', () => {
    const typed = { 'content-type': 'application/json', ...both };
    it.each<[string, RequestInit, number, number]>([
      ['bad JSON', { method: 'POST', headers: typed, body: '{' }, 400, -32700],
      ['no body', { method: 'POST', headers: typed }, 400, -32700],
      ['what is no message', { method: 'POST', headers: typed, body: '{"a":1}' }, 400, -32700],
      ['a string', { method: 'POST', headers: typed, body: '"x"' }, 400, -32700],
      ['an empty batch', { method: 'POST', headers: typed, body: '[]' }, 400, -32600],
      [
        'a huge batch',
        { method: 'POST', headers: typed, body: JSON.stringify(Array(101).fill(rpc(1, 'ping'))) },
        400,
        -32600,
      ],
      [
        'the same id twice',
        { method: 'POST', headers: typed, body: JSON.stringify([rpc(1, 'ping'), rpc(1, 'ping')]) },
        400,
        -32600,
      ],
      ['two handshakes', { method: 'POST', headers: typed, body: JSON.stringify([hello(), hello()]) }, 400, -32600],
      [
        'another type',
        { method: 'POST', headers: { ...typed, 'content-type': 'text/plain' }, body: '{}' },
        415,
        -32000,
      ],
      [
        'a type that only looks right',
        { method: 'POST', headers: { ...typed, 'content-type': 'text/plain; x=application/json' }, body: '{}' },
        415,
        -32000,
      ],
      ['no accept', { method: 'POST', headers: { ...typed, accept: 'application/json' }, body: '{}' }, 406, -32000],
      ['no accept on GET', { headers: { accept: 'text/html' } }, 406, -32000],
      ['another method', { method: 'PUT', headers: typed, body: '{}' }, 405, -32000],
      ['a body that is too long', { method: 'POST', headers: typed, body: `"${'x'.repeat(2_000)}"` }, 413, -32000],
    ])('%s', async (_name, init, status, code) => {
      const at = await stage(face, { maxRequestBodySize: 8_000 });
      const most = status === 413 ? await stage(face, { maxRequestBodySize: 1_000 }) : at;
      const answer = await fetch(most.url, init);
      const { error, id } = await json(answer);
      expect([answer.status, error.code, id]).toEqual([status, code, null]);
      expect(most.errors).toHaveLength(1);
      // And goes on.
      expect((await raw(most.url).send(call(1, 'add', { a: 1, b: 1 }))).status).toBe(200);
    });

    it('a request whose id is in work', async () => {
      const at = await stage(face, {});
      const stream = events(await raw(at.url).send(call(5, 'wait')));
      await at.running.opened;
      const second = await raw(at.url).send(call(5, 'add', { a: 1, b: 1 }));
      expect([second.status, (await json(second)).error.code]).toEqual([400, -32600]);
      at.gate.open();
      expect((await stream.rest()).at(-1)?.data.id).toBe(5);
    });

    it('hosts and origins that are not let in, when told to look', async () => {
      const guarded = (more: Options) => stage(face, { enableDnsRebindingProtection: true, ...more });
      const host = await guarded({ allowedHosts: ['example.com'] });
      const refused = await raw(host.url).send(rpc(1, 'ping'));
      expect([refused.status, (await json(refused)).error.message]).toEqual([
        403,
        `Invalid Host header: ${host.url.host}`,
      ]);
      const origin = await guarded({ allowedOrigins: ['https://example.com'] });
      expect((await raw(origin.url).send(rpc(1, 'ping'), { origin: 'https://evil.example' })).status).toBe(403);
      expect((await raw(origin.url).send(rpc(2, 'ping'), { origin: 'https://example.com' })).status).toBe(200);
      expect((await raw(origin.url).send(rpc(3, 'ping'))).status).toBe(200);
    });
  });
});

describe('the transports', () => {
  it('take a body that was read already', async () => {
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    const server = new McpServer({ name: 'unit', version: '1' });
    await server.connect(transport);
    atEnd(() => server.close());
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...both },
    });
    const answer = await transport.handleRequest(request, { parsedBody: rpc(1, 'ping') });
    expect(await json(answer)).toMatchObject({ id: 1, result: {} });
  });

  it('start once, and say when no server is there', async () => {
    const transport = new WebStandardStreamableHTTPServerTransport();
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...both },
      body: JSON.stringify(rpc(1, 'ping')),
    });
    expect((await transport.handleRequest(request)).status).toBe(500);
    await transport.start();
    await expect(transport.start()).rejects.toThrow('Transport already started');
    await expect(transport.send({ jsonrpc: '2.0', id: 9, result: {} })).rejects.toThrow('request ID: 9');
  });

  it('refuse options that make no sense', () => {
    for (const options of [{ keepAliveMs: -1 }, { retryInterval: Number.NaN }, { maxRequestBodySize: -5 }]) {
      expect(() => new NodeStreamableHTTPServerTransport(options)).toThrow(RangeError);
    }
  });

  it('send comments while nothing is said', async () => {
    const at = await stage('node', { ...sessions, keepAliveMs: 5 });
    const client = await begun(at);
    const reader = ((await client.get()).body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain(': keepalive\n\n');
    await reader.cancel();
  });

  it('make writers wait for a client that does not read, and end with it', async () => {
    for (const face of faces) {
      const at = await stage(face);
      await begun(at);
      const headers = { accept: 'text/event-stream', 'mcp-session-id': 'session_1' };
      // Without a reader its response is paused.
      const [response] = (await once(get(at.url, { headers }), 'response')) as [IncomingMessage];
      const text = 'x'.repeat(200_000);
      let sent = 0;
      // Until one is held back: sockets and queues take a few megabytes.
      for (let held = false; !held; ) {
        const saying = at.transport
          .send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: text } })
          .then(() => 'said');
        sent += 1;
        const turn = new Promise((resolve) => setTimeout(resolve, 20, 'held'));
        held = (await Promise.race([saying, turn])) === 'held';
        expect(sent).toBeLessThan(200);
        if (held) {
          response.destroy();
          expect(await saying).toBe('said');
        }
      }
    }
  });
});
