/**
 * Both engines get the same traffic and must give the same bytes: status, content type, body. The traffic is generated:
 * regular requests of both eras, and the same with one thing wrong in headers, envelope or JSON.
 *
 * It also fails when the native path quietly stepped aside: the counters of both listeners must agree on what was
 * answered, called, handed up and refused.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, Listener, Receiver } from '../../ts/engine/engine.js';
import { LISTENER_STAT_COUNT, ListenerStat, Shape } from '../../ts/engine/engine.js';
import { engineFor } from '../../ts/engine/index.js';
import { native } from '../engines.js';
import { serveConfig } from './config.js';
import { Wire, type WireResponse } from './wire.js';

const config = serveConfig({ allowedOrigins: ['localhost'], maxBodyBytes: 4096, maxDepth: 16 });

/** Says what reached it, so that the answer shows which way the message took and with what. */
const receiver: Receiver = {
  call(listener, slot, handler, flags, args) {
    if (flags & 4) listener.event(slot, '', JSON.stringify({ progress: listener.meta(slot) }));
    const failed = handler === 1 ? 1 : 0;
    listener.reply(
      slot,
      200,
      Shape.result,
      failed,
      '',
      JSON.stringify({ handler, flags, args, id: listener.id(slot) }),
    );
  },
  message(listener, slot, method, body) {
    const shape = listener.id(slot) === '' ? Shape.raw : Shape.error;
    const text = JSON.stringify({ code: -1, message: method, data: { body, meta: listener.meta(slot) } });
    listener.reply(slot, 400, shape, 0, 'x-way: up\r\n', text);
  },
  abort() {},
  drain() {},
};

async function start(engine: Engine): Promise<Listener> {
  const registry = engine.registry.create();
  const answer = (text: string): Buffer => Buffer.from(text);
  registry.answer('tools/list', '', answer('{"tools":[],"m":1}'), answer('{"tools":[]}'));
  registry.answer('ping', '', null, answer('{}'));
  registry.handler('tools/call', 'echo', 0);
  registry.handler('tools/call', 'größe', 1);
  registry.handler('prompts/get', 'p', 2);
  registry.handler('resources/read', 'test://a', 3);
  registry.publish();
  const listener = await engine.serve.listen(config, registry, receiver);
  listener.openSession('known');
  return listener;
}

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

const jsonish = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('\ud800', 'é', '\u0000', -0));
const key = fc.constantFrom('echo', 'größe', 'p', 'test://a', 'nobody', '', 'ec\\ho');
const method = fc.constantFrom(
  'tools/call',
  'tools/list',
  'ping',
  'prompts/get',
  'resources/read',
  'nothing',
  'initialize',
);
const version = fc.constantFrom('2026-07-28', '2025-11-25', '2025-06-18', '1999-01-01', undefined);

