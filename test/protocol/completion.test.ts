/** `completion/complete` in both eras: params checked, values bounded; and `Mcp-Param-*` against the arguments. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import type { Completion, Offer as ServerOffer } from '../../ts/server/offer.js';
import { type Json, LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

class Offer extends TestOffer {
  asked: Parameters<ServerOffer['complete']>[] = [];
  completion: Completion = { values: ['a'] };
  override async complete(...given: Parameters<ServerOffer['complete']> | []): Promise<Completion> {
    this.asked.push(given as Parameters<ServerOffer['complete']>);
    if ((given[0] as { name?: string }).name === 'nobody') throw new ProtocolError(-32602, 'Unknown prompt: nobody');
    return this.completion;
  }
}

let offer: Offer;
let recorder: Recorder;
beforeEach(() => {
  offer = new Offer();
  offer.declared = { completions: {} };
  recorder = new Recorder(createDispatch(offer));
});

const REF = { type: 'ref/prompt', name: 'p' };
const ARGUMENT = { name: 'city', value: 'Be' };

async function complete(params: Json, era: 'modern' | 'legacy' = 'modern') {
  const { body, headers } = modern('completion/complete', params);
  // `params.name` is no name of a completion.
  if (era === 'modern') return recorder.answered(recorder.post(body, headers));
  return recorder.answered(recorder.post(legacy('completion/complete', params), LEGACY_HEADERS));
}

describe('completion', () => {
  it('asks the offer and gives the values', async () => {
    offer.completion = { values: ['Berlin', 'Bern'], total: 9, hasMore: true };
    const context = { arguments: { country: 'x' } };
    const reply = await complete({ ref: REF, argument: ARGUMENT, context });
    expect(reply.json).toMatchObject({ resultType: 'complete', completion: offer.completion });
    expect(offer.asked[0]?.slice(0, 3)).toEqual([REF, ARGUMENT, { country: 'x' }]);
    const old = await complete({ ref: { type: 'ref/resource', uri: 'a:{b}' }, argument: ARGUMENT }, 'legacy');
    expect(old.json).toEqual({ completion: offer.completion });
    expect(offer.asked[1]?.slice(0, 3)).toEqual([{ type: 'ref/resource', uri: 'a:{b}' }, ARGUMENT, undefined]);
  });

  it('gives a hundred at most', async () => {
    offer.completion = { values: Array.from({ length: 150 }, (_, index) => `v${index}`) };
    const { completion } = (await complete({ ref: REF, argument: ARGUMENT })).json;
    expect([completion.values.length, completion.total, completion.hasMore]).toEqual([100, 150, true]);
  });

  it.each([
    ['no ref', { argument: ARGUMENT }],
    ['another ref', { ref: { type: 'ref/tool', name: 'x' }, argument: ARGUMENT }],
    ['a ref without a name', { ref: { type: 'ref/prompt', uri: 'x' }, argument: ARGUMENT }],
    ['no argument', { ref: REF }],
    ['a value that is no string', { ref: REF, argument: { name: 'a', value: 1 } }],
    ['a context that is none', { ref: REF, argument: ARGUMENT, context: [] }],
    ['known arguments that are no strings', { ref: REF, argument: ARGUMENT, context: { arguments: { a: 1 } } }],
    ['a name that nobody knows', { ref: { type: 'ref/prompt', name: 'nobody' }, argument: ARGUMENT }],
  ])('refuses %s', async (_what, params) => {
    expect((await complete(params)).json.code).toBe(-32602);
  });

  it('is unknown without the capability', async () => {
    offer.declared = {};
    const reply = await complete({ ref: REF, argument: ARGUMENT });
    expect([reply.status, reply.json.code]).toEqual([404, -32601]);
  });
});
