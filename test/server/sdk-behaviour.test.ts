/**
 * What code that was written for the official SDK sees: the same small programs with its package and with ours, compared
 * by what they come to. Texts differ; codes, classes, statuses and order do not.
 */
import * as official from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as own from '../../ts/entries/server.js';

// Two packages of one shape: that the types agree is another test's business.
type Sdk = any;
type Json = any;

const INIT = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
};
const turns = () => new Promise((done) => setTimeout(done, 5));
const until = async (done: () => boolean) => {
  while (!done()) await turns();
};

/** How something ended: its value, or the class and code of its error. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { gave: (await run()) ?? 'nothing' };
  } catch (error) {
    const { name, code } = error as { name?: string; code?: unknown };
    return { threw: name, code };
  }
}

async function join(sdk: Sdk, server: Json, capabilities: object = {}) {
  const [near, far] = sdk.InMemoryTransport.createLinkedPair();
  const heard: Json[] = [];
  let answer: ((request: Json) => object) | undefined;
  near.onmessage = (message: Json) => {
    heard.push(message);
    if (message.id !== undefined && message.method !== undefined && answer !== undefined) {
      void near.send({ jsonrpc: '2.0', id: message.id, ...answer(message) });
    }
  };
  await near.start();
  await server.connect(far);
  let next = 0;
  const ask = async (method: string, params?: object): Promise<Json> => {
    next += 1;
    const id = `ask ${next}`;
    await near.send({ jsonrpc: '2.0', id, method, ...(params && { params }) });
    await until(() => heard.some((message) => message.id === id));
    return heard.find((message) => message.id === id);
  };
  await near.send({ ...INIT, params: { ...INIT.params, capabilities } });
  await until(() => heard.length > 0);
  await near.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await turns();
  const answerWith = (how: typeof answer): void => {
    answer = how;
  };
  return { near, heard, ask, answerWith };
}

/** Of an answer what does not depend on wording. */
function gist({ result, error }: Json): unknown {
  if (error !== undefined) return { code: error.code, data: error.data };
  return result.isError === true ? 'isError' : result;
}

function equipped(sdk: Sdk): Json {
  const server = new sdk.McpServer({ name: 's', version: '1' }, { capabilities: { logging: {} } });
  const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
  server.registerTool('echo', { inputSchema: z.object({ x: z.string() }) }, async ({ x }: Json) => text(x));
  server.registerTool('undefined', {}, async () => undefined);
  server.registerTool('throws', {}, async () => {
    throw new Error('boom');
  });
  const outputSchema = z.object({ n: z.number() });
  server.registerTool('unfit', { outputSchema }, async () => ({ content: [], structuredContent: { n: 'x' } }));
  server.registerTool('bare', { outputSchema }, async () => text('nothing structured'));
  server.registerTool('failed', { outputSchema }, async () => ({ ...text('no'), isError: true }));
  server.registerTool('fit', { outputSchema }, async () => ({ content: [], structuredContent: { n: 1 } }));
  server.registerTool('off', {}, async () => text('off')).disable();
  const list = async () => ({ resources: [{ uri: 'memo://t/1', name: 'one' }] });
  const complete = { id: (value: string) => ['aa', 'ab', 'b'].filter((each) => each.startsWith(value)) };
  const template = new sdk.ResourceTemplate('memo://t/{id}', { list, complete });
  server.registerResource('t', template, { description: 'd' }, async (url: URL, variables: object) => ({
    contents: [{ uri: url.href, text: JSON.stringify(variables) }],
  }));
  server.registerResource('r', 'memo://r', {}, async (url: URL) => ({ contents: [{ uri: url.href, text: 'r' }] }));
  const name = sdk.completable(z.string(), (value: string) => ['ada', 'bob'].filter((each) => each.startsWith(value)));
  server.registerPrompt('p', { argsSchema: z.object({ name }) }, ({ name: who }: Json) => ({
    messages: [{ role: 'user', content: { type: 'text', text: who } }],
  }));
  server.registerPrompt('off', {}, () => ({ messages: [] })).disable();
  return server;
}

