/** What a handler sees and says: progress, log, cancellation, and that nothing of it meets another request. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import type { ClientCapabilities } from '../../ts/protocol/types.js';
import { CallFlag, handshake, type Json, legacy, modern, Recorder, TestOffer } from './recorder.js';

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;

beforeEach(() => {
  offer = new TestOffer();
  dispatch = createDispatch(offer);
  recorder = new Recorder(dispatch);
});

const nothing = { content: [] };
/** Registers a tool and calls it the slow way. */
function run(
  handler: (context: RequestContext) => void,
  meta: object = {},
  change: (headers: Record<string, string>) => void = () => {},
) {
  const name = `t${offer.handlers.length}`;
  offer.add('tools/call', name, (_, context) => {
    handler(context);
    return nothing;
  });
  const { body, headers } = modern('tools/call', { name }, meta);
  change(headers);
  const slot = recorder.post(body, headers);
  return { slot, reply: recorder.taken(slot), events: recorder.events.get(slot) ?? [] };
}

describe('progress', () => {
  const report = (context: RequestContext) => {
    context.progress(0, 100);
    context.progress(0, 100);
    context.progress(50, 100, 'half');
    context.progress(40, 100);
    context.progress(Number.NaN);
    context.progress(Number.POSITIVE_INFINITY);
    context.progress(100, 100);
  };

  it.each([['tok'], [7], [0]])('goes out on the own stream under the token %j, only forward', (progressToken) => {
    const { events } = run(report, { progressToken });
    expect(events).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 0, total: 100 } },
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress: 50, total: 100, message: 'half' },
      },
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 100, total: 100 } },
    ]);
  });

  it('is not sent without a token, with a bad one, or to a client that takes no stream', () => {
    expect(run(report).events).toEqual([]);
    expect(run(report, { progressToken: {} }).events).toEqual([]);
    expect(
      run(report, { progressToken: 1 }, (headers) => {
        headers.accept = 'application/json';
      }).events,
    ).toEqual([]);
  });

  it('the fast way says the same', () => {
    const number = offer.add('tools/call', 'fast', (_, context) => {
      report(context);
      return nothing;
    });
    const { body, headers } = modern('tools/call', { name: 'fast' }, { progressToken: 'f' });
    const slot = recorder.call(number, CallFlag.stream | CallFlag.progressToken, '', body, headers);
    expect(recorder.events.get(slot)?.map((event) => event.params.progress)).toEqual([0, 50, 100]);
    const silent = recorder.call(number, CallFlag.progressToken, '', body, headers);
    expect(recorder.events.has(silent)).toBe(false);
  });

  it('after the reply nothing is sent', () => {
    let kept: RequestContext | undefined;
    const { slot } = run(
      (context) => {
        kept = context;
      },
      { progressToken: 1, [LOG_LEVEL]: 'debug' },
    );
    kept?.progress(1);
    kept?.log('error', 'late');
    kept?.notify({ method: 'notifications/x' });
    expect([recorder.events.has(slot), recorder.stale]).toEqual([false, 0]);
    expect(kept?.signal.aborted).toBe(false);
  });
});

describe('log', () => {
  const all = (context: RequestContext) => {
    for (const level of ['debug', 'info', 'warning', 'emergency'] as const) context.log(level, { at: level }, 'me');
  };
  const levels = (events: Json[]) => events.map((event) => event.params.level);

  it('modern: only when the request set a level, and from that level', () => {
    expect(run(all).events).toEqual([]);
    expect(levels(run(all, { [LOG_LEVEL]: 'debug' }).events)).toEqual(['debug', 'info', 'warning', 'emergency']);
    expect(levels(run(all, { [LOG_LEVEL]: 'warning' }).events)).toEqual(['warning', 'emergency']);
    expect(run(all, { [LOG_LEVEL]: 'loud' }).events).toEqual([]);
    expect(run(all, { [LOG_LEVEL]: 'emergency' }).events).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'emergency', logger: 'me', data: { at: 'emergency' } },
      },
    ]);
  });

  it('legacy: from info, or from the level of the session, when logging is declared', () => {
    const headers = handshake(recorder);
    const number = offer.add('tools/call', 'log', (_, context) => {
      all(context);
      return nothing;
    });
    const body = legacy('tools/call', { name: 'log' });
    const both = () => {
      const slow = recorder.post(body, headers);
      const fast = recorder.call(number, CallFlag.legacy | CallFlag.stream, '', body, headers);
      expect(recorder.events.get(fast)).toEqual(recorder.events.get(slow));
      return levels(recorder.events.get(slow) ?? []);
    };
    expect(both()).toEqual(['info', 'warning', 'emergency']);
    recorder.ask(legacy('logging/setLevel', { level: 'debug' }), headers);
    expect(both()).toHaveLength(4);
    recorder.ask(legacy('logging/setLevel', { level: 'emergency' }), headers);
    expect(both()).toEqual(['emergency']);
    const other = recorder.post(body, handshake(recorder));
    expect(levels(recorder.events.get(other) ?? [])).toEqual(['info', 'warning', 'emergency']);
    offer.declared = { tools: {} };
    expect(both()).toEqual([]);
  });

  it("a level that does not exist is the handler's mistake, data that JSON does not know as well", () => {
    expect(run((context) => context.log('loud' as 'info', 1), { [LOG_LEVEL]: 'debug' }).reply.json.code).toBe(-32603);
    expect(run((context) => context.log('info', 1n), { [LOG_LEVEL]: 'debug' }).reply.json.code).toBe(-32603);
    expect(run((context) => context.log('info', undefined), { [LOG_LEVEL]: 'debug' }).events[0].params.data).toBe(null);
  });
});

