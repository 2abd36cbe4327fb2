/** Ready answers, pages, headers and the tables: the parts without a conversation. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import { ScanRefusal } from '../../ts/engine/engine.js';
import { refusalError } from '../../ts/engine/js/codec/errors.js';
import { discoverAnswer, hintMembers, initializeAnswer, listAnswer } from '../../ts/protocol/answers.js';
import type { RequestContext } from '../../ts/protocol/context.js';
import * as errors from '../../ts/protocol/errors.js';
import {
  acceptsJson,
  acceptsStream,
  decodeMirrored,
  encodeMirrored,
  headerValue,
  toHeaders,
} from '../../ts/protocol/headers.js';
import { claimsModern, negotiate } from '../../ts/protocol/revisions.js';
import { LEGACY_HEADERS, legacy, modern, Recorder, SERVER_INFO, TestOffer } from './recorder.js';

const info = { name: 'test', version: '1.2.3' };

describe('answers', () => {
  it('lists, per era', () => {
    const items = ['{"name":"a"}', '{"name":"b"}'];
    expect(JSON.parse(listAnswer('modern', 'tools', items, { ttlMs: 3, cacheScope: 'public' }, info, 'c"'))).toEqual({
      tools: [{ name: 'a' }, { name: 'b' }],
      nextCursor: 'c"',
      ttlMs: 3,
      cacheScope: 'public',
      resultType: 'complete',
      _meta: { [SERVER_INFO]: info },
    });
    expect(listAnswer('legacy', 'resourceTemplates', [], {}, info)).toBe('{"resourceTemplates":[]}');
    expect(JSON.parse(discoverAnswer(info, { tools: {} }, undefined, {}))).not.toHaveProperty('instructions');
  });
  it('freshness is always a whole number of milliseconds and a known scope', () => {
    expect(hintMembers({})).toBe('"ttlMs":0,"cacheScope":"private"');
    for (const ttlMs of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(hintMembers({ ttlMs })).toContain('"ttlMs":0,');
    expect(hintMembers({ ttlMs: 1.9, cacheScope: 'x' as 'public' })).toBe('"ttlMs":1,"cacheScope":"private"');
  });
  it('an old client is shown the identity that its revision knows', () => {
    const long = { ...info, title: 'T' };
    expect(JSON.parse(initializeAnswer('2025-03-26', long, {}, undefined)).serverInfo).toEqual(info);
    expect(JSON.parse(initializeAnswer('2025-06-18', long, {}, undefined)).serverInfo).toEqual(long);
  });
  it('have one line', () => {
    expect(listAnswer('modern', 'tools', ['{}'], {}, info) + discoverAnswer(info, {}, 'a\nb', {})).not.toContain('\n');
  });
});

describe('pages', () => {
  const offer = new TestOffer();
  offer.lists.tools = Array.from({ length: 7 }, (_, n) => `{"name":"t${n}"}`);
  offer.lists.prompts = ['{"name":"p0"}', '{"name":"p1"}'];
  const recorder = new Recorder(createDispatch(offer));
  const ask = (era: 'modern' | 'legacy', method: string, cursor?: unknown) => {
    const params = cursor === undefined ? {} : { cursor };
    const request = modern(method, params);
    return era === 'modern'
      ? recorder.ask(request.body, request.headers)
      : recorder.ask(legacy(method, params), LEGACY_HEADERS);
  };

  it.each([1, 2, 3, 6, 7, 8])('of %i walk the whole list in order, in both eras', (pageSize) => {
    offer.pageSize = pageSize;
    for (const era of ['modern', 'legacy'] as const) {
      const names: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const { json } = ask(era, 'tools/list', cursor);
        expect(json.tools.length).toBeLessThanOrEqual(pageSize);
        names.push(...json.tools.map((tool: { name: string }) => tool.name));
        cursor = json.nextCursor;
        pages += 1;
      } while (cursor !== undefined);
      expect([names, pages]).toEqual([['t0', 't1', 't2', 't3', 't4', 't5', 't6'], Math.ceil(7 / pageSize)]);
    }
  });

  it('refuse cursors that were not given out for this list', () => {
    offer.pageSize = 1;
    const foreign = ask('modern', 'prompts/list').json.nextCursor;
    const own = ask('modern', 'tools/list').json.nextCursor;
    for (const cursor of [
      '',
      'x',
      foreign,
      `${own}=`,
      Buffer.from('tools:-1').toString('base64url'),
      Buffer.from('tools:1e3').toString('base64url'),
      'A'.repeat(1e5),
    ]) {
      expect(ask('modern', 'tools/list', cursor).json).toEqual({ code: -32602, message: 'Invalid cursor' });
    }
    offer.pageSize = undefined;
    expect(ask('legacy', 'tools/list', own).json.code).toBe(-32602);
    expect(ask('legacy', 'tools/list').json.tools).toHaveLength(7);
  });

  it('a list that became shorter ends the walk', () => {
    offer.pageSize = 3;
    const cursor = ask('modern', 'tools/list', ask('modern', 'tools/list').json.nextCursor).json.nextCursor;
    offer.lists.tools.length = 2;
    const { json } = ask('modern', 'tools/list', cursor);
    expect([json.tools, json.nextCursor]).toEqual([[], undefined]);
  });
});

describe('lists that depend on the request', () => {
  it('are made per request, in both eras, by page, and may fail', async () => {
    const offer = Object.assign(new TestOffer(), {
      dynamic: (kind: string) => kind === 'resources',
      dynamicItems: async (_: string, context: RequestContext) => {
        if (context.http?.headers.get('x-who') === 'nobody') throw new Error('no list for nobody');
        return [`{"name":"of ${context.http?.headers.get('x-who')}"}`];
      },
    });
    offer.lists.resources = ['{"name":"fixed"}'];
    const recorder = new Recorder(createDispatch(offer));
    const { body, headers } = modern('resources/list');
    const ask = async (who: string) =>
      (await recorder.answered(recorder.post(body, { ...headers, 'x-who': who }))).json;
    const [a, b] = await Promise.all([ask('a'), ask('b')]);
    const rest = { ttlMs: 0, cacheScope: 'private', resultType: 'complete', _meta: { [SERVER_INFO]: offer.info } };
    expect([a, b]).toEqual([
      { resources: [{ name: 'fixed' }, { name: 'of a' }], ...rest },
      { resources: [{ name: 'fixed' }, { name: 'of b' }], ...rest },
    ]);
    expect(await ask('nobody')).toEqual({ code: -32603, message: 'Internal error' });
    const old = await recorder.answered(recorder.post(legacy('resources/list'), { 'x-who': 'c' }));
    expect(old.json).toEqual({ resources: [{ name: 'fixed' }, { name: 'of c' }] });
    offer.pageSize = 1;
    expect((await ask('d')).resources).toEqual([{ name: 'fixed' }]);
    const bad = modern('resources/list', { cursor: 'bad' });
    expect((await recorder.answered(recorder.post(bad.body, bad.headers))).json.code).toBe(-32602);
  });
});

describe('mirrored header values', () => {
  const rows: [string, string | undefined][] = [
    ['=?base64?SGVsbG8=?=', 'Hello'],
    ['=?base64?SGVsbG8?=', undefined],
    ['=?base64?SGVs!!!bG8=?=', undefined],
    ['SGVsbG8=', 'SGVsbG8='],
    ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
    ['=?base64?=', '=?base64?='],
    ['=?base64??=', ''],
    ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
    ['=?base64?SGVsbG9=?=', undefined],
    ['=?base64?SGVs bG8=?=', undefined],
    ['=?base64?_-8=?=', undefined],
    ['=?base64?/w==?=', undefined],
    ['=?base64?7aCA?=', undefined],
    ['=?base64?77u/YQ==?=', '\ufeffa'],
    ['na\u00efve', undefined],
    ['a\u0000', undefined],
    ['a\nb', undefined],
    ['', ''],
    ['a\tb c', 'a\tb c'],
  ];
  it.each(rows)('%j', (value, decoded) => expect(decodeMirrored(value)).toBe(decoded));

  it('any text survives the way there and back as a legal header value', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme' }),
          fc.string({ unit: 'binary' }),
          fc.base64String().map((s) => `=?base64?${s}?=`),
        ),
        (text) => {
          const value = encodeMirrored(text);
          expect(value).toMatch(/^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/);
          expect(headerValue(`a: b\r\nmcp-name: ${value}\r\n`, 'mcp-name')).toBe(value);
          expect(decodeMirrored(value)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('only the canonical base64 of UTF-8 decodes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.base64String(),
          fc.string(),
          fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
        (text) => {
          const decoded = decodeMirrored(`=?base64?${text}?=`);
          if (decoded === undefined) return;
          expect(Buffer.from(decoded, 'utf8').toString('base64')).toBe(text);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('heads', () => {
  const head = 'host: a\r\nx-a:  one \t\r\naccept: text/html\r\nx-a: two\r\nbroken\r\nx-ab: three\r\n';
  it('are read by whole names', () => {
    expect(['host', 'x-ab', 'x', 'ost', 'x-a', 'none'].map((name) => headerValue(head, name))).toEqual([
      'a',
      'three',
      undefined,
      undefined,
      'one\ntwo',
      undefined,
    ]);
    expect(toHeaders(head).get('X-A')).toBe('one, two');
  });
  it.each([
    ['application/json, text/event-stream', true, true],
    ['TEXT/EVENT-STREAM;q=0.5', true, false],
    ['*/*', true, true],
    ['application/json', false, true],
    ['application/*', false, true],
    ['text/html', false, false],
    [undefined, true, true],
  ])('accept %j: stream %s, JSON %s', (accept, stream, json) => {
    expect([acceptsStream(accept), acceptsJson(accept)]).toEqual([stream, json]);
  });
  it('a request whose answer the client would not take is 406', () => {
    const recorder = new Recorder(createDispatch(new TestOffer()));
    expect(recorder.ask(legacy('ping'), { accept: 'text/event-stream' })).toMatchObject({
      status: 406,
      json: { code: -32000 },
    });
    const { body, headers } = modern('tools/list');
    expect(recorder.ask(body, { ...headers, accept: 'text/html' }).status).toBe(406);
    expect(recorder.ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, { accept: 'text/html' }).status).toBe(
      202,
    );
  });
});

