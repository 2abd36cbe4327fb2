/** Multi-round-trip requests: `ctx.elicit` and its like, handlers that return the question, the sealed state between rounds. */
import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { InputRequiredSignal } from '../../ts/protocol/modern/rounds.js';
import { createStateSealer } from '../../ts/protocol/modern/state-seal.js';
import { CallFlag, type Json, modern, Recorder, type Reply, type Run, TestOffer } from './recorder.js';

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const FORM = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const } },
  required: ['name'],
};
const accept = (content: object) => ({ action: 'accept', content });
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;
beforeEach(() => {
  offer = new TestOffer();
  dispatch = createDispatch(offer);
  recorder = new Recorder(dispatch);
});

const tool = (run: Run): number => offer.add('tools/call', 'ask', run);

interface Round {
  responses?: Json;
  state?: Json;
  capabilities?: object;
  args?: object;
  name?: string;
}

/** One round through the slow path. */
function round({ responses, state, capabilities = ALL, args = {}, name = 'ask' }: Round = {}): Promise<Reply> {
  const params: Record<string, unknown> = { name, arguments: args };
  if (responses !== undefined) params.inputResponses = responses;
  if (state !== undefined) params.requestState = state;
  const { body, headers } = modern('tools/call', params, { [CAPABILITIES]: capabilities });
  return recorder.answered(recorder.post(body, headers));
}