describe('the names of the official SDK', () => {
  it('say the same things, also when taken out of the object', async () => {
    const sent: Promise<void>[] = [];
    const seen: unknown[] = [];
    const { events, reply } = run(
      (context) => {
        const { notify, log, id, method, _meta, envelope, signal } = context.mcpReq;
        seen.push(
          id,
          method,
          _meta,
          Object.keys(envelope ?? {}).length,
          signal.aborted,
          context.http?.headers.get('Mcp-Method'),
        );
        seen.push(context.sessionId, context.era, context.clientInfo, context.clientCapabilities);
        sent.push(log('info', 'x'), log('debug', 'not asked for'));
        // Sent as a notification it is the handler's own affair, as in the official SDK.
        sent.push(notify({ method: 'notifications/message', params: { level: 'debug', data: 1 } }));
        sent.push(notify({ method: 'notifications/progress', params: { progressToken: 't', progress: 1 } }));
        sent.push(
          notify({ method: 'notifications/custom', params: { a: 1 } }),
          notify({ method: 'notifications/bare' }),
        );
      },
      { progressToken: 't', 'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' }, [LOG_LEVEL]: 'info' },
    );
    await Promise.all(sent);
    expect(reply.status).toBe(200);
    expect(seen).toEqual([
      1,
      'tools/call',
      { progressToken: 't' },
      4,
      false,
      'tools/call',
      undefined,
      'modern',
      { name: 'c', version: '1' },
      {},
    ]);
    expect(events.map((event) => [event.method, event.params])).toEqual([
      ['notifications/message', { level: 'info', data: 'x' }],
      ['notifications/message', { level: 'debug', data: 1 }],
      ['notifications/progress', { progressToken: 't', progress: 1 }],
      ['notifications/custom', { a: 1 }],
      ['notifications/bare', undefined],
    ]);
  });

  it('a key named __proto__ in _meta stays a key and reaches nothing', () => {
    offer.add('tools/call', 'proto', (_, context) => {
      const meta = context.mcpReq._meta as Record<string, unknown>;
      return {
        content: [],
        structuredContent: { own: Object.hasOwn(meta, '__proto__'), caps: context.clientCapabilities },
      };
    });
    const { body, headers } = modern('tools/call', { name: 'proto' });
    const text = JSON.stringify(body).replace('"_meta":{', '"_meta":{"__proto__":{"sampling":{}},');
    expect(recorder.ask(text, headers).json.structuredContent).toEqual({ own: true, caps: {} });
  });

  it('capabilities are looked up as own members', () => {
    const asked = (path: [keyof ClientCapabilities, ...string[]], caps: object) =>
      run((context) => context.requireCapability(...path), { 'io.modelcontextprotocol/clientCapabilities': caps }).reply
        .json.code;
    expect(asked(['constructor' as 'sampling'], {})).toBe(-32021);
    expect(asked(['sampling'], { sampling: {} })).toBe(undefined);
    expect(asked(['elicitation', 'form'], { elicitation: {} })).toBe(undefined);
    expect(asked(['elicitation', 'form'], { elicitation: { url: {} } })).toBe(-32021);
    expect(asked(['extensions', 'io.x/tasks'], { extensions: { 'io.x/tasks': {} } })).toBe(undefined);
    const headers = handshake(recorder);
    offer.add('tools/call', 'legacy', (_, context) => {
      context.requireCapability('roots');
      return nothing;
    });
    expect(recorder.ask(legacy('tools/call', { name: 'legacy' }), headers).json.code).toBe(-32600);
  });
});