describe('revisions', () => {
  it('an unknown version is modern unless it is a date before the modern era', () => {
    expect(
      ['2026-07-28', '2027-01-01', 'v999.0.0', '', '2025-11-25', '2025-03-26', '2024-11-05', '2026-07-27'].map(
        claimsModern,
      ),
    ).toEqual([true, true, true, true, false, false, false, false]);
    expect(['2025-06-18', '2026-07-28', 'x'].map(negotiate)).toEqual(['2025-06-18', '2025-11-25', '2025-11-25']);
  });
});

describe('the table of errors', () => {
  it('agrees with what the engines answer alone', () => {
    const js = Object.values(ScanRefusal).map(refusalError);
    // The Rust twin is read as text: rows of code, HTTP status and message, in the order of the refusals.
    const source = readFileSync(new URL('../../crates/codec/src/errors.rs', import.meta.url), 'utf8');
    const rust = [...source.matchAll(/\(\s*(-32\d{3}),\s*(\d{3}),\s*"([^"]+)",?\s*\)/g)].map(
      ([, code, status, message]) => ({
        status: Number(status),
        code: Number(code),
        message,
      }),
    );
    expect(rust).toEqual(js);
    for (const { code, status, message } of js) {
      const row = errors.ERROR_TABLE.find((entry) => entry.code === code);
      // 413 is the transports': of a message that was never read its content says nothing.
      const expected = status === 413 ? 400 : status;
      expect([row?.modern, row?.legacy], message).toEqual([expected, expected]);
    }
  });
  it('has every code once, under its name', () => {
    expect(errors.ERROR_TABLE.map((row) => [row.name, row.code])).toEqual(Object.entries(errors.ProtocolErrorCode));
    expect(new Set(errors.ERROR_TABLE.map((row) => row.code)).size).toBe(errors.ERROR_TABLE.length);
  });
  it('gives the statuses of the eras', () => {
    const status = (code: number) => [
      errors.refusalStatus(code, 'modern'),
      errors.refusalStatus(code, 'legacy'),
      errors.answerStatus(code, 'modern'),
      errors.answerStatus(code, 'legacy'),
    ];
    expect(status(-32601)).toEqual([404, 200, 200, 200]);
    expect(status(-32602)).toEqual([400, 200, 200, 200]);
    expect(status(-32020)).toEqual([400, 200, 200, 200]);
    expect(status(-32021)).toEqual([400, 200, 400, 200]);
    expect(status(4711)).toEqual([400, 200, 200, 200]);
  });
  it('rebuilds the classes of received errors', () => {
    const from = errors.ProtocolError.fromError;
    expect(from(-32602, 'm', { uri: 'u' })).toBeInstanceOf(errors.ResourceNotFoundError);
    expect(from(-32002, 'm', { uri: 'u' })).toMatchObject({ uri: 'u', code: -32602 });
    expect(from(-32602, 'm', { uri: 'u', more: 1 })).not.toBeInstanceOf(errors.ResourceNotFoundError);
    expect(from(-32022, 'm', { supported: ['a'], requested: 'b' })).toMatchObject({ supported: ['a'], requested: 'b' });
    expect(from(-32021, 'm', { requiredCapabilities: { roots: {} } })).toMatchObject({
      requiredCapabilities: { roots: {} },
    });
    expect(from(-1, 'm')).toMatchObject({ code: -1, message: 'm', data: undefined });
  });
});
