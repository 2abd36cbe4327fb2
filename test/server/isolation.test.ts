/** One server object for everybody: requests share nothing, and serving one builds nothing. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDispatch } from '../../ts/dispatch.js';
import { CallFlag } from '../../ts/engine/engine.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { Recorder } from '../protocol/recorder.js';

const CALLS = 100_000;
const CLIENTS = 1000;

describe('100,000 calls at a time', () => {
  it('never see each other', async () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let inside = 0;
    let most = 0;
    const inputSchema = z.object({ secret: z.string(), wait: z.number() });
    server.registerTool('mirror', { inputSchema }, async ({ secret, wait }, ctx) => {
      most = Math.max(most, ++inside);
      await gate;
      // Handlers settle in another order than they began, by different ways.
      if (wait === 1) await new Promise((done) => setImmediate(done));
      if (wait === 2) await new Promise((done) => setTimeout(done, 1));
      ctx.progress(1, 1, secret);
      inside--;
      if (wait === 3) throw new Error(`failed ${secret} ${ctx.meta.client}`);
      return { content: [{ type: 'text', text: `${secret} ${ctx.requestId} ${ctx.meta.client}` }] };
    });
    const recorder = new Recorder(createDispatch(offerOf(server)));
    const slots: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const client = i % CLIENTS;
      // Ids are each client's own, so the same id is in flight a thousand times.
      const id = Math.floor(i / CLIENTS);
      const meta = { client: `c${client}`, progressToken: id };
      const args = JSON.stringify({ secret: `s${i}`, wait: (i * 7) % 4 });
      slots.push(recorder.call(0, CallFlag.stream | CallFlag.progressToken, args, { id, params: { _meta: meta } }));
    }
    expect(most).toBe(CALLS);
    open();
    await recorder.answered(slots.at(-1) as number);
    for (let turn = 0; recorder.replies.size < CALLS && turn < 1000; turn++)
      await new Promise((done) => setTimeout(done, 5));
    let wrong = 0;
    for (const [i, slot] of slots.entries()) {
      const id = Math.floor(i / CLIENTS);
      const client = `c${i % CLIENTS}`;
      const text = (i * 7) % 4 === 3 ? `failed s${i} ${client}` : `s${i} ${id} ${client}`;
      const event = recorder.events.get(slot)?.[0]?.params;
      const right =
        recorder.taken(slot).json.content[0].text === text && event.message === `s${i}` && event.progressToken === id;
      if (!right) wrong++;
    }
    expect([wrong, recorder.replies.size, recorder.stale]).toEqual([0, CALLS, 0]);
  }, 120_000);
});

/** Every read of a schema, however deep. */
function watched<T extends object>(schema: T): { schema: T; reads: () => number } {
  let reads = 0;
  const wrap = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : new Proxy(value, {
          get: (target, key) => {
            reads++;
            return wrap(Reflect.get(target, key));
          },
        });
  return { schema: wrap(schema) as T, reads: () => reads };
}

describe('serving a request', () => {
  it('reads no schema, converts none and lists nothing again', () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    let conversions = 0;
    let checks = 0;
    const json = () => {
      conversions++;
      return { type: 'object' };
    };
    const validate = (value: unknown) => {
      checks++;
      return { value };
    };
    const standard = {
      '~standard': { version: 1 as const, vendor: 'own', validate, jsonSchema: { input: json, output: json } },
    };
    const direct = watched({ type: 'object', properties: { n: { type: 'number' } } });
    const ajv = watched({ type: 'object', properties: { n: { type: 'number', multipleOf: 1 } }, $defs: { x: {} } });
    const done = () => ({ content: [], structuredContent: {} });
    server.registerTool('standard', { inputSchema: standard, outputSchema: standard }, done);
    server.registerTool('direct', { inputSchema: direct.schema }, done);
    server.registerTool('ajv', { inputSchema: ajv.schema }, done);
    // The same schema object again is found, not converted.
    server.registerTool('again', { inputSchema: standard, outputSchema: standard }, done);
    expect(conversions).toBe(2);
    const offer = offerOf(server);
    const list = offer.list('tools');
    const recorder = new Recorder(createDispatch(offer));
    const before = [direct.reads(), ajv.reads(), conversions];
    for (let i = 0; i < 300; i++) recorder.call(i % 4, 0, `{"n":${i % 7 === 0 ? '"x"' : i}}`, { id: i });
    expect([direct.reads(), ajv.reads(), conversions]).toEqual(before);
    expect(checks).toBe(300);
    expect(offer.list('tools')).toBe(list);
    expect(recorder.replies.size).toBe(300);
  });
});
