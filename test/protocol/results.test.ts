/** Encoding of results and errors: the splice against an object merge, and what cannot be encoded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import { wrapResult } from '../../ts/protocol/legacy/wrap.js';
import { ResultEncoder } from '../../ts/protocol/results.js';
import { CallFlag, type Json, modern, Recorder, type Reply, SERVER_INFO, Shape, TestOffer } from './recorder.js';

const info = { name: 'n"\\', version: '1', title: 'ü' };
const encoder = new ResultEncoder(info);
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

/** What a modern result must be, said with objects. */
function merged(result: Json, hint?: object) {
  const own = plain(result);
  const resultType = typeof own.resultType === 'string' ? own.resultType : 'complete';
  const meta = typeof own._meta === 'object' && own._meta !== null ? own._meta : {};
  const fresh = hint !== undefined && resultType === 'complete' ? hint : {};
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null || hint === undefined));
  return plain({ ...own, ...fresh, ...set, resultType, _meta: { [SERVER_INFO]: info, ...meta } });
}

const member = fc.oneof(
  fc.constantFrom('content', '_meta', 'resultType', 'isError', 'structuredContent', '__proto__'),
  fc.string(),
);
const results = fc.dictionary(member, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

describe('the splice', () => {
  it('equals the object merge for any result', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(JSON.parse(encoder.encode(result, false, undefined))).toEqual(merged(result));
        expect(JSON.parse(encoder.encode(result, true, undefined))).toEqual(wrapResult(plain(result)));
      }),
      { numRuns: 200 },
    );
  });

  it('equals the object merge for any text block, template or not', () => {
    const block = fc.record(
      {
        type: fc.constantFrom('text', 'image'),
        text: fc.oneof(fc.string({ unit: 'binary' }), fc.constant(undefined), fc.integer()),
        extra: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(block, { maxLength: 2 }), fc.boolean(), (content, failed) => {
        const result = failed ? { content, isError: true } : { content };
        expect(JSON.parse(encoder.encode(result, false, undefined))).toEqual(merged(result));
        expect(JSON.parse(encoder.encode(result, true, undefined))).toEqual(plain(result));
      }),
      { numRuns: 200 },
    );
  });

  it('adds freshness that the result does not say itself', () => {
    const hint = { ttlMs: 9, cacheScope: 'public' as const };
    for (const result of [
      { contents: [] },
      { contents: [], ttlMs: 1 },
      { contents: [], cacheScope: 'private' },
      { contents: [], _meta: { a: 1 } },
      { resultType: 'input_required' },
      {},
    ]) {
      expect(JSON.parse(encoder.encode(result, false, hint))).toEqual(merged(result, hint));
    }
  });

  it('keeps what the handler says: its result type and its own serverInfo', () => {
    const result = { resultType: 'task', taskId: 't', _meta: { [SERVER_INFO]: { name: 'upstream', version: '2' } } };
    expect(JSON.parse(encoder.encode(result, false, undefined))).toEqual(result);
  });

  it('shows what JSON.stringify shows: no member that does not enumerate', () => {
    const hidden = { content: [{ type: 'text', text: 'x', extra: 1 }] };
    Object.defineProperty(hidden, 'content', { enumerable: false });
    expect(JSON.parse(encoder.encode(hidden, true, undefined))).toEqual({});
  });

  it('asks toJSON first, as JSON.stringify would', () => {
    const shown = { toJSON: () => ({ content: [], _meta: { a: 1 } }), content: [{ type: 'text', text: 'hidden' }] };
    expect(JSON.parse(encoder.encode(shown, false, undefined))).toEqual(merged({ content: [], _meta: { a: 1 } }));
    const block = { type: 'text', text: 'hidden', toJSON: () => ({ type: 'text', text: 'shown' }) };
    expect(JSON.parse(encoder.encode({ content: [block] }, true, undefined))).toEqual({
      content: [{ type: 'text', text: 'shown' }],
    });
  });
});

