/**
 * One server object, 100,000 calls of many clients over real sockets: nobody ever sees anything of anybody else. Both eras
 * at once, several requests on the wire per connection, handlers that settle in another order than they began.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../ts/protocol/context.js';
import { McpServer } from '../../ts/server/mcp.js';
import { engineNames } from '../engines.js';
import { atEnd, fixture } from './stage.js';

const SOCKETS = 200;
const CALLS = 500;
const DEPTH = 8;

interface Totals {
  answers: number;
  events: number;
  wrong: object[];
}

describe.each(engineNames)('100,000 calls over %s', (engine) => {
  it('never see each other', async () => {
    const server = new McpServer({ name: 'isolation', version: '1' });
    // State that a handler keeps with its context: a context that served two requests would show the other's.
    const kept = new WeakMap<RequestContext, string>();
    let inside = 0;
    let most = 0;
    let turn = 0;
    let open = () => {};
    const everybody = new Promise<void>((resolve) => {
      open = resolve;
    });
    const inputSchema = {
      type: 'object',
      properties: { secret: { type: 'string' }, head: { type: 'boolean' } },
      required: ['secret', 'head'],
    };
    server.registerTool('mirror', { inputSchema }, async ({ secret, head }, ctx) => {
      if (kept.has(ctx)) throw new Error('this context has served another request');
      kept.set(ctx, secret as string);
      inside++;
      if (inside > most) most = inside;
      // All clients are inside at the same time once, before anybody gets an answer.
      if (inside === SOCKETS) open();
      if (most < SOCKETS) await everybody;
      const way = turn++ % 16;
      if (way === 0) await new Promise((done) => setTimeout(done, 1));
      else if (way < 5) await new Promise((done) => setImmediate(done));
      else for (let i = way; i < 10; i++) await null;
      ctx.progress(1, 1, kept.get(ctx));
      const client = head === true ? ctx.http?.headers.get('x-client') : '-';
      const era = ctx.era === 'modern' ? 'modern' : ctx.sessionId;
      inside--;
      const text = `${kept.get(ctx)} ${ctx.requestId} ${ctx.meta.client} ${client} ${era}`;
      return { content: [{ type: 'text', text }] };
    });
    const listener = await server.listen({ port: 0, engine });
    atEnd(() => listener.close({ grace: 0 }));

    const workerData = { port: listener.port, sockets: SOCKETS, calls: CALLS, depth: DEPTH };
    const swarm = new Worker(fixture('swarm.mjs'), { workerData });
    atEnd(() => swarm.terminate());
    const [totals] = (await once(swarm, 'message')) as [Totals];
    expect(totals).toEqual({ answers: SOCKETS * CALLS, events: SOCKETS * Math.ceil((CALLS - 3) / 16), wrong: [] });
    expect(most).toBeGreaterThanOrEqual(SOCKETS);
    expect(inside).toBe(0);
    expect(listener.stats()).toMatchObject({
      // Every one of them took the way of a regular call: none was handed up as doubtful.
      calls: SOCKETS * CALLS,
      messages: SOCKETS / 2,
      inFlight: 0,
      refused: 0,
      overloaded: 0,
      aborted: 0,
      staleReplies: 0,
      panics: 0,
    });
  }, 120_000);
});
