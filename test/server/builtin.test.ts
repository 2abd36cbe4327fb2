/**
 * What registration brought, reached as handlers of methods, as code for the official SDK does; and that what is registered
 * under one name and asked for under another (a resource's URI) is found again.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { RequestContext } from '../../ts/protocol/context.js';
import type { ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';
import { ask } from './auth.stage.js';

type Handlers = Map<string, (request: unknown, ctx: RequestContext) => Promise<Record<string, unknown>>>;
const listeners: ServerListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close({ grace: 100 });
});

function offering(): McpServer {
  const server = new McpServer({ name: 's', version: '1' });
  server.registerTool('echo', { inputSchema: { type: 'object' } }, (args) => ({
    content: [{ type: 'text', text: JSON.stringify(args) }],
  }));
  const cacheHint = { ttlMs: 60_000, cacheScope: 'public' as const };
  server.registerResource('config', 'config://app', { cacheHint }, (uri) => ({
    contents: [{ uri: uri.href, text: 'x' }],
  }));
  return server;
}

const handlersOf = (server: McpServer): Handlers =>
  (server.server as unknown as { _requestHandlers: Handlers })._requestHandlers;

describe.each(engineNames)('%s engine', (engine) => {
  test('a wrapped handler answers in place of the registered one, which it can call', async () => {
    const server = offering();
    const handlers = handlersOf(server);
    for (const method of ['tools/list', 'tools/call', 'resources/read']) {
      const original = handlers.get(method);
      expect(original, method).toBeTypeOf('function');
      handlers.set(method, async (request, ctx) => ({ ...(await original?.(request, ctx)), wrapped: method }));
    }
    const listener = await server.listen({ port: 0, engine });
    listeners.push(listener);
    const list = await ask(listener.url, 'tools/list', {});
    expect(list.json.result).toMatchObject({ wrapped: 'tools/list', tools: [{ name: 'echo' }], ttlMs: 0 });
    const call = await ask(listener.url, 'tools/call', { name: 'echo', arguments: { a: 1 } });
    expect(call.json.result).toMatchObject({ wrapped: 'tools/call', content: [{ text: '{"a":1}' }] });
    const unknown = await ask(listener.url, 'tools/call', { name: 'nothing', arguments: {} });
    expect(unknown.json.error.code).toBe(-32602);
    const read = await ask(listener.url, 'resources/read', { uri: 'config://app' });
    expect(read.json.result).toMatchObject({ wrapped: 'resources/read', contents: [{ text: 'x' }] });
  });

  test('the freshness of a resource is its own, whatever its name', async () => {
    const listener = await offering().listen({ port: 0, engine });
    listeners.push(listener);
    const read = await ask(listener.url, 'resources/read', { uri: 'config://app' });
    expect(read.json.result).toMatchObject({ ttlMs: 60_000, cacheScope: 'public' });
  });
});

test('methods without anything registered have no handler, and handlers can be taken away', () => {
  const server = offering();
  const handlers = handlersOf(server);
  expect(handlers.get('prompts/get')).toBeUndefined();
  expect(handlers.has('tools/call')).toBe(true);
  expect(handlers.delete('tools/call')).toBe(false);
  handlers.set('tools/call', async () => ({}));
  expect(handlers.delete('tools/call')).toBe(true);
  expect(handlers.has('tools/call')).toBe(true);
});
