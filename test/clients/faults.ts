/**
 * A server whose tools misbehave on demand, and requests to it as bytes: for the tests of what goes wrong.
 */
import { expect, vi } from 'vitest';
import type { EngineName } from '../../ts/engine/engine.js';
import type { ListenerStats, ListenOptions, ServerListener } from '../../ts/server/listen.js';
import { McpServer } from '../../ts/server/mcp.js';
import { request, Wire } from '../engine/wire.js';
import { ask, atEnd } from './stage.js';

export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const JSON_TYPE = ['content-type', 'application/json'] as const;
const ACCEPT = ['accept', 'application/json, text/event-stream'] as const;

/** A legacy message. */
export function legacy(message: object, session = ''): string {
  const headers = session === '' ? [] : [['mcp-session-id', session] as const];
  return request('POST', '/mcp', [JSON_TYPE, ACCEPT, ...headers], JSON.stringify(message));
}

/** A modern request; `name` is that of the tool, prompt or resource, if any. */
export function modern(id: number, method: string, params: object = {}, name = '', meta: object = {}): string {
  const headers = [
    JSON_TYPE,
    ACCEPT,
    ['mcp-protocol-version', '2026-07-28'] as const,
    ['mcp-method', method] as const,
    ...(name === '' ? [] : [['mcp-name', name] as const]),
  ];
  return request('POST', '/mcp', headers, JSON.stringify(ask(id, method, { ...params, _meta: { ...META, ...meta } })));
}

export const call = (
  era: 'legacy' | 'modern',
  id: number,
  name: string,
  args: object = {},
  meta: object = {},
): string =>
  era === 'legacy'
    ? legacy(ask(id, 'tools/call', { name, arguments: args, _meta: meta }))
    : modern(id, 'tools/call', { name, arguments: args }, name, meta);

export const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** JSON of an answer, or of the last event of a stream. */
export function answerOf(body: string): {
  id?: unknown;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
} {
  const data = body.startsWith('{') ? body : (body.split('data: ').at(-1) as string);
  return JSON.parse(data);
}

export class FaultStage {
  readonly server = new McpServer(
    { name: 'faults', version: '1' },
    { capabilities: { resources: { subscribe: true } } },
  );
  listener!: ServerListener;
  /** Lets a call of `hold` go. */
  readonly held: (() => void)[] = [];
  /** Why the signals of `hold` and `never` were aborted, in order. */
  readonly aborted: string[] = [];
  /** Runs of `later`. */
  runs = 0;

  constructor(readonly engine: EngineName) {
    const { server } = this;
    const watch = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => this.aborted.push((signal.reason as Error).name));
    };
    server.registerTool('echo', { inputSchema: { type: 'object' } as const }, (args) => text(JSON.stringify(args)));
    server.registerTool('later', { inputSchema: { type: 'object' } as const }, async (args) => {
      this.runs++;
      await new Promise(setImmediate);
      return text(JSON.stringify(args));
    });
    server.registerTool('hold', {}, async ({ signal }) => {
      watch(signal);
      await new Promise<void>((resolve) => this.held.push(resolve));
      return text('let go');
    });
    server.registerTool('never', {}, ({ signal }) => {
      watch(signal);
      return new Promise(() => {});
    });
    server.registerTool('large', {}, () => text('x'.repeat(4_000_000)));
    server.registerTool('half', {}, async (ctx) => {
      ctx.progress(1, 2, 'half of it');
      await new Promise(setImmediate);
      throw new Error('thrown after the reply began');
    });
  }

  async listen(options: ListenOptions = {}): Promise<this> {
    this.listener = await this.server.listen({ port: 0, engine: this.engine, ...options });
    atEnd(() => this.listener.close({ grace: 0 }));
    return this;
  }

  async wire(): Promise<Wire> {
    const wire = await Wire.connect(this.listener.port);
    atEnd(() => wire.leave());
    return wire;
  }

  wires(count: number): Promise<Wire[]> {
    return Promise.all(Array.from({ length: count }, () => this.wire()));
  }

  /** Waits until the counters are so. */
  async settled(stats: Partial<ListenerStats>): Promise<void> {
    await vi.waitFor(() => expect(this.listener.stats()).toMatchObject(stats), 10_000);
  }

  /** Both eras are served, on a new connection and on one that was there before. */
  async alive(before?: Wire): Promise<void> {
    const wire = await this.wire();
    for (const one of before === undefined ? [wire] : [wire, before]) {
      for (const era of ['legacy', 'modern'] as const) {
        one.send(call(era, 1, 'echo', { still: era }));
        expect(answerOf((await one.response()).text).result).toMatchObject(text(`{"still":"${era}"}`));
      }
    }
    await wire.leave();
    expect(this.listener.stats().panics).toBe(0);
  }

  /** A legacy session. */
  async session(wire: Wire): Promise<string> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
    wire.send(legacy(ask('init', 'initialize', params)));
    return (await wire.response()).headers['mcp-session-id'] as string;
  }
}
