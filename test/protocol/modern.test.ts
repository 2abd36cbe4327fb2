/** Modern requests: every refusal with its status and code, in the order that decides which one is told. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch } from '../../ts/dispatch.js';
import { ResourceNotFoundError } from '../../ts/protocol/errors.js';
import { encodeMirrored } from '../../ts/protocol/headers.js';
import { CallFlag, type Json, legacy, modern, Recorder, SERVER_INFO, Shape, TestOffer } from './recorder.js';

const P = 'io.modelcontextprotocol/';
let offer: TestOffer;
let recorder: Recorder;
let echo: number;

beforeEach(() => {
  offer = new TestOffer();
  echo = offer.add('tools/call', 'echo', (args) => ({ content: [{ type: 'text', text: String(args?.message) }] }));
  offer.add('prompts/get', 'greet', (args) => ({
    messages: [{ role: 'user', content: { type: 'text', text: args.who } }],
  }));
  offer.add('resources/read', 'test://a', () => ({ contents: [{ uri: 'test://a', text: 'A' }] }));
  offer.lists.tools = ['{"name":"echo","inputSchema":{"type":"object"}}'];
  recorder = new Recorder(createDispatch(offer));
});

const call = () => modern('tools/call', { name: 'echo', arguments: { message: 'hi' } });

/** A regular call, changed in one place. */
function broken(change: (request: { body: Json; headers: Record<string, string> }) => void) {
  const request = call() as { body: Json; headers: Record<string, string> };
  change(request);
  return recorder.ask(request.body, request.headers);
}

describe('refusals at the door', () => {
  const rows: [string, Parameters<typeof broken>[0], number, number][] = [
    ['Mcp-Method missing', (r) => delete r.headers['mcp-method'], 400, -32020],
    ['Mcp-Method of another method', (r) => (r.headers['mcp-method'] = 'tools/list'), 400, -32020],
    ['Mcp-Method in another case', (r) => (r.headers['mcp-method'] = 'TOOLS/CALL'), 400, -32020],
    ['Mcp-Name missing', (r) => delete r.headers['mcp-name'], 400, -32020],
    ['Mcp-Name of another tool', (r) => (r.headers['mcp-name'] = 'add'), 400, -32020],
    ['Mcp-Name in bad base64', (r) => (r.headers['mcp-name'] = '=?base64?ZWNobw=?='), 400, -32020],
    ['Mcp-Name though the body has none', (r) => delete r.body.params.name, 400, -32020],
    ['_meta missing', (r) => delete r.body.params._meta, 400, -32602],
    [
      'params missing',
      (r) => {
        delete r.body.params;
        delete r.headers['mcp-name'];
      },
      400,
      -32602,
    ],
    ['version missing', (r) => delete r.body.params._meta[`${P}protocolVersion`], 400, -32602],
    ['version no string', (r) => (r.body.params._meta[`${P}protocolVersion`] = 7), 400, -32602],
    ['capabilities missing', (r) => delete r.body.params._meta[`${P}clientCapabilities`], 400, -32602],
    ['capabilities no object', (r) => (r.body.params._meta[`${P}clientCapabilities`] = []), 400, -32602],
    ['version header missing', (r) => delete r.headers['mcp-protocol-version'], 400, -32020],
    ['version header differs', (r) => (r.headers['mcp-protocol-version'] = '2025-11-25'), 400, -32020],
    [
      'headers outrank the envelope',
      (r) => {
        delete r.headers['mcp-method'];
        delete r.body.params._meta;
      },
      400,
      -32020,
    ],
    [
      'the envelope outranks the version',
      (r) => {
        delete r.body.params._meta[`${P}clientCapabilities`];
        r.headers['mcp-protocol-version'] = 'v999.0.0';
        r.body.params._meta[`${P}protocolVersion`] = 'v999.0.0';
      },
      400,
      -32602,
    ],
  ];
  it.each(rows)('%s', (_, change, status, code) => {
    const reply = broken(change);
    expect([reply.status, reply.shape, reply.json.code]).toEqual([status, Shape.error, code]);
  });

  it('a version that is not served, with what is served and what was asked', () => {
    const reply = broken((r) => {
      r.headers['mcp-protocol-version'] = 'v999.0.0';
      r.body.params._meta[`${P}protocolVersion`] = 'v999.0.0';
    });
    expect([reply.status, reply.json.code]).toEqual([400, -32022]);
    const { body, headers } = modern('server/discover');
    const served = recorder.ask(body, headers).json.supportedVersions;
    expect(reply.json.data).toEqual({ supported: served, requested: 'v999.0.0' });
  });

  it.each([
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'no/such',
    'completion/complete',
    'constructor',
    '__proto__',
    'tasks/list',
  ])('unknown method %s', (method) => {
    const { body, headers } = modern(method);
    const reply = recorder.ask(body, headers);
    expect([reply.status, reply.json.code]).toEqual([404, -32601]);
  });

  it('methods of undeclared capabilities do not exist', () => {
    offer.declared = { tools: {} };
    for (const method of ['prompts/list', 'resources/list', 'resources/templates/list']) {
      const { body, headers } = modern(method);
      expect(recorder.ask(body, headers).status).toBe(404);
    }
  });

  it('a header that stands twice is a mismatch, even when its values joined would match', () => {
    offer.add('tools/call', 'a, b', () => ({ content: [] }));
    const { body, headers } = modern('tools/call', { name: 'a, b' });
    const slot = recorder.arrive(body, { ...headers, 'mcp-name': 'a\r\nmcp-name: b' });
    recorder.receiver.message(recorder, slot, 'POST', JSON.stringify(body));
    expect(recorder.taken(slot).json.code).toBe(-32020);
  });

  it('a batch, or a response', () => {
    const { body, headers } = call();
    for (const wrong of [[body], { jsonrpc: '2.0', id: 1, result: {} }]) {
      const reply = recorder.ask(wrong, headers);
      expect([reply.status, reply.json.code]).toEqual([400, -32600]);
    }
    const bare = recorder.ask([body], { accept: 'application/json' });
    expect([bare.status, bare.json.code]).toEqual([400, -32600]);
  });
});