describe('cancellation', () => {
  let contexts: RequestContext[];
  const hang = () => {
    contexts = [];
    return offer.add('tools/call', 'hang', (_, context) => {
      contexts.push(context);
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason));
      });
    });
  };
  const settle = () => new Promise((done) => setTimeout(done, 5));

  it('a client that leaves aborts its handler, which then answers nobody', async () => {
    const number = hang();
    const { body, headers } = modern('tools/call', { name: 'hang' });
    const slots = [recorder.post(body, headers), recorder.call(number, 0, '', body, headers)];
    expect(dispatch.pending(recorder)).toBe(2);
    for (const slot of slots) recorder.leave(slot);
    recorder.leave(slots[0] as number);
    await settle();
    expect(contexts.map((context) => context.signal.aborted)).toEqual([true, true]);
    expect([dispatch.pending(recorder), recorder.stale, recorder.replies.size]).toEqual([0, 0, 0]);
  });

  it('a signal first looked at after the client left is aborted', async () => {
    let late: RequestContext | undefined;
    offer.add('tools/call', 'late', (_, context) => {
      late = context;
      return new Promise(() => {});
    });
    const { body, headers } = modern('tools/call', { name: 'late' });
    recorder.leave(recorder.post(body, headers));
    expect(late?.signal.aborted).toBe(true);
    expect(late?.signal.reason).toBeInstanceOf(DOMException);
  });

  it('on a pipe by id, whatever the era; the request gets no response', async () => {
    hang();
    const pipe = new Recorder(dispatch, true);
    const slots = [1, '1'].map((id) => pipe.post(modern('tools/call', { name: 'hang' }, {}, id).body));
    slots.push(pipe.post(legacy('tools/call', { name: 'hang' }, 2)));
    const cancel = (requestId: unknown) => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId, reason: 'enough' },
    });
    pipe.ask(cancel('nobody'));
    pipe.ask(cancel({}));
    pipe.ask(cancel('1'));
    expect(contexts.map((context) => context.signal.aborted)).toEqual([false, true, false]);
    expect(contexts[1]?.signal.reason.message).toBe('enough');
    pipe.ask(cancel(2));
    pipe.ask({ ...cancel(1), params: { ...cancel(1).params, _meta: modern('x').body.params._meta } });
    await settle();
    expect(slots.map((slot) => pipe.taken(slot).text)).toEqual(['', '', '']);
    expect([dispatch.pending(pipe), pipe.stale]).toEqual([0, 0]);
  });

  it('over legacy HTTP only within the session, over modern HTTP never', async () => {
    const number = hang();
    const [mine, other] = [handshake(recorder), handshake(recorder)];
    const body = legacy('tools/call', { name: 'hang' }, 5);
    const slow = recorder.post(body, mine);
    const fast = recorder.call(number, CallFlag.legacy, '', { ...body, id: 6 }, mine);
    const bare = recorder.post(body);
    const cancel = (requestId: unknown) => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId },
    });
    recorder.ask(cancel(5), other);
    recorder.ask(cancel(5));
    recorder.ask(cancel(5), { 'mcp-protocol-version': '2026-07-28' });
    expect(contexts.map((context) => context.signal.aborted)).toEqual([false, false, false]);
    recorder.ask(cancel(5), mine);
    recorder.ask(cancel(6), mine);
    expect(contexts.map((context) => context.signal.aborted)).toEqual([true, true, false]);
    await settle();
    expect([recorder.taken(slow), recorder.taken(fast)].map((reply) => [reply.status, reply.text])).toEqual([
      [202, ''],
      [202, ''],
    ]);
    recorder.leave(bare);
    expect([dispatch.pending(recorder), recorder.stale]).toEqual([0, 0]);
  });
});

it('10,000 interleaved calls of many clients each see their own data', async () => {
  const number = offer.add('tools/call', 'mine', async (args, context) => {
    const before = [args.n, context.requestId, context.meta.progressToken, context.http?.headers.get('x-client')];
    await new Promise((done) => setTimeout(done, args.n % 7));
    context.progress(args.n + 1);
    const after = [args.n, context.mcpReq.id, context.meta.progressToken, context.clientInfo?.name];
    return { content: [], structuredContent: { before, after } };
  });
  const slots: number[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    const meta = { progressToken: `t${n}`, 'io.modelcontextprotocol/clientInfo': { name: `c${n}`, version: '1' } };
    const { body, headers } = modern('tools/call', { name: 'mine', arguments: { n } }, meta, `id${n}`);
    headers['x-client'] = `h${n}`;
    const flags = CallFlag.stream | CallFlag.progressToken;
    slots.push(
      n % 2 === 0 ? recorder.post(body, headers) : recorder.call(number, flags, JSON.stringify({ n }), body, headers),
    );
  }
  expect(dispatch.pending(recorder)).toBe(10_000);
  for (const [n, slot] of slots.entries()) {
    const { before, after } = (await recorder.answered(slot)).json.structuredContent;
    expect(before).toEqual([n, `id${n}`, `t${n}`, `h${n}`]);
    expect(after).toEqual([n, `id${n}`, `t${n}`, `c${n}`]);
    expect(recorder.events.get(slot)?.map((event) => event.params)).toEqual([
      { progressToken: `t${n}`, progress: n + 1 },
    ]);
  }
  expect([dispatch.pending(recorder), recorder.stale]).toEqual([0, 0]);
});
