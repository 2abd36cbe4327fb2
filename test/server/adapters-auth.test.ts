/**
 * A mounted server with authorization of its own: the same tokens, challenges and metadata as a listener's, by what
 * something in front has found out when there is anything.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { toNodeHandler } from '../../ts/server/adapters/node.js';
import { McpServer } from '../../ts/server/mcp.js';
import { call, RESOURCE } from './auth.stage.js';

const TOKEN = 'static-token-of-a-mounted-server';
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function mounted(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function offering(): McpServer {
  const server = new McpServer({ name: 's', version: '1' });
  const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
  server.registerTool('who', {}, (ctx) => said(ctx.authInfo?.clientId ?? 'nobody'));
  server.registerTool('write', { scopes: ['write'] }, () => said('written'));
  return server;
}

const auth = { tokens: [{ token: TOKEN, clientId: 'ops' }], resource: RESOURCE };

test('a mounted server asks for a token, and tells where to get one', async () => {
  const handler = createMcpHandler(offering(), { auth });
  const url = await mounted(toNodeHandler(handler));
  const none = await call(url, 'who');
  expect(none.status).toBe(401);
  expect(none.challenge).toContain('resource_metadata=');
  expect((await call(url, 'who', `${TOKEN}x`)).status).toBe(401);
  for (let times = 0; times < 3; times += 1) {
    expect((await call(url, 'who', TOKEN)).json.result.content[0].text).toBe('ops');
  }
  const step = await call(url, 'write', TOKEN);
  expect(step.status).toBe(403);
  expect(step.challenge).toMatch(/insufficient_scope.*scope="write"/);
  const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url));
  expect(await metadata.json()).toMatchObject({ resource: RESOURCE });
  await handler.close();
});

test('over fetch as well, and who was found out in front is believed', async () => {
  const handler = createMcpHandler(offering(), { auth });
  const request = () =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'who', arguments: {} } }),
    });
  expect((await handler.fetch(request())).status).toBe(401);
  const vouched = await handler.fetch(request(), { authInfo: { token: 't', clientId: 'front', scopes: [] } });
  expect(await vouched.text()).toContain('front');
  await handler.close();
});

test('in front of a factory it is refused: something else has to stand there', () => {
  expect(() => createMcpHandler(() => offering(), { auth })).toThrow(/requireBearerAuth/);
});