describe('a handler that asks', () => {
  it('ends the round with the question, and is run again with the answer', async () => {
    const runs: string[] = [];
    tool(async (_args, ctx: RequestContext) => {
      runs.push('start');
      const answer = await ctx.elicit({ message: 'Your name?', requestedSchema: FORM });
      runs.push('answered');
      return text(`Hello, ${answer.content?.name}!`);
    });
    const first = await round();
    expect(first.json).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        'ask-1': {
          method: 'elicitation/create',
          params: { mode: 'form', message: 'Your name?', requestedSchema: FORM },
        },
      },
    });
    // Nothing was answered or done before: there is nothing to carry.
    expect(first.json).not.toHaveProperty('requestState');
    const second = await round({ responses: { 'ask-1': accept({ name: 'Ada' }) } });
    expect(second.json).toMatchObject({ resultType: 'complete', ...text('Hello, Ada!') });
    expect(runs).toEqual(['start', 'start', 'answered']);
  });

  it('asks the same way when the engine made the call', async () => {
    const handler = tool(async (_args, ctx: RequestContext) => {
      await ctx.sample({ messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 5 });
      return text('done');
    });
    const { body, headers } = modern('tools/call', { name: 'ask' }, { [CAPABILITIES]: ALL });
    const reply = await recorder.answered(recorder.call(handler, CallFlag.stream, '', body, headers));
    expect(reply.json.inputRequests['ask-1'].method).toBe('sampling/createMessage');
  });

  it('collects what is asked before the event loop turns, and carries what was answered', async () => {
    tool(async (_args, ctx: RequestContext) => {
      const [name, roots] = await Promise.all([
        ctx.elicit({ message: 'Name?', requestedSchema: FORM }, { key: 'who' }),
        Promise.resolve().then(() => ctx.listRoots()),
      ]);
      const more = await ctx.elicit({ message: 'More?', requestedSchema: FORM });
      return text(`${name.content?.name} ${roots.roots[0]?.uri} ${more.content?.name}`);
    });
    const first = await round();
    expect(Object.keys(first.json.inputRequests)).toEqual(['who', 'ask-2']);
    expect(first.json.inputRequests['ask-2']).toEqual({ method: 'roots/list' });
    const second = await round({
      responses: { who: accept({ name: 'Ada' }), 'ask-2': { roots: [{ uri: 'file:///a' }] } },
    });
    expect(Object.keys(second.json.inputRequests)).toEqual(['ask-3']);
    const third = await round({ responses: { 'ask-3': accept({ name: 'yes' }) }, state: second.json.requestState });
    expect(third.json).toMatchObject(text('Ada file:///a yes'));
  });

  it('asks again for what is missing or does not fit', async () => {
    tool(async (_args, ctx: RequestContext) => {
      const answer = await ctx.elicit({ message: 'Name?', requestedSchema: FORM }, { key: 'name' });
      return text(answer.action);
    });
    for (const responses of [
      {},
      { other: accept({ name: 'x' }) },
      { name: 7 },
      { name: null },
      { name: { method: 'elicitation/create', result: accept({ name: 'x' }) } },
      { name: { action: 'maybe' } },
      { name: accept({}) },
      { name: accept({ name: 7 }) },
      { name: { roots: [] } },
    ]) {
      const reply = await round({ responses });
      expect(reply.json.resultType, JSON.stringify(responses)).toBe('input_required');
    }
    const unknown = { stranger: accept({}), name: { action: 'decline' } };
    expect((await round({ responses: unknown })).json).toMatchObject(text('decline'));
  });

  it('takes a schema for the form, and gives what it makes of the answer', async () => {
    const schema = z.object({ age: z.number().int().min(18), plan: z.enum(['free', 'pro']).default('free') });
    tool(async (_args, ctx: RequestContext) => {
      const answer = await ctx.elicit({ message: 'You?', requestedSchema: schema });
      return text(JSON.stringify(answer.content));
    });
    const first = await round();
    expect(first.json.inputRequests['ask-1'].params.requestedSchema).toMatchObject({
      type: 'object',
      properties: { age: { type: 'integer', minimum: 18 }, plan: { enum: ['free', 'pro'] } },
    });
    expect((await round({ responses: { 'ask-1': accept({ age: 7 }) } })).json.resultType).toBe('input_required');
    const done = await round({ responses: { 'ask-1': accept({ age: 20 }) } });
    expect(done.json).toMatchObject(text('{"age":20,"plan":"free"}'));
  });

  it('stops its handler with a signal that lets finally blocks run', async () => {
    const seen: unknown[] = [];
    const stopped = new Promise<void>((resolve) => {
      tool(async (_args, ctx: RequestContext) => {
        ctx.signal.addEventListener('abort', () => seen.push('aborted'));
        try {
          await ctx.elicit({ message: 'Name?', requestedSchema: FORM });
        } catch (error) {
          seen.push(error instanceof InputRequiredSignal);
        } finally {
          seen.push('finally');
          // Whatever it does now is nobody's business any more.
          await expect(ctx.listRoots()).rejects.toBeInstanceOf(InputRequiredSignal);
          ctx.progress(1);
          resolve();
        }
        return text('never seen');
      });
    });
    expect((await round()).json.resultType).toBe('input_required');
    await stopped;
    expect(seen).toEqual(['aborted', true, 'finally']);
    expect([recorder.stale, dispatch.pending(recorder)]).toEqual([0, 0]);
  });

  it('runs a step once', async () => {
    let made = 0;
    tool(async (_args, ctx: RequestContext) => {
      const made1 = await ctx.once('make', async () => {
        made += 1;
        return { id: made, at: new Date(0) };
      });
      await ctx.elicit({ message: 'Sure?', requestedSchema: FORM });
      return text(JSON.stringify(made1));
    });
    const first = await round();
    expect(first.json.requestState).toEqual(expect.any(String));
    expect(first.json.requestState).not.toContain('1970');
    const responses = { 'ask-1': accept({ name: 'yes' }) };
    const done = await round({ responses, state: first.json.requestState });
    expect(done.json).toMatchObject(text('{"id":1,"at":"1970-01-01T00:00:00.000Z"}'));
    expect(made).toBe(1);
  });

  it('waits for steps that run beside a question', async () => {
    let runs = 0;
    tool(async (_args, ctx: RequestContext) => {
      const step = ctx.once('slow', () => new Promise((resolve) => setTimeout(resolve, 20, ++runs)));
      const [value] = await Promise.all([step, ctx.elicit({ message: 'Sure?', requestedSchema: FORM })]);
      return text(String(value));
    });
    const first = await round();
    const done = await round({ responses: { 'ask-1': accept({ name: 'y' }) }, state: first.json.requestState });
    expect(done.json).toMatchObject(text('1'));
    expect(runs).toBe(1);
  });

  it('may answer without waiting for what it asked', async () => {
    tool((_args, ctx: RequestContext) => {
      void ctx.listRoots();
      return text('done');
    });
    expect((await round()).json).toMatchObject(text('done'));
    // The round that nobody waits for ends in silence.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(recorder.stale).toBe(0);
  });

  it('may not ask for what the client cannot do', async () => {
    tool((_args, ctx: RequestContext) => ctx.elicit({ mode: 'url', message: 'Go', url: 'https://a.example' }));
    const reply = await round({ capabilities: { elicitation: {} } });
    expect([reply.status, reply.json.code, reply.json.data]).toEqual([
      400,
      -32021,
      { requiredCapabilities: { elicitation: { url: {} } } },
    ]);
  });

  it('names a URL question in no way that the revision does not have', async () => {
    tool((_args, ctx: RequestContext) =>
      ctx.elicit({ mode: 'url', message: 'Go', url: 'https://a.example', elicitationId: 'x' }),
    );
    expect((await round()).json.inputRequests['ask-1'].params).toEqual({
      mode: 'url',
      message: 'Go',
      url: 'https://a.example',
    });
  });

  it('is told of questions that are none, and of keys that stand twice', async () => {
    const problems: unknown[] = [];
    const note = (error: Error) => problems.push(error.message);
    tool(async (_args, ctx: RequestContext) => {
      await ctx.elicit({ message: 'x', requestedSchema: { type: 'array' } } as never).catch(note);
      await ctx.sample({} as never).catch(note);
      void ctx.listRoots({ key: 'a' }).catch(() => {});
      await ctx.listRoots({ key: 'a' }).catch(note);
      return text('done');
    });
    expect((await round()).json).toMatchObject(text('done'));
    expect(problems).toHaveLength(3);
    expect(problems[2]).toContain('"a"');
  });
});

