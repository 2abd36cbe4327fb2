// docs/mounting.md: the clock answers on every server that it is mounted on.
import assert from 'node:assert/strict';
import { serve } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

async function time(url, headers = {}) {
  const client = new Client({ name: 'reader', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  const { content } = await client.callTool({ name: 'time' });
  await client.close();
  return content[0].text;
}

const at = (server, path = '/mcp') => `http://127.0.0.1:${server.address().port}${path}`;

export default async ({ web, onExpress, fastify, hono, worker, handler, answer }) => {
  const onHono = await new Promise((resolve) => {
    const server = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(server));
  });
  for (const server of [web, onExpress, fastify.server, onHono]) {
    assert.match(await time(at(server)), /for anybody$/);
    const foreign = await fetch(at(server), { method: 'POST', headers: { origin: 'https://evil.example.com' } });
    assert.equal(foreign.status, 403);
  }
  await assert.rejects(time(at(onExpress, '/guarded')));
  assert.match(await time(at(onExpress, '/guarded'), { authorization: 'Bearer anything' }), /for me$/);

  const asked = (host) =>
    worker.fetch(new Request('http://any/mcp', { method: 'POST', headers: { host }, body: '{}' }));
  assert.equal((await asked('evil.example.com')).status, 403);
  assert.equal((await asked('mcp.example.com')).status, 415);

  assert.equal(answer.status, 415);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'era', arguments: {} } });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const era = await handler.fetch(new Request('http://localhost/mcp', { method: 'POST', headers, body }));
  assert.match(await era.text(), /legacy/);
};
