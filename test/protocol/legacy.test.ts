/** The legacy era: handshake, sessions, HTTP methods, batches. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../ts/dispatch.js';
import { ResourceNotFoundError } from '../../ts/protocol/errors.js';
import {
  CallFlag,
  handshake,
  type Json,
  LEGACY_HEADERS,
  legacy,
  modern,
  Recorder,
  Shape,
  TestOffer,
} from './recorder.js';

let offer: TestOffer;
let dispatch: Dispatch;
let recorder: Recorder;

beforeEach(() => {
  offer = new TestOffer();
  offer.add('tools/call', 'echo', (args) => ({ content: [{ type: 'text', text: String(args?.message) }] }));
  offer.add('tools/call', 'later', async (args) => ({ content: [{ type: 'text', text: String(args?.message) }] }));
  offer.add('tools/call', 'who', (_, context) => ({
    content: [],
    structuredContent: {
      info: context.clientInfo,
      session: context.sessionId ?? null,
      era: context.era,
      caps: context.clientCapabilities,
    },
  }));
  offer.lists.tools = ['{"name":"echo"}', '{"name":"later"}', '{"name":"who"}'];
  dispatch = createDispatch(offer, { maxSessions: 3, maxBatch: 4 });
  recorder = new Recorder(dispatch);
});

describe('initialize', () => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2024-10-07', '2024-10-07'],
    ['2023-01-01', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
    ['nonsense', '2025-11-25'],
  ])('asked for %s it agrees on %s', (asked, agreed) => {
    const reply = recorder.ask(
      legacy('initialize', { protocolVersion: asked, capabilities: {}, clientInfo: { name: 'c', version: '1' } }),
    );
    expect(reply.json).toMatchObject({
      protocolVersion: agreed,
      capabilities: offer.declared,
      instructions: 'Be kind',
    });
    expect(reply.json.serverInfo).toMatchObject({ name: 'test', version: '1.2.3' });
    expect(reply.headers).toMatch(/^mcp-session-id: [\x21-\x7e]+\r\n$/);
  });

  it('needs a version', () => {
    const reply = recorder.ask(legacy('initialize', {}));
    expect([reply.json.code, dispatch.sessionCount]).toEqual([-32602, 0]);
  });

  it('on a pipe gives no session id, and the peer is known from then on', () => {
    const pipe = new Recorder(dispatch, true);
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: { roots: {} },
      clientInfo: { name: 'p', version: '1' },
    };
    expect(pipe.ask(legacy('initialize', params)).headers).toBe('');
    const who = pipe.ask(legacy('tools/call', { name: 'who' })).json.structuredContent;
    expect(who).toEqual({ info: params.clientInfo, session: null, era: 'legacy', caps: { roots: {} } });
    const fast = pipe.call(2, CallFlag.legacy | CallFlag.stream, '', legacy('tools/call', { name: 'who' }));
    expect(pipe.taken(fast).json.structuredContent).toEqual(who);
    expect(dispatch.sessionCount).toBe(0);
  });
});

describe('sessions', () => {
  it('live from initialize to DELETE', () => {
    const headers = handshake(recorder);
    const id = headers['mcp-session-id'] as string;
    expect(recorder.sessions.has(id)).toBe(true);
    expect(recorder.ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, headers)).toMatchObject({
      status: 202,
      text: '',
    });
    expect(recorder.ask(legacy('ping'), headers)).toMatchObject({ status: 200, text: '{}', shape: Shape.result });
    expect(recorder.taken(recorder.send('DELETE', undefined, headers)).status).toBe(204);
    expect(recorder.sessions.has(id)).toBe(false);
    for (const slot of [
      recorder.post(legacy('ping'), headers),
      recorder.send('DELETE', undefined, headers),
      recorder.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, headers),
    ]) {
      const reply = recorder.taken(slot);
      expect([reply.status, reply.shape, reply.json.code, reply.json.message]).toEqual([
        404,
        Shape.error,
        -32001,
        'Session not found',
      ]);
    }
  });

  it('tell the handler who asks, the slow way and the fast way', () => {
    const headers = handshake(recorder);
    const body = legacy('tools/call', { name: 'who' });
    const slow = recorder.ask(body, headers);
    expect(slow.json.structuredContent).toEqual({
      info: { name: 'client', version: '9' },
      session: headers['mcp-session-id'],
      era: 'legacy',
      caps: { sampling: {} },
    });
    expect(recorder.taken(recorder.call(2, CallFlag.legacy, '', body, headers))).toEqual(slow);
  });

  it('are bounded: the one idle for longest makes room', () => {
    const first = handshake(recorder);
    const second = handshake(recorder);
    handshake(recorder);
    recorder.ask(legacy('ping'), first);
    handshake(recorder);
    expect(dispatch.sessionCount).toBe(3);
    expect(recorder.sessions.size).toBe(3);
    expect(recorder.ask(legacy('ping'), first).status).toBe(200);
    expect(recorder.ask(legacy('ping'), second).status).toBe(404);
  });

  it('are in use while calls come the fast way', () => {
    const [first, second] = [handshake(recorder), handshake(recorder)];
    handshake(recorder);
    recorder.call(0, CallFlag.legacy, '', legacy('tools/call', { name: 'echo' }), first);
    handshake(recorder);
    expect([recorder.ask(legacy('ping'), first).status, recorder.ask(legacy('ping'), second).status]).toEqual([
      200, 404,
    ]);
  });

  it('go with their listener', () => {
    const other = new Recorder(dispatch);
    const headers = handshake(other);
    const mine = handshake(recorder);
    dispatch.forget(other);
    expect([dispatch.sessionCount, other.sessions.size, other.ask(legacy('ping'), headers).status]).toEqual([
      1, 0, 404,
    ]);
    expect(recorder.ask(legacy('ping'), mine).status).toBe(200);
  });

  it('mean nothing to a modern request', () => {
    const { body, headers } = modern('ping');
    expect(recorder.ask(body, { ...headers, 'mcp-session-id': 'gone' }).json.code).toBe(-32601);
    const bare = recorder.ask(legacy('ping'), { ...handshake(recorder), 'mcp-protocol-version': '2026-07-28' });
    expect(bare.json.code).toBe(-32020);
  });

  it('are not needed: a request without one is served and leaves nothing', () => {
    expect(recorder.ask(legacy('tools/call', { name: 'echo', arguments: { message: 'm' } })).json).toEqual({
      content: [{ type: 'text', text: 'm' }],
    });
    expect(recorder.ask(legacy('tools/list'), { 'mcp-method': 'stray' }).json.tools).toHaveLength(3);
    expect(recorder.ask({ jsonrpc: '2.0', method: 'notifications/initialized' }).status).toBe(202);
    expect([dispatch.sessionCount, recorder.sessions.size, dispatch.pending(recorder)]).toEqual([0, 0, 0]);
  });

  it('outweigh an unknown version header, which is then the legacy error', () => {
    const headers = { ...handshake(recorder), 'mcp-protocol-version': 'v999.0.0' };
    const reply = recorder.ask(legacy('ping'), headers);
    expect([reply.status, reply.json.code]).toEqual([400, -32000]);
    expect(recorder.ask(legacy('ping'), { 'mcp-protocol-version': '2023-01-01' }).json.code).toBe(-32000);
    // Without a session an unknown version can only be a modern one.
    expect(recorder.ask(legacy('ping'), { 'mcp-protocol-version': 'v999.0.0' }).json.code).toBe(-32020);
  });
});

describe('requests', () => {
  it('unknown methods and names', () => {
    const rows: [string, object | undefined, number, number][] = [
      ['server/discover', undefined, 200, -32601],
      ['completion/complete', {}, 200, -32601],
      ['resources/subscribe', { uri: 'x' }, 200, -32601],
      ['tools/call', { name: 'nope' }, 200, -32602],
      ['tools/call', { name: '__proto__' }, 200, -32602],
      ['resources/read', { uri: 'test://nope' }, 200, -32002],
      ['tools/list', { cursor: 7 }, 200, -32602],
    ];
    for (const [method, params, status, code] of rows) {
      const reply = recorder.ask(legacy(method, params), LEGACY_HEADERS);
      expect([method, reply.status, reply.json.code]).toEqual([method, status, code]);
    }
  });

  it('a not-found of a handler has the legacy code', () => {
    offer.add('resources/read', 'test://gone', () => {
      throw new ResourceNotFoundError('test://gone');
    });
    expect(recorder.ask(legacy('resources/read', { uri: 'test://gone' })).json).toMatchObject({
      code: -32002,
      data: { uri: 'test://gone' },
    });
  });

  it('results have no modern members', () => {
    offer.add('resources/read', 'test://a', () => ({ contents: [] }));
    expect(recorder.ask(legacy('resources/read', { uri: 'test://a' })).json).toEqual({ contents: [] });
    expect(recorder.ask(legacy('tools/list')).json).toEqual({
      tools: [{ name: 'echo' }, { name: 'later' }, { name: 'who' }],
    });
  });

  it('members that only a prototype has were not sent', () => {
    const polluted = Object.prototype as Json;
    try {
      polluted.name = 'echo';
      polluted.cursor = 'x';
      expect(recorder.ask(legacy('tools/call', {})).json.code).toBe(-32602);
      expect(recorder.ask(legacy('tools/list', {})).json.tools).toHaveLength(3);
    } finally {
      delete polluted.name;
      delete polluted.cursor;
    }
  });

  it('responses are accepted and ignored', () => {
    expect(recorder.ask({ jsonrpc: '2.0', id: 3, result: {} }, handshake(recorder))).toMatchObject({
      status: 202,
      text: '',
    });
  });

  it('logging/setLevel exists when logging is declared', () => {
    const headers = handshake(recorder);
    expect(recorder.ask(legacy('logging/setLevel', { level: 'debug' }), headers).text).toBe('{}');
    expect(recorder.ask(legacy('logging/setLevel', { level: 'loud' }), headers).json.code).toBe(-32602);
    offer.declared = { tools: {} };
    expect(recorder.ask(legacy('logging/setLevel', { level: 'debug' }), headers).json.code).toBe(-32601);
  });
});

describe('HTTP methods', () => {
  it.each([
    ['GET', 405, 'allow: GET, POST, DELETE\r\n', -32000],
    ['PUT', 405, 'allow: GET, POST, DELETE\r\n', -32000],
    ['HEAD', 405, 'allow: GET, POST, DELETE\r\n', undefined],
    ['OPTIONS', 204, 'allow: GET, POST, DELETE\r\n', undefined],
    ['DELETE', 400, '', -32000],
  ])('%s', (method, status, headers, code) => {
    const reply = recorder.taken(recorder.send(method, undefined));
    expect([reply.status, reply.headers, reply.json?.code]).toEqual([status, headers, code]);
  });

  it('a modern DELETE or GET is only not allowed', () => {
    for (const method of ['GET', 'DELETE']) {
      const reply = recorder.taken(recorder.send(method, undefined, modern('x').headers));
      expect([reply.status, reply.headers]).toEqual([405, 'allow: POST\r\n']);
    }
  });
});

describe('batches', () => {
  const headers = { ...LEGACY_HEADERS, 'mcp-protocol-version': '2025-03-26' };
  const echo = (id: unknown, name = 'echo') => legacy('tools/call', { name, arguments: { message: `m${id}` } }, id);

  it('are answered as one array, in order, whatever waits', async () => {
    const slot = recorder.post(
      [echo(1, 'later'), echo('b'), { jsonrpc: '2.0', method: 'notifications/initialized' }, echo(3, 'nope')],
      headers,
    );
    expect(recorder.replies.has(slot)).toBe(false);
    const reply = await recorder.answered(slot);
    expect([reply.status, reply.shape, reply.headers]).toEqual([200, Shape.raw, 'content-type: application/json\r\n']);
    expect(reply.json).toEqual([
      { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'm1' }] } },
      { jsonrpc: '2.0', id: 'b', result: { content: [{ type: 'text', text: 'mb' }] } },
      { jsonrpc: '2.0', id: 3, error: { code: -32602, message: 'Unknown tool: nope' } },
    ]);
    expect([dispatch.pending(recorder), recorder.stale]).toEqual([0, 0]);
  });

  it('tell what is wrong with single parts', () => {
    const reply = recorder.ask(
      [
        7,
        { jsonrpc: '1.0', id: 1, method: 'ping' },
        legacy('initialize', { protocolVersion: '2025-03-26' }, 4),
        legacy('ping', undefined, 5),
      ],
      headers,
    );
    expect(reply.json.map((part: Json) => [part.id, part.error?.code ?? part.result])).toEqual([
      [null, -32600],
      [null, -32600],
      [4, -32600],
      [5, {}],
    ]);
  });

  it('with nothing to answer are accepted', () => {
    expect(
      recorder.ask(
        [
          { jsonrpc: '2.0', method: 'notifications/initialized' },
          { jsonrpc: '2.0', id: 1, result: {} },
        ],
        headers,
      ),
    ).toMatchObject({ status: 202, text: '' });
  });

  it('are refused when empty, too long, or of another revision', () => {
    const five = [1, 2, 3, 4, 5].map((id) => echo(id));
    for (const [body, head] of [
      [[], headers],
      [five, headers],
      [[echo(1)], LEGACY_HEADERS],
      [[echo(1)], handshake(recorder)],
    ] as const) {
      const reply = recorder.ask(body, head as Record<string, string>);
      expect([reply.status, reply.shape, reply.json.code]).toEqual([400, Shape.error, -32600]);
    }
    expect(recorder.ask([echo(1)]).status).toBe(200); // no header and no session: the revision that has batches
  });

  it('a client that leaves aborts every part', async () => {
    const signals: AbortSignal[] = [];
    offer.add('tools/call', 'hang', (_, context) => {
      signals.push(context.signal);
      return new Promise(() => {});
    });
    recorder.leave(recorder.post([echo(1, 'hang'), echo(2, 'hang')], headers));
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    expect(dispatch.pending(recorder)).toBe(0);
  });

  it('a cancelled part is left out', async () => {
    const session = handshake(recorder, '2025-03-26');
    offer.add(
      'tools/call',
      'hang',
      (_, context) =>
        new Promise((_resolve, reject) =>
          context.signal.addEventListener('abort', () => reject(context.signal.reason)),
        ),
    );
    const slot = recorder.post([echo(1, 'hang'), echo(2)], session);
    recorder.ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, session);
    const reply = await recorder.answered(slot);
    expect(reply.json.map((part: Json) => part.id)).toEqual([2]);
    expect(dispatch.pending(recorder)).toBe(0);
  });
});
