/** Routing by hand: the classifier and its companions decide as those of the official SDK do. */

import { toWebRequest as officialToWebRequest } from '@modelcontextprotocol/node';
import * as official from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { classifyInboundRequest, type InboundHttpRequest } from '../../ts/server/adapters/classify.js';
import { isLegacyRequest, legacyStatelessFallback } from '../../ts/server/adapters/legacy.js';
import { toWebRequest } from '../../ts/server/adapters/node.js';
import {
  hostHeaderValidationResponse,
  originValidationResponse,
  validateHostHeader,
  validateOriginHeader,
} from '../../ts/server/adapters/validate.js';
import { McpServer } from '../../ts/server/mcp.js';
import { PerRequestHTTPServerTransport } from '../../ts/server/transports/per-request.js';
import { eventsOf, legacy, modern } from './adapters-stage.js';

const P = 'io.modelcontextprotocol/';
const V = `${P}protocolVersion`;
const full = { [V]: '2026-07-28', [`${P}clientCapabilities`]: {}, [`${P}clientInfo`]: { name: 'x', version: '1' } };
const request = (meta?: object, method = 'tools/call') => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { name: 'x', ...(meta && { _meta: meta }) },
});
const note = (meta?: object) => ({
  jsonrpc: '2.0',
  method: 'notifications/x',
  ...(meta && { params: { _meta: meta } }),
});
const HEADERS: Partial<InboundHttpRequest>[] = [
  {},
  { protocolVersionHeader: '2026-07-28' },
  { protocolVersionHeader: ' 2026-07-28\t' },
  { protocolVersionHeader: '2025-06-18' },
  { protocolVersionHeader: '2099-01-01' },
  { mcpMethodHeader: 'ping' },
  { protocolVersionHeader: '2026-07-28', mcpMethodHeader: 'tools/call' },
  { protocolVersionHeader: '2026-07-28', mcpMethodHeader: 'other', mcpNameHeader: 'x' },
];
const BODIES: unknown[] = [
  ...[undefined, null, 'x', 7, {}, [], { jsonrpc: '1.0', id: 1, method: 'x' }],
  ...[request(), request({}), request({ progressToken: 1 }), request(full), request(full, 'initialize')],
  ...[request({ [V]: '2026-07-28' }), request({ ...full, [V]: 7 }), request({ ...full, [V]: '2025-06-18' })],
  ...[request({ ...full, [V]: '2099-01-01' }), request({ ...full, [`${P}clientCapabilities`]: 3 })],
  ...[request({ ...full, [`${P}clientInfo`]: { name: 'x' } }), request({ ...full, [`${P}logLevel`]: 'loud' })],
  ...[request({ ...full, [`${P}clientCapabilities`]: { elicitation: 3 } })],
  { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18' } },
  { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: 3, _meta: { [V]: '2026-07-28' } } },
  ...[
    { jsonrpc: '2.0', id: null, method: 'x' },
    { jsonrpc: '2.0', id: 1.5, method: 'x' },
  ],
  ...[
    { jsonrpc: '2.0', id: 1, method: 'x', params: [1] },
    { jsonrpc: '2.0', id: 1, method: 'x', more: 1 },
  ],
  ...[note(), note({}), note(full), note({ [V]: '2026-07-28' }), note({ [V]: 7 }), note({ [V]: '2025-06-18' })],
  ...[
    { jsonrpc: '2.0', id: 1, result: {} },
    { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } },
  ],
  ...[
    { jsonrpc: '2.0', error: { code: 1, message: 'x' } },
    { jsonrpc: '2.0', id: 1, error: { code: 'x' } },
  ],
  ...[
    [request()],
    [request(), note()],
    [request(full)],
    [request(), { a: 1 }],
    [{ jsonrpc: '2.0', id: 1, result: {} }],
  ],
];

describe('classifyInboundRequest', () => {
  it('has the outcomes of the official SDK', () => {
    for (const httpMethod of ['POST', 'post', 'GET', 'DELETE']) {
      for (const headers of HEADERS) {
        for (const body of BODIES) {
          const asked = { httpMethod, ...headers, ...(body !== undefined && { body }) } as InboundHttpRequest;
          const { message, data, ...ours } = classifyInboundRequest(asked) as Record<string, unknown>;
          const judged = official.classifyInboundRequest(asked as never) as unknown as Record<string, unknown>;
          const { message: text, data: details, ...theirs } = judged;
          expect(ours, JSON.stringify(asked)).toEqual(theirs);
          // Messages are in our own words; messages that were classified, and what data there is, are the same.
          if (ours.kind === 'modern') expect(message).toEqual(text);
          expect(data === undefined).toBe(details === undefined);
        }
      }
    }
  });
});

describe('isLegacyRequest', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    new Request('http://localhost/mcp', { method: 'POST', body, headers });

  it('agrees with the official SDK, and leaves the body to be read', async () => {
    const bodies = [
      legacy('tools/list'),
      modern('tools/list'),
      { body: '{', headers: {} },
      { body: '[]', headers: {} },
    ];
    for (const { body, headers } of bodies) {
      const asked = post(body, headers);
      expect(await isLegacyRequest(asked)).toBe(await official.isLegacyRequest(post(body, headers)));
      expect(await asked.text()).toBe(body);
    }
    expect(await isLegacyRequest(new Request('http://localhost/mcp'))).toBe(true);
    expect(await isLegacyRequest(post('x'.repeat(100)), undefined, { maxRequestBodySize: 10 })).toBe(false);
    const read = post(modern('tools/list').body);
    await read.text();
    await expect(isLegacyRequest(read)).rejects.toThrow(TypeError);
    expect(await isLegacyRequest(read, JSON.parse(legacy('tools/list').body))).toBe(true);
  });

  it('goes with a handler of legacy requests alone', async () => {
    const serve = legacyStatelessFallback(() => new McpServer({ name: 'old', version: '1' }));
    const { body, headers } = legacy('ping');
    expect(await (await serve(post(body, headers))).json()).toMatchObject({ id: 1, result: {} });
    expect((await serve(new Request('http://localhost/mcp'))).status).toBe(405);
  });
});