const message = fc.record(
  {
    jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', '2.0', '1.0'),
    id: fc.oneof(fc.integer(), fc.string({ maxLength: 8 }), fc.constantFrom(null, 1.5, 1e21, true, undefined)),
    method,
    params: fc.option(
      fc.record(
        {
          name: key,
          uri: key,
          arguments: fc.dictionary(fc.string({ maxLength: 4 }), jsonish, { maxKeys: 3 }),
          cursor: fc.string(),
          _meta: fc.record(
            {
              [VERSION]: version,
              [CAPABILITIES]: fc.constantFrom({}, { sampling: {} }, 1),
              progressToken: fc.constantFrom(1, 'token'),
            },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    ),
  },
  { requiredKeys: ['jsonrpc', 'method'] },
);

/** What a client that obeys the specification sends; most runs start from it, so that the fast paths are really taken. */
const regular = fc
  .record({
    name: fc.constantFrom('echo', 'echo', 'größe'),
    modern: fc.boolean(),
    list: fc.boolean(),
    id: fc.integer(),
    args: jsonish,
  })
  .map(({ name, modern, list, id, args }) => {
    const meta = modern ? { _meta: { [VERSION]: '2026-07-28', [CAPABILITIES]: {} } } : {};
    const verb = list ? 'tools/list' : 'tools/call';
    const params = list ? meta : { name, arguments: { args }, ...meta };
    return {
      body: JSON.stringify({ jsonrpc: '2.0', id, method: verb, params }),
      headers: [
        `mcp-protocol-version: ${modern ? '2026-07-28' : '2025-11-25'}`,
        `mcp-method: ${verb}`,
        ...(list ? [] : [`mcp-name: ${Buffer.from(name).toString('latin1')}`]),
      ],
    };
  });

const odd = fc
  .record({
    body: fc.oneof(
      message.map((value) => JSON.stringify(value)),
      message.map((value) => ` ${JSON.stringify(value, null, 1)}\n`),
      fc.tuple(message, fc.nat(), fc.constantFrom('', '"', '{', '\\', ',', '\u0001', '0')).map(([value, at, put]) => {
        const text = JSON.stringify(value);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + put + text.slice(cut + 1);
      }),
      fc.constantFrom(
        '{"jsonrpc":"2.0","id":1e400,"method":"ping"}',
        '',
        '[]',
        '[1',
        'null',
        '\ufeff{}',
        `${'['.repeat(40)}${']'.repeat(40)}`,
        'x'.repeat(5000),
      ),
    ),
    headers: fc
      .tuple(version, fc.option(method, { nil: undefined }), fc.option(key, { nil: undefined }))
      .map(([v, m, n]) => [
        ...(v === undefined ? [] : [`mcp-protocol-version:  ${v} `]),
        ...(m === undefined ? [] : [`mcp-method: ${m}`]),
        ...(n === undefined ? [] : [`mcp-name: ${Buffer.from(n).toString('latin1')}`]),
      ]),
  })
  .chain(({ body, headers }) =>
    fc
      .subarray(
        [
          'mcp-session-id: known',
          'mcp-session-id: unknown',
          'accept: application/json',
          'accept: text/event-stream',
          'accept: text/html, */*;q=0.1',
          'origin: http://localhost:1234',
          'origin: http://evil.example',
          'origin: null',
          'mcp-method: ping',
          'content-encoding: gzip',
        ],
        { maxLength: 2 },
      )
      .map((more) => ({ body, headers: [...headers, ...more] })),
  );

function bytes(request: { body: string; headers: string[] }): Buffer {
  const body = Buffer.from(request.body);
  const head = [
    'POST /mcp HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    ...request.headers,
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function seen(response: WireResponse): unknown {
  return {
    status: response.status,
    type: response.headers['content-type'],
    way: response.headers['x-way'],
    body: response.text,
  };
}

describe.skipIf(native === undefined)('native and JavaScript give the same bytes', () => {
  const listeners: Listener[] = [];
  const wires: Wire[] = [];

  beforeAll(async () => {
    for (const name of ['native', 'js'] as const) {
      const engine = engineFor(name);
      expect(engine.name).toBe(name);
      const listener = await start(engine);
      listeners.push(listener);
      wires.push(await Wire.connect(listener.port));
    }
  });

  afterAll(async () => {
    for (const wire of wires) await wire.leave();
    for (const listener of listeners) await listener.close(0);
  });

  async function both(request: { body: string; headers: string[] }, fresh: boolean): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const [at, listener] of listeners.entries()) {
      let wire = wires[at] as Wire;
      if (fresh) {
        // What a connection has seen decides which of its ways the JavaScript engine takes.
        await wire.leave();
        wire = await Wire.connect(listener.port);
        wires[at] = wire;
      }
      wire.send(bytes(request));
      const response = await wire.response();
      answers.push(seen(response));
      if (response.headers.connection === 'close') {
        await wire.leave();
        wire = await Wire.connect(listener.port);
        wires[at] = wire;
      }
    }
    return answers;
  }

  it('for regular and for odd requests', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 1, arbitrary: regular }, { weight: 3, arbitrary: odd }), async (request) => {
        const [fromNative, fromJs] = await both(request, request.headers.length % 3 === 0);
        expect(fromNative).toEqual(fromJs);
      }),
      { numRuns: 1500 },
    );
  });

  it('by the same ways: nothing was left to JavaScript that the engine can do, nothing guessed', () => {
    const names = [
      'requests',
      'answered',
      'calls',
      'messages',
      'refused',
      'overloaded',
      'staleReplies',
      'panics',
    ] as const;
    const [fromNative, fromJs] = listeners.map((listener) => {
      const out = new Float64Array(LISTENER_STAT_COUNT);
      listener.stats(out);
      return Object.fromEntries(names.map((name) => [name, out[ListenerStat[name]]]));
    });
    expect(fromNative).toEqual(fromJs);
    for (const name of ['answered', 'calls', 'messages', 'refused'] as const) {
      expect(fromNative?.[name], name).toBeGreaterThan(20);
    }
  });
});
