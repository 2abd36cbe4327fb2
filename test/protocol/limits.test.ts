/** What bounds a call: its time, its result's size; and what traces it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type DispatchOptions } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { readTrace } from '../../ts/protocol/trace.js';
import { LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

let offer: TestOffer;
let recorder: Recorder;
const start = (options: DispatchOptions) => {
  recorder = new Recorder(createDispatch(offer, options));
};
beforeEach(() => {
  offer = new TestOffer();
});
const answer = (method: string, params: Record<string, unknown>, meta: object = {}) => {
  const { body, headers } = modern(method, params, meta);
  return recorder.answered(recorder.post(body, headers));
};

describe('the time of a handler', () => {
  beforeEach(() => start({ toolTimeout: 24 }));

  it('ends a tool that never returns, and tells it', async () => {
    let reason: unknown;
    offer.add('tools/call', 'stuck', (_args, ctx: RequestContext) => {
      ctx.signal.addEventListener('abort', () => {
        reason = ctx.signal.reason;
      });
      return new Promise(() => {});
    });
    const reply = await answer('tools/call', { name: 'stuck' });
    expect(reply).toMatchObject({ status: 200, failed: 1, json: { isError: true } });
    expect(reply.json.content[0].text).toContain('stuck');
    expect(reply.json.content[0].text).toContain('24 ms');
    expect(reason).toMatchObject({ name: 'TimeoutError' });
    expect(recorder.stale).toBe(0);
  });

  it('ends anything else with an error', async () => {
    offer.add('prompts/get', 'stuck', () => new Promise(() => {}));
    expect((await answer('prompts/get', { name: 'stuck' })).json).toMatchObject({ code: -32603 });
    const part = [legacy('prompts/get', { name: 'stuck' })];
    const reply = await recorder.answered(
      recorder.post(part, { ...LEGACY_HEADERS, 'mcp-protocol-version': '2025-03-26' }),
    );
    expect(reply.json[0].error.code).toBe(-32603);
  });

  it('begins again with every progress, and does not hit who is in time', async () => {
    offer.add('tools/call', 'slow', async (_args, ctx: RequestContext) => {
      for (let step = 1; step < 8; step += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        ctx.progress(step);
      }
      return text('done');
    });
    expect((await answer('tools/call', { name: 'slow' })).json).toMatchObject(text('done'));
  });

  it('does not run while a person is asked', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: { roots: {} },
      clientInfo: { name: 'c', version: '1' },
    };
    const shaken = recorder.ask(legacy('initialize', params), { accept: LEGACY_HEADERS.accept });
    const headers = { ...LEGACY_HEADERS, 'mcp-session-id': /mcp-session-id: (\S+)/.exec(shaken.headers)?.[1] ?? '' };
    offer.add('tools/call', 'ask', async (_args, ctx: RequestContext) => {
      await ctx.listRoots();
      return text('answered');
    });
    const slot = recorder.post(legacy('tools/call', { name: 'ask' }), headers);
    await new Promise((resolve) => setTimeout(resolve, 80));
    const request = recorder.events.get(slot)?.[0];
    recorder.post({ jsonrpc: '2.0', id: request?.id, result: { roots: [] } }, headers);
    expect((await recorder.answered(slot)).json).toEqual(text('answered'));
  });
});

describe('the size of a result', () => {
  it('is counted in bytes', async () => {
    start({ maxResultBytes: 1000 });
    let given = '';
    offer.add('tools/call', 't', () => text(given));
    offer.add('resources/read', 'a:b', () => ({ contents: [{ uri: 'a:b', text: given }] }));
    given = 'x'.repeat(500);
    expect((await answer('tools/call', { name: 't' })).json).toMatchObject(text(given));
    // As many characters, three times the bytes.
    given = '世'.repeat(500);
    const reply = await answer('tools/call', { name: 't' });
    expect(reply).toMatchObject({ failed: 1, json: { isError: true } });
    expect(reply.json.content[0].text).toContain('1000 bytes');
    expect((await answer('resources/read', { uri: 'a:b' })).json.code).toBe(-32603);
  });

  it.each([
    ['toolTimeout', -1],
    ['maxResultBytes', 0],
    ['maxStreams', 1.5],
    ['keepAlive', -1],
    ['maxBatch', 0],
  ])('refuses %s %d', (name, value) => {
    expect(() => createDispatch(offer, { [name]: value })).toThrow(RangeError);
  });
});

describe('the trace of a request', () => {
  const PARENT = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';

  it('is read from _meta, else from the headers', async () => {
    start({});
    offer.add('tools/call', 't', (_args, ctx: RequestContext) => text(JSON.stringify(ctx.trace)));
    const meta = { traceparent: PARENT, tracestate: 'a=1', baggage: 'k=v' };
    const inBody = await answer('tools/call', { name: 't' }, meta);
    expect(JSON.parse(inBody.json.content[0].text)).toEqual(meta);
    const { body, headers } = modern('tools/call', { name: 't' });
    const inHead = recorder.ask(body, { ...headers, traceparent: PARENT, tracestate: 'b=2' });
    expect(JSON.parse(inHead.json.content[0].text)).toEqual({ traceparent: PARENT, tracestate: 'b=2' });
  });

  it.each([
    '',
    7,
    PARENT.toUpperCase(),
    PARENT.slice(1),
    `${PARENT}-x`,
    PARENT.replace('00-', 'ff-'),
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  ])('is none with the parent %s', (traceparent) => {
    expect(readTrace({ traceparent }, undefined)).toBeUndefined();
  });

  it('takes later versions, and drops what could not stand in a header', () => {
    const later = `${PARENT.replace('00-', 'cc-')}-what`;
    const trace = readTrace({ traceparent: later, tracestate: 'a=\n', baggage: 7 }, undefined);
    expect(trace).toEqual({ traceparent: later, tracestate: undefined, baggage: undefined });
  });
});