describe('what is served', () => {
  it('blanks around header values and the base64 form of a name', () => {
    const name = 'naïve ☃';
    offer.add('tools/call', name, () => ({ content: [] }));
    const { body, headers } = modern('tools/call', { name });
    expect(
      recorder.ask(body, { ...headers, 'mcp-name': ` \t${encodeMirrored(name)}  `, 'mcp-method': ' tools/call ' })
        .status,
    ).toBe(200);
    expect(recorder.ask(body, { ...headers, 'mcp-name': 'na\u00efve \u2603' }).json.code).toBe(-32020);
  });

  it('the same bytes as the fast way, sync and async, with and without _meta of their own', async () => {
    offer.add('tools/call', 'meta', () => ({ content: [], _meta: { a: 1 }, isError: true }));
    offer.add('tools/call', 'later', async (args) => ({
      content: [{ type: 'text', text: args.m }],
      structuredContent: args,
    }));
    for (const name of ['echo', 'meta', 'later']) {
      const args = { m: 'x', message: '\u2028"\\\ud800' };
      const { body, headers } = modern('tools/call', { name, arguments: args });
      const slow = await recorder.answered(recorder.post(body, headers));
      const slot = recorder.call(offer.find('tools/call', name), CallFlag.stream, JSON.stringify(args), body, headers);
      expect(await recorder.answered(slot)).toEqual(slow);
      expect(slow.json).toMatchObject({ resultType: 'complete', _meta: { [SERVER_INFO]: offer.info } });
    }
  });

  it('prompts, resources with freshness, and templates', () => {
    offer.hints.resources = { ttlMs: 5000, cacheScope: 'public' };
    offer.templates = (uri) =>
      uri.startsWith('test://t/') ? () => ({ contents: [{ uri, text: 'T' }], ttlMs: 7 }) : undefined;
    const prompt = modern('prompts/get', { name: 'greet', arguments: { who: 'you' } });
    expect(recorder.ask(prompt.body, prompt.headers).json.messages[0].content.text).toBe('you');
    const fixed = modern('resources/read', { uri: 'test://a' });
    expect(recorder.ask(fixed.body, fixed.headers).json).toEqual({
      contents: [{ uri: 'test://a', text: 'A' }],
      ttlMs: 5000,
      cacheScope: 'public',
      resultType: 'complete',
      _meta: { [SERVER_INFO]: offer.info },
    });
    const matched = modern('resources/read', { uri: 'test://t/1' });
    expect(recorder.ask(matched.body, matched.headers).json).toMatchObject({ ttlMs: 7, cacheScope: 'public' });
  });

  it('unknown names are answered, not refused', () => {
    const rows: [string, object, string, unknown][] = [
      ['tools/call', { name: 'nope' }, 'Unknown tool: nope', undefined],
      ['prompts/get', { name: 'nope' }, 'Unknown prompt: nope', undefined],
      ['resources/read', { uri: 'test://nope' }, 'Resource not found', { uri: 'test://nope' }],
    ];
    for (const [method, params, message, data] of rows) {
      const { body, headers } = modern(method, params as Record<string, unknown>);
      const reply = recorder.ask(body, headers);
      expect([reply.status, reply.json]).toEqual([200, { code: -32602, message, ...(data ? { data } : {}) }]);
    }
  });

  it('a request without a name where one is needed', () => {
    for (const method of ['tools/call', 'prompts/get', 'resources/read']) {
      const { body, headers } = modern(method);
      expect(recorder.ask(body, headers).json.code).toBe(-32602);
    }
  });

  it('retired codes never leave: a legacy not-found becomes -32602', () => {
    offer.add('resources/read', 'test://gone', () => {
      throw new ResourceNotFoundError('test://gone');
    });
    const { body, headers } = modern('resources/read', { uri: 'test://gone' });
    expect(recorder.ask(body, headers).json).toEqual({
      code: -32602,
      message: 'Resource not found',
      data: { uri: 'test://gone' },
    });
  });

  it('a missing client capability: 400, and which', () => {
    offer.add('tools/call', 'needs', (_, context) => {
      context.requireCapability('elicitation', 'url');
    });
    const { body, headers } = modern('tools/call', { name: 'needs' });
    const reply = recorder.ask(body, headers);
    expect([reply.status, reply.json.code]).toEqual([400, -32021]);
    expect(reply.json.data).toEqual({ requiredCapabilities: { elicitation: { url: {} } } });
    const declared = modern(
      'tools/call',
      { name: 'needs' },
      { [`${P}clientCapabilities`]: { elicitation: { url: {} } } },
    );
    expect(recorder.ask(declared.body, declared.headers).json.code).toBe(-32603); // it returns nothing, but got through
  });

  it('discover says what is true', () => {
    const { body, headers } = modern('server/discover');
    expect(recorder.ask(body, headers).json).toEqual({
      supportedVersions: ['2026-07-28'],
      capabilities: offer.declared,
      instructions: 'Be kind',
      ttlMs: 0,
      cacheScope: 'private',
      resultType: 'complete',
      _meta: { [SERVER_INFO]: offer.info },
    });
  });

  it('on a pipe: the same without headers', () => {
    const pipe = new Recorder(createDispatch(offer), true);
    expect(pipe.ask(call().body).json.content[0].text).toBe('hi');
    const { body } = call() as { body: Json };
    body.params._meta[`${P}protocolVersion`] = '1999-01-01';
    expect(pipe.ask(body).json).toMatchObject({ code: -32022, data: { requested: '1999-01-01' } });
    expect(
      pipe.ask({ jsonrpc: '2.0', method: 'notifications/x', params: { _meta: call().body.params._meta } }).text,
    ).toBe('');
    expect(pipe.ask(legacy('server/discover')).json.code).toBe(-32601);
  });
});

