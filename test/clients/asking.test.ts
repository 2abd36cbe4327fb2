/** What a server asks its client, what it tells it unasked, and what it sends in pieces: with the official v2 client, in both eras. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { EngineName } from '../../ts/engine/engine.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';
import { atEnd } from './stage.js';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const ERAS = ['legacy', 'modern'] as const;
type Era = (typeof ERAS)[number];
const PIECES = 200;
const PIECE = 'zwölf 🦀 "\\\n'.repeat(500);

/** Runs of the tools, by name. */
async function serve(engine: EngineName): Promise<{ url: URL; server: McpServer; runs: string[] }> {
  const server = new McpServer({ name: 'asking', version: '1.0.0' });
  const runs: string[] = [];
  server.registerTool('greet', { inputSchema: z.object({ greeting: z.string() }) }, async ({ greeting }, ctx) => {
    runs.push('greet');
    const order = await ctx.once('order', () => runs.filter((run) => run === 'greet').length);
    const answer = await ctx.elicit({ message: 'Name?', requestedSchema: z.object({ name: z.string().min(1) }) });
    if (answer.action !== 'accept') return text(`no name: ${answer.action}`);
    const { roots } = await ctx.listRoots();
    return text(`${greeting}, ${answer.content?.name} of ${roots[0]?.uri} (${order})`);
  });
  server.registerTool('returns', {}, (ctx) => {
    const step = ctx.mcpReq.requestState<{ step: number }>()?.step ?? 0;
    if (step === 2) return text(JSON.stringify(ctx.mcpReq.inputResponses));
    const inputRequests = { who: { method: 'roots/list' } };
    return { resultType: 'input_required', inputRequests, requestState: { step: step + 1 } } as never;
  });
  server.registerResource('big', 'memo://big', {}, (uri) => {
    let sent = 0;
    const source = new Readable({
      read() {
        sent += 1;
        this.push(sent > PIECES ? null : PIECE);
      },
    });
    return { contents: [{ uri: uri.href, text: source }] };
  });
  const listener = await server.listen({ port: 0, engine });
  atEnd(() => server.close({ grace: 0 }));
  return { url: new URL(listener.url), server, runs };
}

async function connect(url: URL, era: Era): Promise<Client> {
  const versionNegotiation = { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } as const;
  const client = new Client(
    { name: 'official', version: '2' },
    { versionNegotiation, capabilities: { elicitation: { form: {} }, roots: {} } },
  );
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///home' }] }));
  await client.connect(new StreamableHTTPClientTransport(url));
  atEnd(() => client.close());
  return client;
}

describe.each(engineNames)('on the engine %s', (engine) => {
  describe.each(ERAS)('a %s client', (era) => {
    it('is asked, and its answers reach the handler', async () => {
      const { url, runs } = await serve(engine);
      const client = await connect(url, era);
      const result = await client.callTool({ name: 'greet', arguments: { greeting: 'Hello' } });
      expect(result).toMatchObject(text('Hello, Ada of file:///home (1)'));
      expect(runs).toHaveLength(era === 'modern' ? 3 : 1);
    });

    it('is asked for what a handler returns', async () => {
      const { url } = await serve(engine);
      const client = await connect(url, era);
      const result = await client.callTool({ name: 'returns' });
      expect(result).toMatchObject(text(JSON.stringify({ who: { roots: [{ uri: 'file:///home' }] } })));
    });

    it('reads a resource in pieces', async () => {
      const { url } = await serve(engine);
      const client = await connect(url, era);
      const { contents } = await client.readResource({ uri: 'memo://big' });
      expect((contents[0] as { text: string }).text === PIECE.repeat(PIECES)).toBe(true);
    });
  });

  it('is told of changes that it listens to', async () => {
    const { url, server } = await serve(engine);
    const client = await connect(url, 'modern');
    let told: (what: string) => void = () => {};
    const change = new Promise<string>((resolve) => {
      told = resolve;
    });
    client.setNotificationHandler('notifications/tools/list_changed', () => told('tools'));
    await client.listen({ toolsListChanged: true });
    server.registerTool('new', {}, () => text('new'));
    expect(await change).toBe('tools');
  });

  it('cuts a result whose source fails, and ends a stream of events with the error', async () => {
    const { url, server } = await serve(engine);
    server.registerResource('broken', 'memo://broken', {}, (uri) => {
      async function* source(): AsyncGenerator<string> {
        yield 'x'.repeat(300_000);
        throw new Error('secret');
      }
      return { contents: [{ uri: uri.href, text: source() }] };
    });
    server.registerPrompt('late', {}, async (ctx) => {
      ctx.progress(1);
      await Promise.resolve();
      throw new ProtocolError(-32055, 'too late');
    });
    const post = async (method: string, params: object) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      return fetch(url, { method: 'POST', headers, body });
    };
    const broken = await post('resources/read', { uri: 'memo://broken' });
    await expect(broken.json()).rejects.toThrow();
    const late = await post('prompts/get', { name: 'late', _meta: { progressToken: 'p' } });
    expect(late.headers.get('content-type')).toContain('text/event-stream');
    const events = (await late.text()).split('\n').filter((line) => line.startsWith('data: {'));
    expect(events.map((line) => JSON.parse(line.slice(6)))).toMatchObject([
      { method: 'notifications/progress' },
      { id: 1, error: { code: -32055, message: 'too late' } },
    ]);
  });

  it('holds no more of a stream than its client reads', async () => {
    const { url, server } = await serve(engine);
    let sent = 0;
    let ended: () => void = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    server.registerResource('endless', 'memo://endless', {}, (uri) => {
      const source = new Readable({
        read() {
          sent += 1;
          setImmediate(() => this.push('x'.repeat(64 * 1024)));
        },
        destroy(_error, done) {
          ended();
          done(null);
        },
      });
      return { contents: [{ uri: uri.href, text: source }] };
    });
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'resources/read',
      params: { uri: 'memo://endless' },
    };
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const request = httpRequest(url, { method: 'POST', headers });
    request.end(JSON.stringify(body));
    const [response] = await once(request, 'response');
    // Nothing is read from here on: sockets and high-water marks fill, and then the source is not asked any more.
    response.pause();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(400);
    response.destroy();
    await end;
  });
});
