/** Listening: options, defaults of safety, and the listener's own face, on every engine. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isLoopback, type ListenOptions } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';

const VERSION = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const servers: McpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function make(options = {}): McpServer {
  const server = new McpServer({ name: 'unit', version: '1' }, options);
  server.registerTool('echo', { inputSchema: { message: z.string() } }, async ({ message }) => ({
    content: [{ type: 'text', text: message }],
  }));
  servers.push(server);
  return server;
}

async function post(url: string, method: string, params: Record<string, unknown> = {}, headers = {}): Promise<any> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(params.name !== undefined && { 'mcp-name': String(params.name) }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
  });
  return response.json();
}

describe('options', () => {
  const refused: [ListenOptions, string][] = [
    [{ prot: 1 } as ListenOptions, 'Unknown option of listen: prot'],
    [{ port: 70_000 }, 'Option port must be a whole number from 0 to 65535, not 70000'],
    [{ port: '80' as never }, 'Option port must be'],
    [{ host: '' }, 'Option host'],
    [{ host: 7 as never }, 'Option host'],
    [{ path: 'mcp' }, 'Option path must begin with "/"'],
    [{ path: '/a?b' }, 'Option path'],
    [{ engine: 'rust' as never }, 'Option engine must be "auto", "native" or "js", not "rust"'],
    [{ threads: 0 }, 'Option threads'],
    [{ maxBodyBytes: -1 }, 'Option maxBodyBytes'],
    [{ idleTimeout: 1.5 }, 'Option idleTimeout'],
    [{ allowedHosts: [] }, 'Option allowedHosts must be a non-empty array'],
    [{ allowedHosts: ['a:80'] }, 'a host name has no scheme, port or path'],
    [{ allowedOrigins: ['https://a'] }, 'Option allowedOrigins holds "https://a"'],
    [{ allowUnauthenticated: 1 as never }, 'Option allowUnauthenticated'],
    [null as never, 'must be an object'],
  ];
  it.each(refused)('%j is refused', async (options, message) => {
    await expect(make().listen(options)).rejects.toThrow(TypeError);
    await expect(make().listen(options)).rejects.toThrow(message);
  });

  it('beyond loopback need somebody who means it, and names', async () => {
    await expect(make().listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow('without authorization');
    const open = { host: '0.0.0.0', port: 0, allowUnauthenticated: true };
    await expect(make().listen(open)).rejects.toThrow('needs allowedHosts');
    const listener = await make().listen({ ...open, allowedHosts: ['localhost', '127.0.0.1'] });
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}/mcp`);
    expect((await post(listener.url, 'tools/list')).result.tools).toHaveLength(1);
  });

  it('know what loopback is', () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])
      expect(isLoopback(host)).toBe(true);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.com', '127.0.0.1.evil.com'])
      expect(isLoopback(host)).toBe(false);
  });
});

describe.each(engineNames)('a listener on the %s engine', (engine) => {
  it('starts published, says what it is, and counts', async () => {
    const listener = await make().listen({ port: 0, engine, path: '/x' });
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}/x`);
    expect([listener.engine, listener.host, listener.reason === '']).toEqual([engine, '127.0.0.1', false]);
    expect((await post(listener.url, 'tools/list')).result.tools[0].name).toBe('echo');
    const result = await post(listener.url, 'tools/call', { name: 'echo', arguments: { message: 'hé' } });
    expect(result.result.content[0].text).toBe('hé');
    const stats = listener.stats();
    expect([stats.requests, stats.answered, stats.calls, stats.inFlight]).toEqual([2, 1, 1, 0]);
  });

  it('shows changes, and pages when asked for', async () => {
    const server = make({ pageSize: 2 });
    const listener = await server.listen({ port: 0, engine });
    for (const name of ['b', 'c']) server.registerTool(name, {}, () => ({ content: [] }));
    server.flush();
    const first = (await post(listener.url, 'tools/list')).result;
    expect(first.tools.map((tool: any) => tool.name)).toEqual(['echo', 'b']);
    const second = (await post(listener.url, 'tools/list', { cursor: first.nextCursor })).result;
    expect([second.tools.map((tool: any) => tool.name), second.nextCursor]).toEqual([['c'], undefined]);
  });

  it('refuses foreign hosts and origins on loopback', async () => {
    const listener = await make().listen({ port: 0, engine });
    const status = (headers: Record<string, string>) =>
      new Promise<number | undefined>((done, fail) => {
        const sent = request(listener.url, { method: 'POST', headers, agent: false }, (answer) => {
          answer.resume();
          done(answer.statusCode);
        });
        sent.on('error', fail);
        sent.end('{}');
      });
    const json = { 'content-type': 'application/json' };
    expect(await status({ ...json, host: 'evil.example' })).toBe(403);
    expect(await status({ ...json, origin: 'https://evil.example' })).toBe(403);
    expect(await status({ ...json, host: 'localhost', origin: 'http://localhost:6274' })).toBe(400);
  });

  it('is one of several of a server, and closes with it', async () => {
    const server = make();
    const [a, b] = await Promise.all([server.listen({ port: 0, engine }), server.listen({ port: 0, engine })]);
    expect([a.port === b.port, server.isConnected()]).toEqual([false, true]);
    server.registerTool('new', {}, () => ({ content: [] }));
    server.flush();
    for (const listener of [a, b]) expect((await post(listener.url, 'tools/list')).result.tools).toHaveLength(2);
    await a.close();
    await a.close();
    expect(server.isConnected()).toBe(true);
    await expect(post(a.url, 'tools/list')).rejects.toThrow();
    await server.close();
    expect(server.isConnected()).toBe(false);
    await expect(post(b.url, 'tools/list')).rejects.toThrow();
    const again = await server.listen({ port: 0, engine });
    expect((await post(again.url, 'tools/list')).result.tools).toHaveLength(2);
    await again[Symbol.asyncDispose]();
  });

  it('says when its port is taken', async () => {
    const server = make();
    const { port } = await server.listen({ port: 0, engine });
    await expect(make().listen({ port, engine })).rejects.toThrow(/EADDRINUSE|in use/i);
    expect(server.isConnected()).toBe(true);
  });
});
