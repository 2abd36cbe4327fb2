/** `Mcp-Param-*` headers against the arguments that they mirror. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import type { MirroredParam } from '../../ts/server/offer.js';
import { LEGACY_HEADERS, legacy, modern, Recorder, TestOffer } from './recorder.js';

const PARAMS: MirroredParam[] = [
  { header: 'Region', path: ['region'], type: 'string' },
  { header: 'Count', path: ['deep', 'count'], type: 'integer' },
  { header: 'Dry', path: ['dry'], type: 'boolean' },
];
class Offer extends TestOffer {
  override mirrored = (tool?: string): never => (tool === 'sql' ? PARAMS : undefined) as never;
}

let recorder: Recorder;
beforeEach(() => {
  const offer = new Offer();
  offer.add('tools/call', 'sql', () => ({ content: [] }));
  offer.add('tools/call', 'plain', () => ({ content: [] }));
  recorder = new Recorder(createDispatch(offer));
});

function call(args: object, params: Record<string, string>, name = 'sql') {
  const { body, headers } = modern('tools/call', { name, arguments: args });
  const mirrored = Object.fromEntries(Object.entries(params).map(([key, value]) => [`mcp-param-${key}`, value]));
  return recorder.ask(body, { ...headers, ...mirrored });
}

describe('accepted', () => {
  it.each([
    ['the same text', { region: 'us-west1' }, { region: 'us-west1' }],
    ['blanks around it', { region: 'a b' }, { region: '  a b ' }],
    ['base64', { region: 'Hello' }, { region: '=?base64?SGVsbG8=?=' }],
    ['text that only looks like base64', { region: 'SGVsbG8=' }, { region: 'SGVsbG8=' }],
    ['half a base64 form', { region: '=?base64?SGVsbG8=' }, { region: '=?base64?SGVsbG8=' }],
    ['beyond ASCII', { region: 'zwölf' }, { region: `=?base64?${Buffer.from('zwölf').toString('base64')}?=` }],
    ['an empty text', { region: '' }, { region: '' }],
    ['numbers and booleans', { deep: { count: -7 }, dry: false }, { count: '-7', dry: 'false' }],
    ['a number in another spelling', { deep: { count: 42 } }, { count: '42.0' }],
    ['null', { region: null }, {}],
    ['nothing at all', {}, {}],
    ['a header that mirrors nothing', { region: 'x' }, { region: 'x', other: 'y' }],
  ])('%s', (_what, args, params) => {
    expect(call(args, params as Record<string, string>).status).toBe(200);
  });

  it('for tools that mirror nothing, and for legacy clients', () => {
    expect(call({ region: 'x' }, {}, 'plain').status).toBe(200);
    const request = legacy('tools/call', { name: 'sql', arguments: { region: 'x' } });
    expect(recorder.ask(request, LEGACY_HEADERS).json).toEqual({ content: [] });
  });
});

describe('refused', () => {
  it.each([
    ['absent', { region: 'test-value' }, {}],
    ['different', { region: 'a' }, { region: 'b' }],
    ['another case', { region: 'a' }, { region: 'A' }],
    ['bad padding', { region: 'Hello' }, { region: '=?base64?SGVsbG8?=' }],
    ['a bad alphabet', { region: 'Hello' }, { region: '=?base64?SGVs!!!bG8=?=' }],
    ['raw UTF-8', { region: 'zwölf' }, { region: 'zwölf' }],
    ['without a body value', {}, { region: 'a' }],
    ['for null', { region: null }, { region: 'null' }],
    ['no number', { deep: { count: 1 } }, { count: '0x1' }],
    ['another number', { deep: { count: 1 } }, { count: '2' }],
    ['another spelling of a boolean', { dry: true }, { dry: 'True' }],
    ['what a prototype has', { deep: JSON.parse('{"__proto__":{"count":1}}') }, { count: '1' }],
  ])('%s', (_what, args, params) => {
    const reply = call(args, params as Record<string, string>);
    expect([reply.status, reply.json.code]).toEqual([400, -32020]);
  });
});
