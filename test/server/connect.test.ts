/** Serving over a transport: eras, lifetimes, what a transport brings along. */
import { describe, expect, it } from 'vitest';
import { SdkError } from '../../ts/protocol/sdk/errors.js';
import { McpServer } from '../../ts/server/mcp.js';
import { InMemoryTransport } from '../../ts/server/transports/in-memory.js';
import type { JSONRPCMessage, MessageExtraInfo, Transport } from '../../ts/server/transports/transport.js';
import { ERAS, join } from './pair.js';

const info = { name: 'connected', version: '1.0.0' };
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** A transport in the hands of the test. */
class Hand implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  sessionId?: string = 'of-the-transport';
  versions: string[] = [];
  negotiated = '';
  readonly sent: [any, unknown][] = [];
  #wake = () => {};

  async start(): Promise<void> {}
  async send(message: JSONRPCMessage, options?: object): Promise<void> {
    this.sent.push([message, options]);
    this.#wake();
  }
  async close(): Promise<void> {
    this.onclose?.();
  }
  setSupportedProtocolVersions = (versions: string[]) => {
    this.versions = versions;
  };
  setProtocolVersion = (version: string) => {
    this.negotiated = version;
  };
  async answer(id: unknown): Promise<any> {
    for (;;) {
      const found = this.sent.find(([message]) => message.id === id && !('method' in message));
      if (found !== undefined) return found[0];
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
  ask(message: object, extra?: MessageExtraInfo): Promise<any> {
    this.onmessage?.({ jsonrpc: '2.0', ...message } as JSONRPCMessage, extra);
    return this.answer((message as { id: unknown }).id);
  }
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const hello = (id: number) => ({
  id,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'h', version: '1' } },
});
async function handOf(server: McpServer): Promise<Hand> {
  const hand = new Hand();
  await server.connect(hand);
  return hand;
}

describe.each(ERAS)('%s over memory', (era) => {
  it('serves tools, resources and prompts, with progress on the way', async () => {
    const server = new McpServer(info, { instructions: 'Go.' });
    server.registerTool('count', {}, async (ctx) => {
      ctx.progress(1, 2);
      ctx.progress(2, 2);
      return text('counted');
    });
    server.registerResource('r', 'mem://r', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'R' }] }));
    server.registerPrompt('p', {}, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'P' } }] }));
    const client = await join(server, era);
    const progress: number[] = [];
    const options = { onprogress: (step: { progress: number }) => void progress.push(step.progress) };
    expect((await client.callTool({ name: 'count' }, options)).content).toEqual(text('counted').content);
    expect(progress).toEqual([1, 2]);
    expect(await client.readResource({ uri: 'mem://r' })).toMatchObject({ contents: [{ text: 'R' }] });
    expect(await client.getPrompt({ name: 'p' })).toMatchObject({ messages: [{ content: { text: 'P' } }] });
    expect(client.getInstructions()).toBe('Go.');
    expect((await client.callTool({ name: 'none' }).catch((error) => error)).code).toBe(-32602);
  });

  it('cancels what the client gives up, and what it leaves behind', async () => {
    const server = new McpServer(info);
    const aborted: string[] = [];
    let started = () => {};
    server.registerTool('hang', {}, (ctx) => {
      started();
      return new Promise((resolve) =>
        ctx.signal.addEventListener('abort', () => {
          aborted.push(String(ctx.signal.reason));
          resolve(text(''));
        }),
      );
    });
    const running = () =>
      new Promise<void>((resolve) => {
        started = resolve;
      });
    const client = await join(server, era);
    const controller = new AbortController();
    let begun = running();
    const given = client.callTool({ name: 'hang' }, { signal: controller.signal });
    await begun;
    controller.abort('enough');
    await expect(given).rejects.toThrow();
    begun = running();
    const left = client.callTool({ name: 'hang' }).catch(() => {});
    await begun;
    await client.close();
    await left;
    expect(aborted).toHaveLength(2);
  });
});