describe('Host and Origin', () => {
  it('are judged as by the official SDK', () => {
    const names = ['localhost', '127.0.0.1', '[::1]', 'api.example'];
    const hosts = [undefined, null, '', 'localhost', 'LOCALHOST:1', '[::1]:80', 'evil', 'a b', 'api.example', '::1'];
    for (const host of hosts) expect(validateHostHeader(host, names)).toEqual(official.validateHostHeader(host, names));
    for (const origin of [...hosts, 'null', 'http://localhost:1', 'https://api.example', 'file://', 'http://evil']) {
      expect(validateOriginHeader(origin, names)).toEqual(official.validateOriginHeader(origin, names));
    }
    const foreign = new Request('http://x/', { headers: { host: 'evil.example', origin: 'http://evil.example' } });
    expect(hostHeaderValidationResponse(foreign, names)?.status).toBe(403);
    expect(originValidationResponse(foreign, names)?.status).toBe(403);
    expect(originValidationResponse(new Request('http://x/'), names)).toBeUndefined();
  });
});

describe('toWebRequest', () => {
  const incoming = (more: object) => ({
    method: 'POST',
    url: '/mcp?a=b',
    headers: { host: 'api.example', 'x-many': ['a', 'b'], ':path': '/mcp', 'content-length': '5' },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('he');
      yield 'llo';
    },
    ...more,
  });

  it('makes the request that the official adapter makes', async () => {
    for (const [parsed, more] of [
      [undefined, {}],
      [{ a: 1 }, {}],
      [undefined, { method: 'GET' }],
    ] as const) {
      const ours = await toWebRequest(incoming(more) as never, parsed);
      const theirs = await officialToWebRequest(incoming(more) as never, parsed);
      expect([ours.url, ours.method, await ours.text()]).toEqual([theirs.url, theirs.method, await theirs.text()]);
      expect([...ours.headers]).toEqual([...theirs.headers]);
    }
    const limit = { maxRequestBodySize: 4 };
    await expect(toWebRequest(incoming({}) as never, undefined, limit)).rejects.toMatchObject({ status: 413 });
    const { headers } = incoming({});
    const unsaid = incoming({ headers: { ...headers, 'content-length': undefined } });
    await expect(toWebRequest(unsaid as never, undefined, limit)).rejects.toMatchObject({ status: 413 });
  });
});

describe('PerRequestHTTPServerTransport', () => {
  const classification = { era: 'modern', revision: '2026-07-28' } as const;
  const ask = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: {} } as const;
  const done = { jsonrpc: '2.0', id: 7, result: { ok: true } } as const;
  const said = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } } as const;
  const related = { relatedRequestId: 7 };
  type Options = ConstructorParameters<typeof PerRequestHTTPServerTransport>[0];

  async function started(options: Partial<Options>, serve: (transport: PerRequestHTTPServerTransport) => unknown) {
    const transport = new PerRequestHTTPServerTransport({ classification, ...options });
    transport.onmessage = () => void serve(transport);
    await transport.start();
    return transport;
  }

  it('answers with JSON, or with a stream once there is something before the answer', async () => {
    const plain = await started({}, (transport) => transport.send(done));
    const answer = await plain.handleMessage(ask);
    expect([answer.status, await answer.json()]).toEqual([200, done]);
    for (const responseMode of ['auto', 'sse', 'json'] as const) {
      const transport = await started({ responseMode }, async (own) => {
        await own.send(said, related);
        await own.send({ ...said, method: 'notifications/unrelated' });
        own.writeCommentFrame('still here');
        await own.send(done);
        await own.send(done);
      });
      const response = await transport.handleMessage(ask);
      const body = await response.text();
      if (responseMode === 'json') expect(JSON.parse(body)).toEqual(done);
      else expect(eventsOf(body)).toEqual([said, done]);
      expect(body.includes(': still here')).toBe(responseMode !== 'json');
    }
  });

  it('gives errors that no handler made their status', async () => {
    const error = (code: number) => ({ jsonrpc: '2.0', id: 7, error: { code, message: 'x' } }) as const;
    const statusOf = async (code: number, later: boolean) => {
      const transport = await started({}, async (own) => {
        if (later) await new Promise((resolve) => setImmediate(resolve));
        await own.send(error(code));
      });
      return (await transport.handleMessage(ask)).status;
    };
    expect(await Promise.all([-32601, -32022, -32021, -32602].map((code) => statusOf(code, false)))).toEqual([
      404, 400, 400, 200,
    ]);
    expect(await Promise.all([-32601, -32022, -32021].map((code) => statusOf(code, true)))).toEqual([200, 200, 400]);
  });

  it('accepts notifications, serves once, and ends with its client', async () => {
    const note = await started({}, () => {});
    expect((await note.handleMessage({ jsonrpc: '2.0', method: 'notifications/x' })).status).toBe(202);
    await expect(note.handleMessage(ask)).rejects.toThrow(/one message/);
    await expect(new PerRequestHTTPServerTransport({ classification }).handleMessage(ask)).rejects.toThrow(/connected/);
    const leaving = new AbortController();
    const left = await started({}, () => leaving.abort());
    const ended = new Promise<void>((resolve) => {
      left.onclose = resolve;
    });
    const request = new Request('http://localhost/mcp', { method: 'POST', signal: leaving.signal });
    await expect(left.handleMessage(ask, { request })).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await ended;
  });
});
