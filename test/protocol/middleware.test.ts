/** Middleware around calls, methods of the author's own, and who may call what. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type DispatchOptions } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import type { Guard } from '../../ts/protocol/guard.js';
import type { AuthInfo } from '../../ts/protocol/types.js';
import { CallFlag, type Json, LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

let offer: TestOffer;
let recorder: Recorder;
function start(options: DispatchOptions = {}): void {
  recorder = new Recorder(createDispatch(offer, options));
}
beforeEach(() => {
  offer = new TestOffer();
  start();
});

const answer = async (method: string, params: Record<string, unknown> = {}) => {
  const { body, headers } = modern(method, params);
  return recorder.answered(recorder.post(body, headers));
};

describe('middleware', () => {
  it('stands around calls in the order of its registration, and shares values', async () => {
    const steps: string[] = [];
    for (const name of ['outer', 'inner']) {
      offer.middleware.push(async (ctx, next) => {
        steps.push(`${name} ${ctx.method} ${ctx.name}`);
        ctx.values.set(name, true);
        const result = await next();
        steps.push(`${name} after`);
        return result;
      });
    }
    const handler = offer.add('tools/call', 't', (_args, ctx: RequestContext) => {
      steps.push([...ctx.values.keys()].join());
      return text('x');
    });
    expect((await answer('tools/call', { name: 't' })).json).toMatchObject(text('x'));
    expect(steps).toEqual(['outer tools/call t', 'inner tools/call t', 'outer,inner', 'inner after', 'outer after']);
    const { body, headers } = modern('tools/call', { name: 't' });
    await recorder.answered(recorder.call(handler, CallFlag.stream, '', body, headers));
    expect(steps).toHaveLength(10);
  });

  it('may answer itself, change the result, and fail', async () => {
    let act: (next: () => Promise<object>) => Json = (next) => next();
    offer.middleware.push((_ctx, next) => act(next));
    offer.add('prompts/get', 'p', () => ({ messages: [] }));
    const ask = async () => (await answer('prompts/get', { name: 'p' })).json;
    act = () => ({ messages: ['short'] });
    expect(await ask()).toMatchObject({ messages: ['short'] });
    act = async (next) => ({ ...(await next()), description: 'seen' });
    expect(await ask()).toMatchObject({ description: 'seen', messages: [] });
    act = () => {
      throw new ProtocolError(-32001, 'not today');
    };
    expect(await ask()).toMatchObject({ code: -32001, message: 'not today' });
    act = () => {
      throw new Error('secret');
    };
    expect(JSON.stringify(await ask())).not.toContain('secret');
    act = () => undefined;
    expect((await ask()).code).toBe(-32603);
    act = async (next) => {
      await next();
      return next();
    };
    expect((await ask()).code).toBe(-32603);
  });

  it('sees the question of a handler that asks', async () => {
    const seen: Json[] = [];
    offer.middleware.push(async (_ctx, next) => {
      const result = await next();
      seen.push(result);
      return result;
    });
    offer.add('tools/call', 't', async (_args, ctx: RequestContext) => {
      await ctx.listRoots();
      return text('x');
    });
    const capabilities = { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } };
    const { body, headers } = modern('tools/call', { name: 't' }, capabilities);
    const reply = await recorder.answered(recorder.post(body, headers));
    expect(reply.json.resultType).toBe('input_required');
    expect(seen).toMatchObject([{ resultType: 'input_required' }]);
  });

  it('leaves lists alone', async () => {
    offer.middleware.push(() => {
      throw new Error('never');
    });
    expect((await answer('tools/list')).json).toHaveProperty('tools');
  });
});

describe('methods of the author', () => {
  it('stand before what the server would answer, and behind what nobody knows', async () => {
    offer.methods.set('tools/list', { run: (params) => ({ tools: [], mine: params !== undefined }) });
    offer.methods.set('acme/echo', { run: async (params) => ({ echo: params?.value }) });
    offer.fallback = { run: (_params, ctx) => ({ fallback: ctx.method }) };
    expect((await answer('tools/list')).json).toMatchObject({ mine: true, resultType: 'complete' });
    expect((await answer('acme/echo', { value: 7 })).json).toMatchObject({ echo: 7 });
    expect((await answer('acme/other')).json).toMatchObject({ fallback: 'acme/other' });
    const old = recorder.post(legacy('acme/echo', { value: 8 }), LEGACY_HEADERS);
    expect((await recorder.answered(old)).json).toEqual({ echo: 8 });
    // What an era has given up is not given back.
    expect((await answer('initialize')).json.code).toBe(-32601);
  });

  it('are told of notifications', () => {
    const { body, headers } = modern('notifications/acme', {}, {}, undefined);
    recorder.post({ jsonrpc: '2.0', method: body.method, params: body.params }, headers);
    recorder.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, LEGACY_HEADERS);
    expect(offer.told).toEqual(['notifications/acme', 'notifications/initialized']);
  });
});

describe('the guard', () => {
  const ALICE: AuthInfo = { token: 't', clientId: 'alice', scopes: [] };
  const guard = (allows: Guard['allows']): Guard => ({
    check: (exchange, _method, go) => {
      const token = exchange.header('authorization');
      if (token === 'Bearer alice') go(ALICE);
      else if (token === 'Bearer later') setTimeout(go, 1, ALICE);
      else exchange.status(401, new ProtocolError(-32000, 'Who?'), 'www-authenticate: Bearer\r\n');
    },
    who: (_listener, principal) => (principal === 0 ? ALICE : undefined),
    allows,
    hides: true,
  });
  const refusal = { error: new ProtocolError(-32000, 'No'), status: 403, headers: 'www-authenticate: Bearer x\r\n' };
  const only: Guard['allows'] = (auth, method, name) =>
    method === 'tools/call' && name === 'closed' && auth?.clientId === 'alice' ? refusal : undefined;

  beforeEach(() => {
    for (const name of ['open', 'closed']) {
      offer.lists.tools.push(JSON.stringify({ name }));
      offer.add('tools/call', name, (_args, ctx: RequestContext) =>
        text(`${ctx.authInfo?.clientId} ${ctx.http?.authInfo?.clientId}`),
      );
    }
    start({ guard: guard(only), paths: new Map([['/meta', (exchange) => exchange.status(204, undefined)]]) });
  });
  const call = async (name: string, authorization?: string) => {
    const { body, headers } = modern('tools/call', { name });
    return recorder.answered(
      recorder.post(body, authorization === undefined ? headers : { ...headers, authorization }),
    );
  };

  it('is asked before anything else', async () => {
    const refused = await call('open');
    expect([refused.status, refused.headers, refused.json.code]).toEqual([401, 'www-authenticate: Bearer\r\n', -32000]);
    expect(recorder.ask('not json').status).toBe(401);
    expect((await call('open', 'Bearer alice')).json).toMatchObject(text('alice alice'));
    expect((await call('open', 'Bearer later')).json).toMatchObject(text('alice alice'));
  });

  it('is asked for every entry, on both ways', async () => {
    const reply = await call('closed', 'Bearer alice');
    expect([reply.status, reply.headers, reply.json.message]).toEqual([403, 'www-authenticate: Bearer x\r\n', 'No']);
    const { body, headers } = modern('tools/call', { name: 'closed' });
    expect(recorder.taken(recorder.call(1, 0, '', body, headers)).status).toBe(403);
    expect(recorder.taken(recorder.call(0, 0, '', body, headers)).json).toMatchObject(text('alice alice'));
    const { body: list, headers: more } = modern('tools/list');
    const shown = recorder.ask(list, { ...more, authorization: 'Bearer alice' });
    expect(shown.json.tools).toEqual([{ name: 'open' }]);
  });

  it('may take its time, and lets nobody through when it fails', async () => {
    let verdict: () => ReturnType<Guard['allows']> = () => undefined;
    start({ guard: guard(() => verdict()) });
    verdict = async () => undefined;
    expect((await call('open', 'Bearer alice')).status).toBe(200);
    verdict = async () => refusal;
    expect((await call('open', 'Bearer alice')).status).toBe(403);
    for (const fails of [() => Promise.reject(new Error('x')), () => JSON.parse('')]) {
      verdict = fails;
      expect((await call('open', 'Bearer alice')).json.code).toBe(-32603);
    }
  });

  it('stands before other paths too', () => {
    const target = { ':path': '/meta?x=1', authorization: 'Bearer alice' };
    const slot = recorder.arrive(undefined, {});
    recorder.head = () =>
      Object.entries(target)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('');
    recorder.receiver.message(recorder, slot, 'GET', '');
    expect(recorder.taken(slot).status).toBe(204);
    target.authorization = 'Bearer nobody';
    const other = recorder.arrive(undefined, {});
    recorder.receiver.message(recorder, other, 'GET', '');
    expect(recorder.taken(other).status).toBe(401);
  });
});