describe('a connection', () => {
  it('is one at a time, and can be made again', async () => {
    const server = new McpServer(info);
    const closed: number[] = [];
    server.server.onclose = () => void closed.push(closed.length);
    const hand = await handOf(server);
    expect([server.isConnected(), server.server.transport]).toEqual([true, hand]);
    await expect(server.connect(new Hand())).rejects.toThrow(SdkError);
    expect(() => server.server.registerCapabilities({ logging: {} })).toThrow('after connecting');
    await server.close();
    expect([server.isConnected(), server.server.transport, closed]).toEqual([false, undefined, [0]]);
    await handOf(server);
    expect(server.isConnected()).toBe(true);
  });

  it('keeps the callbacks that the transport had, and tells it the revisions', async () => {
    const [near, far] = InMemoryTransport.createLinkedPair();
    const seen: string[] = [];
    far.onmessage = () => void seen.push('message');
    far.onclose = () => void seen.push('close');
    await new McpServer(info).connect(far);
    await near.start();
    await near.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    await near.close();
    expect(seen).toEqual(['message', 'close']);
    const hand = await handOf(new McpServer(info));
    expect(hand.versions).toEqual(expect.arrayContaining(['2026-07-28', '2025-11-25']));
    expect((await hand.ask(hello(1))).result.protocolVersion).toBe('2025-06-18');
    expect(hand.negotiated).toBe('2025-06-18');
  });

  it('says what the transport knows of a message, to the request that it brought', async () => {
    const server = new McpServer(info);
    server.registerTool('who', {}, (ctx) => {
      const header = ctx.http?.req?.headers.get('x-own');
      ctx.http?.closeSSE?.();
      return text(`${ctx.authInfo?.clientId} ${ctx.http?.authInfo?.clientId} ${header} ${ctx.sessionId}`);
    });
    const hand = await handOf(server);
    let cut = 0;
    const extra = {
      authInfo: { token: 't', clientId: 'me', scopes: [] },
      request: new Request('http://x.test/', { headers: { 'x-own': 'yes' } }),
      closeSSEStream: () => void cut++,
    };
    const call = { id: 7, method: 'tools/call', params: { name: 'who' } };
    const answer = await hand.ask(call, extra);
    expect(answer.result.content[0].text).toBe('me me yes of-the-transport');
    expect(hand.sent.at(-1)?.[1]).toEqual({ relatedRequestId: 7 });
    expect(cut).toBe(1);
    const bare = await hand.ask({ ...call, id: 8 });
    expect(bare.result.content[0].text).toBe('undefined undefined undefined of-the-transport');
  });

  it('that began modern cannot fall back', async () => {
    const hand = await handOf(new McpServer(info));
    const discover = { id: 1, method: 'server/discover', params: { _meta: META } };
    expect((await hand.ask(discover)).result.supportedVersions).toEqual(['2026-07-28']);
    // Asking alone does not decide.
    expect((await hand.ask(hello(2))).result.protocolVersion).toBe('2025-06-18');
    const other = await handOf(new McpServer(info, { capabilities: { tools: {} } }));
    await other.ask({ id: 1, method: 'tools/list', params: { _meta: META } });
    const refused = await other.ask(hello(2));
    expect(refused.error).toMatchObject({ code: -32022, data: { supported: ['2026-07-28'], requested: '2025-06-18' } });
  });

  it('survives what is no message, and a transport that fails', async () => {
    const server = new McpServer(info);
    server.registerTool('t', {}, () => text('fine'));
    const errors: string[] = [];
    server.server.onerror = (error) => errors.push(error.message);
    const hand = await handOf(server);
    for (const odd of [null, 7, 'x', [], {}, { jsonrpc: '1.0', id: 1, method: 'ping' }]) hand.onmessage?.(odd as never);
    const circular: Record<string, unknown> = { jsonrpc: '2.0', id: 3, method: 'ping' };
    circular.params = circular;
    hand.onmessage?.(circular as never);
    hand.onerror?.(new Error('from below'));
    expect(errors).toEqual(expect.arrayContaining(['from below', expect.stringContaining('circular')]));
    const call = { id: 9, method: 'tools/call', params: { name: 't' } };
    expect((await hand.ask(call)).result.content[0].text).toBe('fine');
    hand.send = async () => {
      throw new Error('pipe broke');
    };
    hand.onmessage?.({ jsonrpc: '2.0', ...call, id: 10 });
    await new Promise((done) => setImmediate(done));
    expect(errors).toContain('pipe broke');
  });

  it('that cannot start leaves nothing behind', async () => {
    const server = new McpServer(info);
    const hand = new Hand();
    hand.start = async () => {
      throw new Error('no such port');
    };
    await expect(server.connect(hand)).rejects.toThrow('no such port');
    expect(server.isConnected()).toBe(false);
    await handOf(server);
  });
});
