/** The official clients over WebSocket: v1 with its own transport, v2 with one of the tests, in every mode. */
import { Client } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { serveWebSocket, type WebSocketListener } from '../../ts/server/websocket.js';
import { equip } from './fixtures/offer.mjs';
import { atEnd } from './stage.js';
import { talkCases } from './talk.js';
import { WebSocketTransport } from './websocket.js';

// The transport of v1 takes the one of the browser, which Node 20 does not have.
const before = globalThis.WebSocket;
beforeAll(() => {
  globalThis.WebSocket = WebSocket as unknown as typeof before;
});
afterAll(() => {
  globalThis.WebSocket = before;
});

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

async function serve(): Promise<WebSocketListener> {
  const server = new McpServer({ name: 'clients', version: '1.0.0' }, { instructions: 'Use the tools.' });
  equip(server, ResourceTemplate);
  const listener = await serveWebSocket(server, { port: 0 });
  atEnd(() => listener.close({ grace: 0 }));
  return listener;
}

/** Tools that ask their client, tell it something, and change the server. */
async function serveAsking(): Promise<{ listener: WebSocketListener; server: McpServer }> {
  const server = new McpServer(
    { name: 'asking', version: '1.0.0' },
    { capabilities: { resources: { subscribe: true } } },
  );
  server.registerTool('greet', {}, async (ctx) => {
    const answer = await ctx.elicit({ message: 'Name?', requestedSchema: z.object({ name: z.string() }) });
    const { roots } = await ctx.listRoots();
    return text(`${answer.action === 'accept' ? answer.content?.name : answer.action} of ${roots[0]?.uri}`);
  });
  server.registerTool('grow', {}, () => {
    server.registerTool(`new ${Math.random()}`.replace(/\W/g, '-'), {}, () => text('new'));
    return text('grown');
  });
  server.registerResource('memo', 'memo://1', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'one' }] }));
  server.registerTool('touch', {}, () => {
    server.sendResourceUpdated({ uri: 'memo://1' });
    return text('touched');
  });
  const listener = await serveWebSocket(server, { port: 0 });
  atEnd(() => listener.close({ grace: 0 }));
  return { listener, server };
}

describe('the v1 client', () => {
  talkCases(async () => {
    const { url } = await serve();
    const client = new ClientV1({ name: 'v1', version: '1' });
    await client.connect(new WebSocketClientTransport(new URL(url)));
    atEnd(() => client.close());
    return { client, call: (params, options) => client.callTool(params, undefined, options) };
  });
});

const MODES = [
  ['legacy', 'legacy'],
  ['auto', 'auto'],
  ['pinned modern', { pin: '2026-07-28' }],
] as const;

describe.each(MODES)('the v2 client, %s', (name, mode) => {
  const connect = async (url: string, capabilities = {}): Promise<Client> => {
    const client = new Client({ name: 'v2', version: '2' }, { versionNegotiation: { mode }, capabilities });
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
    client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///home' }] }));
    await client.connect(new WebSocketTransport(url));
    atEnd(() => client.close());
    return client;
  };
  const ASKED = { elicitation: { form: {} }, roots: {} };

  talkCases(async () => {
    const client = await connect((await serve()).url, ASKED);
    return { client, call: (params, options) => client.callTool(params, options) };
  });

  it('speaks its era', async () => {
    const client = await connect((await serve()).url, ASKED);
    expect(client.getProtocolEra()).toBe(name === 'legacy' ? 'legacy' : 'modern');
  });

  it('is asked, and its answers reach the handler', async () => {
    const client = await connect((await serveAsking()).listener.url, ASKED);
    expect(await client.callTool({ name: 'greet' })).toMatchObject(text('Ada of file:///home'));
  });

  it('hears of changes that it asked for', async () => {
    const { listener } = await serveAsking();
    const client = await connect(listener.url, ASKED);
    const lists = new Promise((resolve) => {
      client.setNotificationHandler('notifications/tools/list_changed', resolve);
    });
    const updated = new Promise((resolve) => {
      client.setNotificationHandler('notifications/resources/updated', resolve);
    });
    const stranger = await connect(listener.url, ASKED);
    if (name === 'legacy') await client.subscribeResource({ uri: 'memo://1' });
    else await client.listen({ toolsListChanged: true, resourceSubscriptions: ['memo://1'] });
    await stranger.callTool({ name: 'grow' });
    await lists;
    await stranger.callTool({ name: 'touch' });
    expect(await updated).toMatchObject({ params: { uri: 'memo://1' } });
  });
});
