/**
 * One server behind several listeners: each keeps to its own options, and what the server says reaches the clients of all.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { attachmentOf } from '../../ts/server/attach.js';
import type { ListenOptions, ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';

const TOKEN = 'token-of-the-guarded-listener';
const listeners: ServerListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close({ grace: 100 });
});

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

async function session(url: string, token?: string): Promise<{ id: string; read(): Promise<string> }> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const opened = await fetch(url, { method: 'POST', headers: { ...HEADERS, ...authorization }, body });
  await opened.text();
  const id = opened.headers.get('mcp-session-id') ?? '';
  const stream = await fetch(url, {
    headers: { accept: 'text/event-stream', 'mcp-session-id': id, ...authorization },
  });
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  return {
    id,
    async read() {
      let text = '';
      while (!text.includes('\n\n') || !text.includes('data: {')) {
        const { value, done } = await reader.read();
        if (done) break;
        text += new TextDecoder().decode(value);
      }
      await reader.cancel();
      return text;
    },
  };
}

describe.each(engineNames)('%s engine', (engine) => {
  const offering = (): McpServer => {
    const server = new McpServer({ name: 's', version: '1' }, { capabilities: { logging: {} } });
    server.registerTool('slow', {}, () => new Promise(() => {}));
    return server;
  };
  const listen = async (server: McpServer, options: ListenOptions): Promise<ServerListener> => {
    const listener = await server.listen({ port: 0, engine, ...options });
    listeners.push(listener);
    return listener;
  };

  test('log messages and changes reach sessions with and without authorization', async () => {
    const server = offering();
    const open = await listen(server, {});
    const guarded = await listen(server, { auth: { tokens: [{ token: TOKEN }] } });
    const sessions = [await session(open.url), await session(guarded.url, TOKEN)];
    await server.server.sendLoggingMessage({ level: 'error', data: 'to everybody' });
    for (const { read } of sessions) expect(await read()).toContain('to everybody');
    const again = [await session(open.url), await session(guarded.url, TOKEN)];
    server.sendToolListChanged();
    for (const { read } of again) expect(await read()).toContain('notifications/tools/list_changed');
  });

  test('the limits of a later listener are its own', async () => {
    const server = offering();
    await listen(server, {});
    const hasty = await listen(server, { toolTimeout: 50 });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } });
    const answer = await fetch(hasty.url, { method: 'POST', headers: HEADERS, body });
    expect(await answer.text()).toContain('within 50 ms');
  });

  test('a closed listener leaves no dispatcher behind', async () => {
    const server = offering();
    const attachment = attachmentOf(server);
    await listen(server, {});
    const before = attachment.dispatches.length;
    for (let times = 0; times < 3; times += 1) {
      const guarded = await listen(server, { auth: { tokens: [{ token: TOKEN }] } });
      expect(attachment.dispatches.length).toBe(before + 1);
      await guarded.close({ grace: 10 });
    }
    expect(attachment.dispatches.length).toBe(before);
  });
});
