/** A server that was told which revisions to serve: what it says of itself, and whom it refuses, on engines and pipes. */
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { McpServer } from '../../ts/server/mcp.js';
import { serveStdio } from '../../ts/server/stdio.js';
import { engineNames } from '../engines.js';

const MODERN = '2026-07-28';
const LEGACY = '2025-06-18';
const _meta = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const UNSUPPORTED = -32022;
const servers: McpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ grace: 0 })));
});

function make(supportedProtocolVersions: string[]): McpServer {
  const server = new McpServer({ name: 'versions', version: '1' }, { supportedProtocolVersions });
  server.registerTool('say', {}, () => ({ content: [{ type: 'text', text: 'said' }] }));
  servers.push(server);
  return server;
}

type Ask = (method: string, params: object, era: 'modern' | 'legacy') => Promise<any>;

async function overHttp(server: McpServer, engine: 'native' | 'js'): Promise<Ask> {
  const { url } = await server.listen({ port: 0, engine });
  return async (method, params, era) => {
    const modern = { 'mcp-protocol-version': MODERN, 'mcp-method': method, 'mcp-name': 'say' };
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...(era === 'modern' && modern) },
      body: bodyOf(method, params, era),
    });
    return response.json();
  };
}

async function overPipe(server: McpServer): Promise<Ask> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  serveStdio(server, { input, output });
  output.setEncoding('utf8');
  return async (method, params, era) => {
    input.write(`${bodyOf(method, params, era)}\n`);
    const [line] = await new Promise<string[]>((resolve) => output.once('data', (text) => resolve([text])));
    return JSON.parse(line as string);
  };
}

function bodyOf(method: string, params: object, era: 'modern' | 'legacy'): string {
  const all = era === 'modern' ? { ...params, _meta } : params;
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: all });
}

const ways = [
  ...engineNames.map((name) => [name, (server: McpServer) => overHttp(server, name)] as const),
  ['pipe', overPipe] as const,
];
const handshake = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'old', version: '1' } };
const call = { name: 'say', arguments: {} };

describe.each(ways)('on %s', (_name, open) => {
  it('both eras: discover names the modern revisions alone', async () => {
    const ask = await open(make([LEGACY, MODERN]));
    expect((await ask('server/discover', {}, 'modern')).result.supportedVersions).toEqual([MODERN]);
    expect((await ask('initialize', handshake, 'legacy')).result.protocolVersion).toBe(LEGACY);
    for (const era of ['modern', 'legacy'] as const) {
      expect((await ask('tools/call', call, era)).result.content).toEqual([{ type: 'text', text: 'said' }]);
    }
  });

  it('legacy alone: whatever is modern is refused with what is served', async () => {
    const ask = await open(make([LEGACY]));
    for (const [method, params] of [
      ['server/discover', {}],
      ['tools/list', {}],
      ['tools/call', call],
    ] as const) {
      const { error } = await ask(method, params, 'modern');
      expect(error).toMatchObject({ code: UNSUPPORTED, data: { supported: [LEGACY], requested: MODERN } });
    }
    expect((await ask('tools/list', {}, 'legacy')).result.tools).toHaveLength(1);
    expect((await ask('tools/call', call, 'legacy')).result.content).toHaveLength(1);
  });

  it('modern alone: whatever is legacy is refused with what is served', async () => {
    const ask = await open(make([MODERN]));
    for (const [method, params] of [
      ['initialize', handshake],
      ['ping', {}],
      ['tools/list', {}],
      ['tools/call', call],
    ] as const) {
      const { error } = await ask(method, params, 'legacy');
      expect(error, method).toMatchObject({ code: UNSUPPORTED, data: { supported: [MODERN] } });
    }
    expect((await ask('server/discover', {}, 'modern')).result.supportedVersions).toEqual([MODERN]);
    expect((await ask('tools/call', call, 'modern')).result.content).toHaveLength(1);
  });
});

it.each(engineNames)('refuses a legacy revision that it does not serve by name, on %s', async (engine) => {
  const { url } = await make([LEGACY]).listen({ port: 0, engine });
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  for (const [version, status] of [
    [LEGACY, 200],
    ['2025-11-25', 400],
  ] as const) {
    const body = bodyOf('tools/call', call, 'legacy');
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'mcp-protocol-version': version },
      body,
    });
    expect([version, response.status, await response.json()]).toEqual([version, status, expect.any(Object)]);
  }
});