const programs: Record<string, (sdk: Sdk) => Promise<unknown>> = {
  'the order of callbacks, connecting and closing twice': async (sdk) => {
    const server = new sdk.McpServer({ name: 's', version: '1' });
    const order: unknown[] = [];
    server.server.oninitialized = () => order.push('initialized');
    server.server.onclose = () => order.push('closed');
    await join(sdk, server);
    order.push(server.isConnected(), server.server.getClientVersion(), server.server.getNegotiatedProtocolVersion());
    order.push(await outcome(() => server.connect(sdk.InMemoryTransport.createLinkedPair()[0])));
    order.push(await outcome(() => server.server.registerCapabilities({ logging: {} })));
    await server.close();
    await server.close();
    order.push(server.isConnected());
    order.push(gist(await (await join(sdk, server)).ask('ping')));
    return order;
  },
  'an asynchronous oninitialized that rejects': async (sdk) => {
    const server = new sdk.McpServer({ name: 's', version: '1' });
    const told: string[] = [];
    server.server.onerror = (error: Error) => told.push(error.message);
    server.server.oninitialized = async () => {
      throw new Error('not now');
    };
    await join(sdk, server);
    await turns();
    return told.map((message) => message.includes('not now'));
  },
  calls: async (sdk) => {
    const { ask } = await join(sdk, equipped(sdk));
    const results: unknown[] = [];
    for (const [name, args] of [
      ['echo', { x: 'hi' }],
      ['echo', {}],
      ['echo', undefined],
      ['echo', { x: 1 }],
      ['nobody', {}],
      ...['undefined', 'throws', 'unfit', 'bare', 'failed', 'fit', 'off'].map((each) => [each, {}]),
    ] as [string, object | undefined][]) {
      results.push([name, gist(await ask('tools/call', { name, arguments: args }))]);
    }
    results.push(gist(await ask('tools/call', { name: 'echo', arguments: [] })), gist(await ask('tools/call', {})));
    return results;
  },
  'resources and prompts': async (sdk) => {
    const { ask } = await join(sdk, equipped(sdk));
    const results: unknown[] = [];
    for (const uri of ['memo://r', 'memo://t/5']) results.push(gist(await ask('resources/read', { uri })));
    for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) {
      results.push(gist(await ask(method)));
    }
    for (const params of [
      { name: 'p', arguments: { name: 'x' } },
      { name: 'p', arguments: {} },
      { name: 'p' },
      { name: 'nobody' },
      { name: 'off' },
    ]) {
      results.push(gist(await ask('prompts/get', params)));
    }
    return results;
  },
  completion: async (sdk) => {
    const { ask } = await join(sdk, equipped(sdk));
    const prompt = (name: string) => ({ type: 'ref/prompt', name });
    const resource = (uri: string) => ({ type: 'ref/resource', uri });
    const results: unknown[] = [];
    for (const [ref, name] of [
      [prompt('p'), 'name'],
      [prompt('p'), 'other'],
      [prompt('nobody'), 'name'],
      [prompt('off'), 'name'],
      [resource('memo://t/{id}'), 'id'],
      [resource('memo://t/{id}'), 'other'],
      [resource('memo://r'), 'id'],
      [resource('memo://none/{x}'), 'x'],
    ] as [object, string][]) {
      results.push(gist(await ask('completion/complete', { ref, argument: { name, value: 'a' } })));
    }
    return results;
  },
  'log levels': async (sdk) => {
    const server = equipped(sdk);
    const { ask, heard } = await join(sdk, server);
    const before = heard.length;
    await server.sendLoggingMessage({ level: 'debug', data: 'before' });
    await ask('logging/setLevel', { level: 'error' });
    await server.sendLoggingMessage({ level: 'info', data: 'quiet' });
    await server.sendLoggingMessage({ level: 'critical', data: 'loud' });
    await turns();
    return heard.slice(before).filter((message) => message.method === 'notifications/message');
  },
  'lists that change': async (sdk) => {
    const server = equipped(sdk);
    const { heard } = await join(sdk, server);
    const before = heard.length;
    server.registerTool('late', {}, async () => ({ content: [] })).disable();
    await turns();
    const said = heard.slice(before).map((message) => message.method);
    return [said.length > 0, [...new Set(said)]];
  },
  'questions to the client, and its answers': async (sdk) => {
    const server = new sdk.McpServer({ name: 's', version: '1' });
    const { answerWith, near } = await join(sdk, server, { elicitation: {}, sampling: {}, roots: {} });
    const requestedSchema = { type: 'object', properties: { n: { type: 'string', minLength: 3 } }, required: ['n'] };
    const elicit = () => server.server.elicitInput({ message: 'm', requestedSchema });
    const sample = () => server.server.createMessage({ messages: [], maxTokens: 1 });
    const roots = () => server.server.listRoots();
    const content = { type: 'text', text: 't' };
    const results: unknown[] = [];
    for (const [ask, said] of [
      [elicit, { result: { action: 'accept', content: { n: 'abc' } } }],
      [elicit, { result: { action: 'accept', content: { n: 'a' } } }],
      [elicit, { result: { action: 'accept', content: {} } }],
      [elicit, { result: { action: 'decline' } }],
      [elicit, { result: { nonsense: 1 } }],
      [elicit, { error: { code: -32042, message: 'no' } }],
      [sample, { result: { role: 'assistant', model: 'm', content } }],
      [sample, { result: {} }],
      [roots, { result: { roots: [{ uri: 'file:///x' }] } }],
      [roots, { result: { roots: 1 } }],
    ] as [() => unknown, object][]) {
      answerWith(() => said);
      results.push(await outcome(ask));
    }
    const url = { mode: 'url', message: 'm', url: 'https://x', elicitationId: '1' };
    results.push(await outcome(() => server.server.elicitInput(url)));
    answerWith(undefined);
    const ping = (options: object) => outcome(() => server.server.request({ method: 'ping' }, options));
    results.push(await ping({ timeout: 20 }));
    const aborted = new AbortController();
    setTimeout(() => aborted.abort('because'), 10);
    results.push(await ping({ signal: aborted.signal }), await ping({ signal: aborted.signal }));
    const plain = new AbortController();
    setTimeout(() => plain.abort(), 10);
    results.push(await ping({ signal: plain.signal }));
    const last = ping({});
    await turns();
    await near.close();
    results.push(await last);
    return results;
  },
  'conversations that cannot be': async (sdk) => {
    const server = new sdk.McpServer({ name: 's', version: '1' });
    const { answerWith } = await join(sdk, server, { sampling: { tools: {} } });
    const content = { type: 'text', text: 't' };
    answerWith(() => ({ result: { role: 'assistant', model: 'm', stopReason: 'endTurn', content } }));
    const use = (id: string) => ({ type: 'tool_use', id, name: 'n', input: {} });
    const result = (toolUseId: string) => ({ type: 'tool_result', toolUseId, content: [] });
    const results: unknown[] = [];
    for (const messages of [
      [{ role: 'user', content }],
      [
        { role: 'assistant', content: [use('a'), use('b')] },
        { role: 'user', content: [result('b'), result('a')] },
      ],
      [
        { role: 'assistant', content: use('a') },
        { role: 'user', content: [result('a'), content] },
      ],
      [{ role: 'user', content: result('a') }],
      [
        { role: 'assistant', content: [use('a'), use('b')] },
        { role: 'user', content: result('a') },
      ],
      [
        { role: 'assistant', content: use('a') },
        { role: 'user', content },
      ],
    ]) {
      results.push(await outcome(() => server.server.createMessage({ messages, maxTokens: 1, tools: [] })));
    }
    return results;
  },
  'a client without capabilities': async (sdk) => {
    const server = new sdk.McpServer({ name: 's', version: '1' }, { enforceStrictCapabilities: true });
    await join(sdk, server);
    return [
      await outcome(() =>
        server.server.elicitInput({ message: 'm', requestedSchema: { type: 'object', properties: {} } }),
      ),
      await outcome(() => server.server.createMessage({ messages: [], maxTokens: 1 })),
      await outcome(() => server.server.listRoots()),
    ];
  },
  'the low-level server': async (sdk) => {
    const server = new sdk.Server({ name: 'low', version: '2' }, { capabilities: { tools: {} } });
    const results: unknown[] = [
      await outcome(() => server.setRequestHandler('prompts/list', async () => ({ prompts: [] }))),
      await outcome(() => server.setRequestHandler('com.example/x', async () => ({}))),
    ];
    server.setRequestHandler('tools/list', async () => ({ tools: [{ name: 'a', inputSchema: { type: 'object' } }] }));
    server.setRequestHandler('tools/call', async (request: Json, ctx: Json) => {
      if (request.params.name === 'throw') throw new Error('low boom');
      const { method, id } = ctx.mcpReq;
      return { content: [{ type: 'text', text: JSON.stringify([request.params.arguments, method, typeof id]) }] };
    });
    const { ask } = await join(sdk, server);
    for (const name of ['ok', 'throw']) results.push(gist(await ask('tools/call', { name, arguments: { q: 1 } })));
    results.push(gist(await ask('tools/list')), gist(await ask('prompts/list')), gist(await ask('tools/call', {})));
    server.fallbackRequestHandler = async (request: Json) => ({ fell: request.method });
    results.push(gist(await ask('com.example/x')), await outcome(() => server.sendPromptListChanged()));
    await server.close();
    results.push(await outcome(() => server.sendToolListChanged()));
    return results;
  },
  'the statuses of the Streamable HTTP transport': async (sdk) => {
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => 'one' });
    await equipped(sdk).connect(transport);
    const results: unknown[] = [];
    const send = async (method: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response: Response = await transport.handleRequest(
        new Request('http://localhost/mcp', {
          method,
          headers: {
            accept: 'application/json, text/event-stream',
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      );
      const type = response.headers.get('content-type');
      const text = method === 'GET' && response.status === 200 ? '' : await response.text();
      const code = type === 'application/json' ? (JSON.parse(text).error?.code ?? 'result') : undefined;
      results.push([response.status, type, response.headers.get('allow'), code]);
    };
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const session = { 'mcp-session-id': 'one' };
    await send('POST', ping);
    await send('POST', '{');
    await send('POST', { a: 1 });
    await send('POST', INIT, { accept: 'application/json' });
    await send('POST', INIT, { 'content-type': 'text/plain' });
    await send('POST', [INIT, ping]);
    await send('POST', INIT);
    await send('POST', INIT);
    await send('POST', ping);
    await send('POST', ping, { 'mcp-session-id': 'two' });
    await send('POST', ping, session);
    await send('POST', { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    await send('POST', ping, { ...session, 'mcp-protocol-version': '1999-01-01' });
    await send('POST', [ping, { ...ping, id: 2 }], session);
    await send('POST', { jsonrpc: '2.0', id: 1, result: {} }, session);
    await send('PUT', {}, session);
    await send('GET', undefined, { ...session, accept: 'application/json' });
    await send('GET');
    await send('GET', undefined, session);
    await send('GET', undefined, session);
    await send('DELETE');
    await send('DELETE', undefined, session);
    await send('POST', ping, session);
    return results;
  },
  'the statuses of a handler': async (sdk) => {
    const handler = sdk.createMcpHandler(() => equipped(sdk));
    const results: unknown[] = [];
    const META = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const send = async (
      method: string,
      params: Json = {},
      headers: Record<string, string> = {},
      meta: object = META,
    ) => {
      const name = params.name ?? params.uri;
      const response: Response = await handler.fetch(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': method,
            ...(name !== undefined && { 'mcp-name': name }),
            ...headers,
          },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
        }),
      );
      const { result, error } = (await response.json()) as Json;
      results.push([method, response.status, error?.code ?? result.resultType, result?.isError]);
    };
    await send('server/discover');
    for (const name of ['fit', 'nobody', 'echo', 'unfit', 'undefined']) await send('tools/call', { name });
    await send('tools/call', { name: 'fit' }, { 'mcp-name': 'other' });
    await send('tools/call', { name: 'fit' }, { 'mcp-method': 'tools/list' });
    await send('resources/read', { uri: 'memo://none' });
    await send('prompts/get', { name: 'nobody' });
    await send('prompts/get', { name: 'p', arguments: {} });
    for (const method of ['com.example/x', 'ping', 'initialize', 'logging/setLevel', 'subscriptions/listen']) {
      await send(method, method === 'logging/setLevel' ? { level: 'info' } : {});
    }
    await send('tools/call', {});
    const version = 'io.modelcontextprotocol/protocolVersion';
    await send('tools/call', { name: 'fit' }, {}, { ...META, [version]: '2099-01-01' });
    await send('tools/call', { name: 'fit' }, {}, { [version]: '2026-07-28' });
    results.push((await handler.fetch(new Request('http://localhost/mcp'))).status);
    await handler.close();
    results.push(await outcome(() => handler.fetch(new Request('http://localhost/mcp'))));
    return results;
  },
};

describe('as in the official SDK', () => {
  it.each(Object.entries(programs))('%s', async (_what, program) => {
    const expected = await program(official);
    expect(await program(own)).toEqual(expected);
  });
});

describe('apart from the official SDK', () => {
  it('a transport without sessions serves many requests, and takes no answers: nobody knows whose they are', async () => {
    const server = new own.McpServer({ name: 's', version: '1' });
    let asked: Promise<unknown> = Promise.resolve();
    server.registerTool('ask', {}, async () => {
      asked = server.server.request({ method: 'ping' }, { timeout: 50 }).catch((error) => error.code);
      return { content: [] };
    });
    const transport = new own.WebStandardStreamableHTTPServerTransport();
    await server.connect(transport);
    const send = (body: object) =>
      transport.handleRequest(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: JSON.stringify(body),
        }),
      );
    await (await send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ask' } })).text();
    for (let id = 0; id < 10; id += 1) expect((await send({ jsonrpc: '2.0', id, result: {} })).status).toBe(202);
    expect(await asked).toBe('REQUEST_TIMEOUT');
    await server.close();
  });
});