describe('notifications', () => {
  const note = (meta?: object) => ({ jsonrpc: '2.0', method: 'notifications/x', params: meta ? { _meta: meta } : {} });
  it('are accepted without a body', () => {
    const reply = recorder.ask(note(), { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'notifications/x' });
    expect(reply).toMatchObject({ status: 202, shape: Shape.raw, text: '', headers: '' });
  });
  it('are refused when they contradict themselves', () => {
    const version = { 'mcp-protocol-version': '2026-07-28' };
    const rows: [object, Record<string, string>, number][] = [
      [note(), { ...version, 'mcp-method': 'other' }, -32020],
      [note({ [`${P}protocolVersion`]: 'x' }), version, -32020],
      [note({ [`${P}protocolVersion`]: 'v9' }), { 'mcp-protocol-version': 'v9' }, -32022],
    ];
    for (const [body, headers, code] of rows) {
      const reply = recorder.ask(body, headers);
      expect([reply.status, reply.json.code]).toEqual([400, code]);
    }
  });
});

describe('a handler that was removed between routing and call', () => {
  it('is an unknown tool', () => {
    offer.handlers[echo] = undefined;
    const { body, headers } = call();
    const fast = recorder.taken(recorder.call(echo, 0, '{}', body, headers));
    expect([fast.status, fast.json]).toEqual([200, { code: -32602, message: 'Unknown tool: echo' }]);
    expect(recorder.ask(body, headers)).toEqual(fast);
  });
});