describe('what cannot be encoded', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const secret = {
    get content() {
      throw new Error('at /home/secret');
    },
  };
  const rows: [string, unknown, RegExp][] = [
    ['a BigInt', { content: [], n: 1n }, /BigInt/],
    ['a cycle', cycle, /cycle/],
    ['undefined', undefined, /undefined/],
    ['null', null, /null/],
    ['a string', 'text', /string/],
    ['an array', [1], /array/],
    ['toJSON that gives a number', { toJSON: () => 7 }, /number/],
    ['a getter that throws', secret, /reading it threw/],
  ];
  it.each(rows)('%s is -32603 with a clear message, sync and async', async (_, value, message) => {
    const offer = new TestOffer();
    const recorder = new Recorder(createDispatch(offer));
    const { body, headers } = modern('tools/call', { name: 'x' });
    for (const run of [() => value, async () => value]) {
      const number = offer.add('tools/call', `x${offer.handlers.length}`, run);
      const reply = await recorder.answered(recorder.call(number, 0, '', body, headers));
      expect([reply.status, reply.shape, reply.json.code]).toEqual([200, Shape.error, -32603]);
      expect(reply.json.message).toMatch(message);
      expect(reply.text).not.toMatch(/secret|\n|-->/);
    }
  });
});

describe('what handlers throw', () => {
  const offer = new TestOffer();
  const recorder = new Recorder(createDispatch(offer));
  const thrown = async (error: unknown) => {
    const { body, headers } = modern('tools/call', { name: 'x' });
    const replies = [];
    for (const run of [
      () => {
        throw error;
      },
      async () => {
        throw error;
      },
      // biome-ignore lint/suspicious/noThenProperty: a foreign thenable is the point
      () => ({ then: (_: unknown, fail: (e: unknown) => void) => fail(error) }),
    ]) {
      const number = offer.add('tools/call', `x${offer.handlers.length}`, run);
      replies.push(await recorder.answered(recorder.call(number, CallFlag.stream, '', body, headers)));
    }
    expect(replies[1]).toEqual(replies[0]);
    expect(replies[2]).toEqual(replies[0]);
    return replies[0] as Reply;
  };

  it('a protocol error keeps code, message and data', async () => {
    expect((await thrown(new ProtocolError(-32099, 'mine', { a: [1] }))).json).toEqual({
      code: -32099,
      message: 'mine',
      data: { a: [1] },
    });
    expect((await thrown(new ProtocolError(4711, 'app'))).json).toEqual({ code: 4711, message: 'app' });
  });
  it('data that cannot be encoded does not hide the error', async () => {
    expect((await thrown(new ProtocolError(1, 'm', 1n))).json).toEqual({ code: 1, message: 'm' });
    expect((await thrown(new ProtocolError(1.5, 'm'))).json).toEqual({ code: -32603, message: 'm' });
  });
  it('anything else tells nothing', async () => {
    for (const error of [new Error('password=1'), 'text', undefined, null, { code: -32001, message: 'fake' }]) {
      expect((await thrown(error)).json).toEqual({ code: -32603, message: 'Internal error' });
    }
  });
  it('isError is counted as a failure of the tool', () => {
    const number = offer.add('tools/call', 'bad', () => ({ content: [], isError: true }));
    const { body, headers } = modern('tools/call', { name: 'bad' });
    expect(recorder.taken(recorder.call(number, 0, '', body, headers))).toMatchObject({
      failed: 1,
      status: 200,
      shape: Shape.result,
    });
  });
  it('arguments that are no JSON (an engine that proved nothing) harm nobody', () => {
    const number = offer.add('tools/call', 'any', () => ({ content: [] }));
    const { body, headers } = modern('tools/call', { name: 'any' });
    expect(recorder.taken(recorder.call(number, 0, '{', body, headers)).json.code).toBe(-32603);
  });
});