describe('a handler that returns its question', () => {
  const ask = { method: 'elicitation/create', params: { message: 'Name?', requestedSchema: FORM } };
  const inputRequired = (members: object) => ({ resultType: 'input_required', ...members });

  it('reads the answers and its own state on the retry', async () => {
    tool((_args, ctx: RequestContext) => {
      const state = ctx.mcpReq.requestState<{ step: number }>();
      if (state === undefined) {
        return inputRequired({ inputRequests: { user_name: ask }, requestState: { step: 1 } });
      }
      return text(JSON.stringify([state, ctx.mcpReq.inputResponses, ctx.mcpReq.droppedInputResponseKeys]));
    });
    const first = await round();
    expect(first.json.inputRequests.user_name).toMatchObject(ask);
    expect(first.json._meta).toHaveProperty('io.modelcontextprotocol/serverInfo');
    const responses = { user_name: accept({ name: 'Ada' }), bad: 7 };
    const done = await round({ responses, state: first.json.requestState });
    expect(JSON.parse(done.json.content[0].text)).toEqual([
      { step: 1 },
      { user_name: accept({ name: 'Ada' }) },
      ['bad'],
    ]);
  });

  it('may keep a string, sealed as well', async () => {
    tool((_args, ctx: RequestContext) => {
      const state = ctx.mcpReq.requestState<string>();
      return state === undefined ? inputRequired({ requestState: 'plain' }) : text(state);
    });
    const first = await round();
    expect(first.json.requestState).not.toContain('plain');
    expect((await round({ state: first.json.requestState })).json).toMatchObject(text('plain'));
  });

  it('verifies its own state when the server says how', async () => {
    const seen: unknown[] = [];
    offer.state = createStateSealer({
      verify: async (state, context) => {
        seen.push(context.name);
        if (!state.startsWith('mine:')) throw new Error('mac');
        return { held: state.slice(5) };
      },
    });
    tool((_args, ctx: RequestContext) => {
      const state = ctx.mcpReq.requestState<{ held: string }>();
      return state === undefined ? inputRequired({ requestState: 'mine:7' }) : text(state.held);
    });
    // Sent as it is: whoever verifies it made it.
    expect((await round()).json.requestState).toBe('mine:7');
    expect((await round({ state: 'mine:7' })).json).toMatchObject(text('7'));
    const refused = await round({ state: 'other' });
    expect(refused.json).toEqual({
      code: -32602,
      message: 'Invalid or expired requestState',
      data: { reason: 'invalid_request_state' },
    });
    expect(seen).toEqual(['ask', 'ask']);
  });

  it('is held to the rules', async () => {
    const results: [object, number][] = [
      [{}, -32603],
      [{ inputRequests: {} }, -32603],
      [{ inputRequests: [] }, -32603],
      [{ inputRequests: { a: { method: 'tools/call' } } }, -32603],
      [{ inputRequests: { a: 7 } }, -32603],
      [{ inputRequests: { a: { method: 'elicitation/create' } } }, -32603],
      [{ inputRequests: { a: { method: 'sampling/createMessage', params: { messages: [], tools: [] } } } }, -32021],
    ];
    let result: object = {};
    tool(() => inputRequired(result));
    for (const [members, code] of results) {
      result = members;
      expect((await round()).json.code, JSON.stringify(members)).toBe(code);
    }
    offer.methods.set('custom/thing', { run: () => inputRequired({ requestState: 'x' }) });
    const { body, headers } = modern('custom/thing');
    expect((await recorder.answered(recorder.post(body, headers))).json.code).toBe(-32603);
  });
});

describe('what a retry brings', () => {
  it('is refused when it is no object, or no string', async () => {
    tool(() => text('ran'));
    for (const bad of [{ responses: null }, { responses: [] }, { responses: 'x' }, { state: 7 }, { state: {} }]) {
      const reply = await round(bad);
      expect([reply.status, reply.json.code]).toEqual([400, -32602]);
    }
  });

  it('has a state that belongs to its request, its arguments and its time', async () => {
    const sealer = createStateSealer({ ttl: 60_000 });
    offer.state = sealer;
    const run: Run = (_args, ctx: RequestContext) =>
      ctx.mcpReq.requestState() === undefined
        ? { resultType: 'input_required', requestState: 'state' }
        : text('opened');
    tool(run);
    offer.add('tools/call', 'other', run);
    const args = { b: [1, { d: 1, c: 2 }], a: 'x' };
    const state = (await round({ args })).json.requestState as string;
    const reordered = { a: 'x', b: [1, { c: 2, d: 1 }] };
    expect((await round({ args: reordered, state })).json).toMatchObject(text('opened'));
    const flipped = `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`;
    for (const bad of [
      { args, state: `${state}-TAMPERED` },
      { args, state: flipped },
      { args, state: state.slice(0, 40) },
      { args, state: '' },
      { args, state: `${state} ` },
      { args: { ...args, a: 'y' }, state },
      { args, state, name: 'other' },
    ]) {
      const reply = await round(bad);
      expect([reply.status, reply.json.code, reply.json.message]).toEqual([
        400,
        -32602,
        'Invalid or expired requestState',
      ]);
    }
    offer.state = createStateSealer({ ttl: 1 });
    const old = (await round({ args })).json.requestState;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await round({ args, state: old })).json.code).toBe(-32602);
  });
});
