/** The low-level server: handlers by method, and asking and telling the client. Judged by the official client. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SdkError } from '../../ts/protocol/sdk/errors.js';
import { Server } from '../../ts/server/lowlevel/server.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { ERAS, join } from './pair.js';

const info = { name: 'low', version: '1.0.0' };
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

describe.each(ERAS)('%s: handlers by method', (era) => {
  it('answer what they are set for', async () => {
    const server = new Server(info, { capabilities: { tools: {} }, cacheHints: { 'tools/list': { ttlMs: 7 } } });
    server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }));
    server.setRequestHandler('tools/call', ({ method, params }, ctx) =>
      text(`${method} ${params.name} ${JSON.stringify(params.arguments)} ${ctx.mcpReq.method} ${ctx.era}`),
    );
    const client = await join(server, era);
    const list = await client.listTools();
    expect(list.tools.map((tool) => tool.name)).toEqual(['echo']);
    const result = await client.callTool({ name: 'echo', arguments: { a: 1 } });
    expect(result.content).toEqual(text(`tools/call echo {"a":1} tools/call ${era}`).content);
    expect(client.getServerVersion()).toMatchObject(info);
  });

  it('take methods of their own, whose params are checked', async () => {
    const server = new McpServer(info);
    const params = z.object({ query: z.string(), limit: z.number().default(3) });
    const result = z.object({ hits: z.array(z.string()) });
    server.server.setRequestHandler('acme/search', { params, result }, ({ query, limit }, ctx) => ({
      hits: Array.from({ length: limit }, (_, i) => `${query} ${i} ${ctx.mcpReq.method}`),
    }));
    const client = await join(server, era);
    const ask = (given: object) => client.request({ method: 'acme/search', params: { ...given } }, result);
    expect(await ask({ query: 'q', limit: 1 })).toEqual({ hits: ['q 0 acme/search'] });
    expect((await ask({ query: 'q' })).hits).toHaveLength(3);
    await expect(ask({})).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('query') });
  });

  it('stand before what is registered, and give way again', async () => {
    const server = new McpServer(info);
    server.registerTool('real', {}, () => text('registered'));
    const client = await join(server, era);
    const call = async () => (await client.callTool({ name: 'real' })).content;
    expect(await call()).toEqual(text('registered').content);
    server.server.setRequestHandler('tools/call', () => text('by method'));
    expect(await call()).toEqual(text('by method').content);
    server.server.removeRequestHandler('tools/call');
    expect(await call()).toEqual(text('registered').content);
  });

  it('fall back for methods that nobody knows', async () => {
    const server = new Server(info);
    server.fallbackRequestHandler = async ({ method, params }) => ({ method, value: params?.value });
    const client = await join(server, era);
    const schema = z.object({ method: z.string(), value: z.number() });
    const answer = await client.request({ method: 'x/unknown', params: { value: 4 } }, schema);
    expect(answer).toMatchObject({ method: 'x/unknown', value: 4 });
  });

  it('fail without telling what is inside', async () => {
    const server = new Server(info, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/call', () => {
      throw new Error('secret path /etc/x');
    });
    const client = await join(server, era);
    const failure = await client.callTool({ name: 'any' }).catch((error) => error);
    expect(failure.code).toBe(-32603);
    expect(failure.message).not.toContain('secret');
  });
});

describe('a low-level server', () => {
  it('refuses handlers whose capability is not declared, and methods that are none', () => {
    const server = new Server(info);
    const set = () => server.setRequestHandler('tools/list', () => ({ tools: [] }));
    expect(set).toThrow('Server does not support tools (required for tools/list)');
    expect(set).toThrow(SdkError);
    server.registerCapabilities({ tools: {} });
    expect(set).not.toThrow();
    expect(() => server.assertCanSetRequestHandler('tools/list')).toThrow('already exists');
    expect(() => server.assertCanSetRequestHandler('tools/call')).not.toThrow();
    expect(() => server.setRequestHandler('own/method' as never, (() => ({})) as never)).toThrow(TypeError);
    expect(() => new Server(info, { pageSize: 3 } as never)).toThrow('Unknown option of Server: pageSize');
    expect(() => new Server({} as never)).toThrow('new Server({ name, version })');
  });

  it('declares what it was told and nothing that was registered nowhere', () => {
    const server = new Server(info, { capabilities: { tools: {} } });
    server.registerCapabilities({ tools: { listChanged: true }, extensions: { 'a/b': {} } });
    expect(server.getCapabilities()).toEqual({ tools: { listChanged: true }, extensions: { 'a/b': {} } });
    const high = new McpServer(info);
    high.registerTool('t', {}, () => text(''));
    expect(high.server.getCapabilities()).toEqual({ tools: { listChanged: true } });
    expect(offerOf(high)).toBe(offerOf(high.server));
  });

  it('knows its client after the handshake, and is told of it', async () => {
    const server = new Server(info);
    const initialized = new Promise<void>((resolve) => {
      server.oninitialized = resolve;
    });
    expect(server.getClientVersion()).toBeUndefined();
    await join(server, 'legacy', { capabilities: { roots: {} } });
    await initialized;
    expect(server.getClientVersion()).toMatchObject({ name: 'pair' });
    expect(server.getClientCapabilities()).toMatchObject({ roots: {} });
    expect(server.getNegotiatedProtocolVersion()).toBe('2025-11-25');
    expect(await server.ping()).toEqual({});
  });

  it('asks a legacy client, and never a modern one', async () => {
    const server = new Server(info);
    const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
    await join(server, 'legacy', { capabilities }, (client) => {
      client.setRequestHandler('sampling/createMessage', () => ({
        model: 'm',
        role: 'assistant' as const,
        content: { type: 'text' as const, text: 'sampled' },
      }));
      client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { n: 'x' } }));
      client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///r' }] }));
    });
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'hi' } }];
    expect(await server.createMessage({ messages, maxTokens: 5 })).toMatchObject({ content: { text: 'sampled' } });
    expect(await server.listRoots()).toEqual({ roots: [{ uri: 'file:///r' }] });
    const form = (type: 'string' | 'number') => ({
      message: 'n?',
      requestedSchema: { type: 'object' as const, properties: { n: { type } as { type: 'string' } } },
    });
    expect(await server.elicitInput(form('string'))).toEqual({ action: 'accept', content: { n: 'x' } });
    await expect(server.elicitInput(form('number'))).rejects.toMatchObject({ code: -32602 });
    const url = { mode: 'url' as const, message: 'go', url: 'https://x.test', elicitationId: 'e' };
    await expect(server.elicitInput(url)).rejects.toMatchObject({ code: 'CAPABILITY_NOT_SUPPORTED' });

    const modern = new Server(info, { capabilities: { tools: {} } });
    modern.setRequestHandler('tools/list', () => ({ tools: [] }));
    await (await join(modern, 'modern', { capabilities })).listTools();
    expect(modern.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    const code = 'METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION';
    await expect(modern.listRoots()).rejects.toMatchObject({ code });
  });

  it('gives up on a client that does not answer', async () => {
    const server = new Server(info);
    await join(server, 'legacy', { capabilities: { roots: {} } }, (client) => {
      client.setRequestHandler('roots/list', () => new Promise(() => {}));
    });
    await expect(server.listRoots({}, { timeout: 20 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('runs handlers of notifications, of the specification and others', async () => {
    const server = new Server(info);
    const heard: unknown[] = [];
    const errors: string[] = [];
    server.onerror = (error) => errors.push(error.message);
    server.setNotificationHandler('notifications/roots/list_changed', ({ method }) => void heard.push(method));
    server.setNotificationHandler('acme/note', { params: z.object({ n: z.number() }) }, ({ n }) => {
      heard.push(n);
      if (n === 2) throw new Error('bad note');
    });
    server.fallbackNotificationHandler = async ({ method }) => void heard.push(`fallback ${method}`);
    const client = await join(server, 'legacy', { capabilities: { roots: { listChanged: true } } });
    await client.sendRootsListChanged();
    await client.notification({ method: 'acme/note', params: { n: 1 } });
    await client.notification({ method: 'acme/note', params: { n: 2 } });
    await client.notification({ method: 'acme/other' });
    await client.ping();
    expect(heard).toEqual(expect.arrayContaining(['notifications/roots/list_changed', 1, 2, 'fallback acme/other']));
    expect(errors.join()).toContain('bad note');
  });

  it('tells its client of changes and logs', async () => {
    const server = new McpServer(info, { capabilities: { logging: {} } });
    server.registerTool('t', {}, () => text(''));
    const heard: unknown[] = [];
    const listening = new Promise<void>((resolve) => {
      void join(server, 'legacy', {}, (client) => {
        client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
        client.setNotificationHandler('notifications/message', ({ params }) => {
          heard.push(params.data);
          resolve();
        });
      }).then(async (client) => {
        await client.setLoggingLevel('warning');
        server.registerTool('u', {}, () => text(''));
        await server.sendLoggingMessage({ level: 'info', data: 'too low' });
        await server.sendLoggingMessage({ level: 'error', data: 'told' });
      });
    });
    await listening;
    expect(heard).toEqual(['tools', 'told']);
  });

  it('needs a connection for what it says', async () => {
    const server = new Server(info, { capabilities: { tools: {} } });
    await expect(server.sendToolListChanged()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(server.ping()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(server.sendPromptListChanged()).rejects.toBeInstanceOf(SdkError);
  });
});
