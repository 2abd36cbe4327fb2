/** Asking a legacy client: by requests on the call's own stream, whether the handler awaits or returns its question. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import { createStateSealer } from '../../ts/protocol/modern/state-seal.js';
import { SdkError } from '../../ts/protocol/sdk/errors.js';
import { type Json, LEGACY_HEADERS, legacy, Recorder, type Run, TestOffer } from './recorder.js';

const FORM = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const } },
  required: ['name'],
};
const accept = (content: object) => ({ action: 'accept', content });
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

let offer: TestOffer;
let recorder: Recorder;
let headers: Record<string, string>;
beforeEach(() => {
  offer = new TestOffer();
  recorder = new Recorder(createDispatch(offer));
});

function shake(capabilities: object = { elicitation: {}, sampling: {}, roots: {} }): void {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'c', version: '1' } };
  const reply = recorder.ask(legacy('initialize', params), { accept: LEGACY_HEADERS.accept });
  headers = { ...LEGACY_HEADERS, 'mcp-session-id': /mcp-session-id: (\S+)/.exec(reply.headers)?.[1] ?? '' };
}

function call(run: Run): number {
  offer.add('tools/call', 'ask', run);
  return recorder.post(legacy('tools/call', { name: 'ask' }, 'call'), headers);
}

/** The `index`-th request that the server sent on the stream of a call. */
async function asked(slot: number, index = 0): Promise<Json> {
  for (let turn = 0; turn < 500; turn += 1) {
    const request = recorder.events.get(slot)?.filter((event) => event.id !== undefined)[index];
    if (request !== undefined) return request;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('nothing was asked');
}

const answer = (id: unknown, members: object) => recorder.ask({ jsonrpc: '2.0', id, ...members }, headers);

describe('a handler that asks', () => {
  beforeEach(() => shake());

  it('waits for the answer, and runs once', async () => {
    let runs = 0;
    const slot = call(async (_args, ctx: RequestContext) => {
      runs += 1;
      const { content } = await ctx.elicit({ message: 'Name?', requestedSchema: FORM });
      const { content: said } = await ctx.mcpReq.requestSampling({ messages: [], maxTokens: 1 });
      const { roots } = await ctx.listRoots();
      return text(`${content?.name} ${JSON.stringify(said)} ${roots.length}`);
    });
    const first = await asked(slot);
    expect(first).toMatchObject({ method: 'elicitation/create', params: { mode: 'form', requestedSchema: FORM } });
    expect(answer(first.id, { result: accept({ name: 'Ada' }) }).status).toBe(202);
    const second = await asked(slot, 1);
    answer(second.id, { result: { role: 'assistant', model: 'm', content: { type: 'text', text: 'hi' } } });
    answer((await asked(slot, 2)).id, { result: { roots: [] } });
    expect((await recorder.answered(slot)).json).toEqual(text('Ada {"type":"text","text":"hi"} 0'));
    expect(runs).toBe(1);
  });

  it('is told when the answer is none', async () => {
    const slot = call(async (_args, ctx: RequestContext) => {
      const problems: unknown[] = [];
      const note = (error: { code: unknown }) => problems.push(error.code);
      await ctx.elicit({ message: 'Name?', requestedSchema: FORM }).catch(note);
      await ctx.elicit({ message: 'Name?', requestedSchema: FORM }).catch(note);
      await ctx.elicit({ message: 'Name?', requestedSchema: FORM }).catch(note);
      await ctx.listRoots({ timeout: 1 }).catch(note);
      return text(problems.join());
    });
    answer((await asked(slot)).id, { error: { code: -32042, message: 'no' } });
    answer((await asked(slot, 1)).id, { result: {} });
    answer((await asked(slot, 2)).id, { result: accept({ name: 7 }) });
    expect((await recorder.answered(slot)).json).toEqual(text('-32042,-32600,-32602,REQUEST_TIMEOUT'));
  });

  it('names a URL question, as the revision wants it', async () => {
    const slot = call(async (_args, ctx: RequestContext) => {
      await ctx.elicit({ mode: 'url', message: 'Go', url: 'https://a.example' }).catch(() => {});
      return text('done');
    });
    // `elicitation: {}` means forms alone.
    expect((await recorder.answered(slot)).json).toEqual(text('done'));
    shake({ elicitation: { url: {} } });
    const second = recorder.post(legacy('tools/call', { name: 'ask' }), headers);
    const request = await asked(second);
    expect(request.params).toMatchObject({ mode: 'url', elicitationId: expect.stringMatching(/./) });
    answer(request.id, { result: { action: 'decline' } });
    await recorder.answered(second);
  });

  it('stops asking when the client leaves', async () => {
    let failed: (error: unknown) => void = () => {};
    const failure = new Promise((resolve) => {
      failed = resolve;
    });
    const slot = call(async (_args, ctx: RequestContext) => {
      await ctx.listRoots().catch(failed);
      return text('x');
    });
    await asked(slot);
    recorder.leave(slot);
    expect(await failure).toMatchObject({ name: 'AbortError' });
  });
});

it('cannot ask a client that did not say it can answer, or that has no session', async () => {
  shake({});
  const seen: unknown[] = [];
  const run: Run = async (_args, ctx: RequestContext) => {
    await ctx.listRoots().catch((error) => seen.push(error));
    return text('x');
  };
  await recorder.answered(call(run));
  await recorder.answered(recorder.post(legacy('tools/call', { name: 'ask' }), LEGACY_HEADERS));
  expect(seen.map((error) => [error instanceof SdkError, (error as SdkError).code])).toEqual([
    [true, 'CAPABILITY_NOT_SUPPORTED'],
    [true, 'CAPABILITY_NOT_SUPPORTED'],
  ]);
});

describe('a handler that returns its question', () => {
  const ask = { method: 'elicitation/create', params: { message: 'Name?', requestedSchema: FORM } };

  it('is run again with the answers, until it has a result', async () => {
    shake();
    const slot = call((_args, ctx: RequestContext) => {
      const { inputResponses, requestState } = ctx.mcpReq;
      const step = requestState<{ step: number }>()?.step ?? 0;
      if (step === 2) return text(JSON.stringify(inputResponses));
      const inputRequests = { [`q${step}`]: ask };
      return { resultType: 'input_required', inputRequests, requestState: { step: step + 1 } };
    });
    answer((await asked(slot)).id, { result: accept({ name: 'a' }) });
    answer((await asked(slot, 1)).id, { result: accept({ name: 'b' }) });
    expect((await recorder.answered(slot)).json).toEqual(text(JSON.stringify({ q1: accept({ name: 'b' }) })));
  });

  it('has its state verified, and gives up after so many rounds', async () => {
    shake();
    const seen: string[] = [];
    offer.inputRequired = { maxRounds: 2 };
    offer.state = createStateSealer({
      verify: (state) => {
        seen.push(state);
      },
    });
    const slot = call(() => ({ resultType: 'input_required', requestState: 'again' }));
    const reply = await recorder.answered(slot);
    expect(reply.json).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('2 rounds') }] });
    expect(seen).toEqual(['again', 'again']);
  });

  it('fails as its kind fails', async () => {
    shake({});
    const result = { resultType: 'input_required', inputRequests: { q: ask } };
    expect((await recorder.answered(call(() => result))).json).toMatchObject({ isError: true });
    offer.add('prompts/get', 'p', () => result);
    const prompt = recorder.post(legacy('prompts/get', { name: 'p' }), headers);
    expect((await recorder.answered(prompt)).json.code).toBe(-32603);
    offer.inputRequired = { legacyShim: false };
    const none = recorder.post(legacy('tools/call', { name: 'ask' }), headers);
    expect((await recorder.answered(none)).json.code).toBe(-32603);
  });
});
