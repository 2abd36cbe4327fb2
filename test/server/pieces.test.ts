/**
 * Results in pieces over real connections: a source that fails in the middle leaves a body that no client takes for whole,
 * whatever served it.
 */
import { createServer, type Server } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createMcpHandler } from '../../ts/server/adapters/handler.js';
import { toNodeHandler } from '../../ts/server/adapters/node.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';

const VERSION = '2026-07-28';
const LENGTH = 300_000;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function make(): McpServer {
  const server = new McpServer({ name: 'pieces', version: '1' });
  const register = (name: string, fails: boolean): void => {
    const uri = `memo://${name}`;
    server.registerResource(name, uri, {}, () => ({ contents: [{ uri, text: source(fails) }] }));
  };
  register('whole', false);
  register('half', true);
  return server;
}

async function* source(fails: boolean): AsyncGenerator<string> {
  for (let sent = 0; sent < LENGTH; sent += 10_000) {
    // Over the wire in between, so that the client has the head before the end.
    await new Promise((resolve) => setImmediate(resolve));
    if (fails && sent > LENGTH / 2) throw new Error('a secret of the source');
    yield 'x'.repeat(10_000);
  }
}

function message(name: string): { body: string; headers: Record<string, string> } {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const uri = `memo://${name}`;
  return {
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri, _meta } }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'resources/read',
      'mcp-name': uri,
    },
  };
}

async function reads(ask: (name: string) => Promise<Response>): Promise<void> {
  const whole = await ask('whole');
  expect(((await whole.json()) as any).result.contents[0].text).toHaveLength(LENGTH);
  const half = await ask('half');
  expect(half.status).toBe(200);
  await expect(half.text()).rejects.toThrow();
  // And goes on as if nothing had been.
  expect((await (await ask('whole')).text()).length).toBeGreaterThan(LENGTH);
}

describe.each(engineNames)('a source that fails in the middle, on the %s engine', (engine) => {
  it('ends an HTTP/1.1 connection before its end', async () => {
    const server = make();
    ends.push(() => server.close());
    const { url } = await server.listen({ port: 0, engine });
    await reads((name) => fetch(url, { method: 'POST', ...message(name) }));
  });

  it('resets a stream of HTTP/2', async () => {
    const server = make();
    ends.push(() => server.close());
    const { url } = await server.listen({ port: 0, engine });
    const session = connect(url);
    ends.push(() => session.destroy());
    const ask = (name: string) => {
      const { body, headers } = message(name);
      const stream = session.request({ ':method': 'POST', ':path': '/mcp', ...headers });
      stream.end(body);
      return stream;
    };
    expect(JSON.parse(await textOf(ask('whole'))).result.contents[0].text).toHaveLength(LENGTH);
    await expect(textOf(ask('half'))).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
    expect(JSON.parse(await textOf(ask('whole'))).result.contents[0].text).toHaveLength(LENGTH);
  });
});

describe('a source that fails in the middle, mounted', () => {
  it('ends the response of node:http before its end', async () => {
    const serve = toNodeHandler(createMcpHandler(make()));
    const server: Server = createServer((request, response) => void serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    await reads((name) => fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', ...message(name) }));
  });

  it('fails the body of a Response', async () => {
    const { fetch: answer } = createMcpHandler(make());
    await reads((name) => answer(new Request('http://localhost/mcp', { method: 'POST', ...message(name) })));
  });
});
