/** The official SDK's client of the first generation, over HTTP and stdio. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { describe, expect, it } from 'vitest';
import { engineNames } from '../engines.js';
import { atEnd, INITIALIZE, serveHttp, shared, stdioOffer } from './stage.js';
import { type Talk, talkCases } from './talk.js';

async function connect(transport: Transport): Promise<Talk & { readonly client: Client }> {
  const client = new Client({ name: 'v1', version: '1.32.2' });
  await client.connect(transport);
  return { client, call: (params, options) => client.callTool(params, undefined, options) };
}

describe.each(engineNames)('v1 client over HTTP, %s', (engine) => {
  const http = async (url?: URL) => {
    const target = url ?? (await serveHttp(engine)).url;
    const talk = await connect(new StreamableHTTPClientTransport(target));
    atEnd(() => talk.client.close());
    return talk;
  };
  talkCases(http);

  it('pings', async () => {
    const { client } = await http();
    expect(await client.ping()).toEqual({});
  });

  it('ends its session, which is unknown from then on', async () => {
    const { url } = await serveHttp(engine);
    const transport = new StreamableHTTPClientTransport(url);
    const { client } = await connect(transport);
    atEnd(() => client.close());
    const stranger = await http(url);
    const session = transport.sessionId as string;
    expect(session).toMatch(/^[\x21-\x7e]{16,}$/);
    await transport.terminateSession();
    expect(transport.sessionId).toBeUndefined();
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': session,
      'mcp-protocol-version': '2025-11-25',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const gone = await fetch(url, { method: 'POST', headers, body });
    expect(gone.status).toBe(404);
    expect(await gone.json()).toMatchObject({ jsonrpc: '2.0', error: { message: expect.any(String) } });
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(404);
    // The session of somebody else is untouched, and the client may begin a new one.
    expect((await stranger.client.listTools()).tools.length).toBeGreaterThan(0);
    expect((await (await http(url)).client.listTools()).tools.length).toBeGreaterThan(0);
  });

  it('gets 404 when somebody else ended its session', async () => {
    const { url } = await serveHttp(engine);
    const transport = new StreamableHTTPClientTransport(url);
    const { client } = await connect(transport);
    atEnd(() => client.close());
    const headers = { 'mcp-session-id': transport.sessionId as string, 'mcp-protocol-version': '2025-11-25' };
    expect((await fetch(url, { method: 'DELETE', headers })).ok).toBe(true);
    await expect(client.listTools()).rejects.toMatchObject({ code: 404 });
  });

  it.each(['2025-11-25', '2025-06-18', '2025-03-26'])('is served revision %s when it asks for it', async (version) => {
    const { url } = await serveHttp(engine);
    const body = JSON.stringify(INITIALIZE).replace('2025-11-25', version);
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ id: 'init', result: { protocolVersion: version } });
  });
});

describe.each(engineNames)('v1 client over stdio, THIRDRAIL_ENGINE=%s', (engine) => {
  const stdio = shared(() => connect(new StdioClientTransport({ ...stdioOffer(engine), stderr: 'ignore' })));
  talkCases(stdio);

  it('pings', async () => {
    const { client } = await stdio();
    expect(await client.ping()).toEqual({});
  });

  it('is not disturbed by a handler that writes to the console', async () => {
    const { client, call } = await stdio();
    const errors: Error[] = [];
    client.onerror = (error) => void errors.push(error);
    expect(await call({ name: 'noisy', arguments: {} })).toMatchObject({ content: [{ text: 'said' }] });
    expect(await client.ping()).toEqual({});
    expect(errors).toEqual([]);
  });
});
