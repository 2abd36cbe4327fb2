/** Registering, listing, changing and calling, through the offer that the protocol and the engines are given. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDispatch } from '../../ts/dispatch.js';
import { ProtocolError } from '../../ts/protocol/errors.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import type { HandlerMethod } from '../../ts/server/offer.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { Recorder } from '../protocol/recorder.js';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const make = (options = {}) => new McpServer({ name: 'unit', version: '1.0.0' }, options);

/** What a modern client gets for a call by name, without any socket. */
async function ask(server: McpServer, method: HandlerMethod, name: string, args?: unknown): Promise<any> {
  const offer = offerOf(server);
  const recorder = new Recorder(createDispatch(offer));
  const body = { id: 1, params: { arguments: args } };
  const number = offer.find(method, name);
  expect(number).toBeGreaterThanOrEqual(0);
  const slot = recorder.call(number, 0, args === undefined ? '' : JSON.stringify(args), body);
  return (await recorder.answered(slot)).json;
}

describe('a server', () => {
  it('needs a name and a version, and refuses options that it does not know', () => {
    expect(() => new McpServer({ name: '', version: '1' })).toThrow(TypeError);
    expect(() => new McpServer({ name: 'x' } as never)).toThrow('a name and a version');
    expect(() => make({ pagesize: 3 })).toThrow('Unknown option of McpServer: pagesize');
    expect(() => make({ pageSize: 0 })).toThrow('Option pageSize must be a whole number from 1');
    expect(() => make({ requestState: { keys: ['short'] } })).toThrow(
      'requestState.keys[0] must have at least 32 bytes',
    );
    expect(() => make({ requestState: { key: 'x'.repeat(32) } })).toThrow('Unknown option of requestState: key');
    expect(() => make({ requestState: null })).toThrow('Option requestState must be an object');
    expect(() => make({ cacheHints: { 'tools/call': {} } })).toThrow('tools/call has no cacheable result');
    expect(() => make({ cacheHints: { 'tools/list': { ttlMs: -1 } } })).toThrow(RangeError);
    expect(() => make({ cacheHints: { 'tools/list': { cacheScope: 'all' } } })).toThrow(RangeError);
  });

  it('declares what it has, and keeps declaring it when the last entry goes', () => {
    const server = make({ capabilities: { logging: {} } });
    expect(offerOf(server).capabilities()).toEqual({ logging: {} });
    const tool = server.registerTool('t', {}, () => text(''));
    expect(offerOf(server).capabilities()).toEqual({ logging: {}, tools: { listChanged: true } });
    tool.remove();
    expect(offerOf(server).capabilities()).toEqual({ logging: {}, tools: { listChanged: true } });
    const declared = { resources: { subscribe: true }, prompts: { listChanged: false } };
    expect(offerOf(make({ capabilities: declared })).capabilities()).toEqual({
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: false },
    });
  });

  it('gives cache hints with all members, the resource before the method', () => {
    const server = make({
      cacheHints: { 'tools/list': { ttlMs: 5 }, 'resources/read': { ttlMs: 7, cacheScope: 'public' } },
    });
    server.registerResource('a', 'mem://a', { cacheHint: { ttlMs: 9 } }, () => ({ contents: [] }));
    const template = new ResourceTemplate('mem://t/{id}', { list: undefined });
    server.registerResource('t', template, { cacheHint: { cacheScope: 'private' } }, () => ({ contents: [] }));
    const offer = offerOf(server);
    expect(offer.cacheHint('tools')).toEqual({ ttlMs: 5, cacheScope: 'private' });
    expect(offer.cacheHint('prompts')).toEqual({ ttlMs: 0, cacheScope: 'private' });
    expect(offer.cacheHint('resources', 'mem://a')).toEqual({ ttlMs: 9, cacheScope: 'public' });
    expect(offer.cacheHint('resources', 'mem://t/1')).toEqual({ ttlMs: 7, cacheScope: 'private' });
    expect(offer.cacheHint('resources', 'mem://none')).toEqual({ ttlMs: 7, cacheScope: 'public' });
  });
});

describe('names', () => {
  it('are taken once per kind', () => {
    const server = make();
    const template = () => new ResourceTemplate('mem://{x}', { list: undefined });
    server.registerTool('a', {}, () => text(''));
    server.registerPrompt('a', {}, () => ({ messages: [] }));
    server.registerResource('a', 'mem://a', {}, () => ({ contents: [] }));
    server.registerResource('a', template(), {}, () => ({ contents: [] }));
    expect(() => server.registerTool('a', {}, () => text(''))).toThrow('Tool a is already registered');
    expect(() => server.registerPrompt('a', {}, () => ({ messages: [] }))).toThrow('Prompt a is already');
    expect(() => server.registerResource('b', 'mem://a', {}, () => ({ contents: [] }))).toThrow('Resource mem://a');
    expect(() => server.registerResource('a', template(), {}, () => ({ contents: [] }))).toThrow('Resource template a');
  });

  it.each(['', 'line\nbreak', 'nul\0', 'x'.repeat(513), 'lone \ud800', 7, null])('refuses %j', (name) => {
    expect(() => make().registerTool(name as string, {}, () => text(''))).toThrow(TypeError);
    expect(() => make().registerPrompt(name as string, {}, () => ({ messages: [] }))).toThrow(TypeError);
  });

  it('refuses a URI that is none, and a callback that is no function', () => {
    expect(() => make().registerResource('a', 'not a uri', {}, () => ({ contents: [] }))).toThrow('absolute URI');
    expect(() => make().registerResource('a', 7 as never, {}, () => ({ contents: [] }))).toThrow('absolute URI');
    expect(() => make().registerTool('a', {}, undefined as never)).toThrow('callback of tool "a"');
    expect(() => make().registerResource('a', 'mem://a', {}, null as never)).toThrow('callback of resource "a"');
    expect(() => make().registerPrompt('a', {}, {} as never)).toThrow('callback of prompt "a"');
  });

  it('that come from Object.prototype mean nothing', () => {
    const offer = offerOf(make());
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(offer.find('tools/call', name)).toBe(-1);
      expect(offer.find('resources/read', name)).toBe(-1);
    }
  });
});

describe('lists', () => {
  it('keep the order of registration and the same bytes', () => {
    const server = make();
    for (const name of ['zebra', 'apple', '10', '9', 'mango']) server.registerTool(name, {}, () => text(''));
    const offer = offerOf(server);
    const first = offer.list('tools');
    expect(first.map((item) => JSON.parse(item).name)).toEqual(['zebra', 'apple', '10', '9', 'mango']);
    expect(offer.list('tools')).toBe(first);
  });

  it('give a plain JSON Schema back as it was written', () => {
    const inputSchema = {
      required: ['b', 'a'],
      properties: { b: { type: 'string' }, a: {} },
      'x-own': [1],
      type: 'object',
    };
    const server = make();
    server.registerTool('t', { inputSchema, outputSchema: { type: 'object', $comment: 'c' } }, () => ({
      structuredContent: {},
    }));
    const item = offerOf(server).list('tools')[0] as string;
    expect(item).toContain(`"inputSchema":${JSON.stringify(inputSchema)}`);
    expect(item).toContain('"outputSchema":{"type":"object","$comment":"c"}');
    inputSchema.required.push('c');
    expect(offerOf(server).list('tools')[0]).toBe(item);
  });

  it('hold every member that was given, and none that was not', () => {
    const server = make();
    const config = {
      title: 'T',
      description: 'D',
      inputSchema: z.object({ a: z.number() }),
      annotations: { readOnlyHint: true },
      icons: [{ src: 'https://x/i.png' }],
      _meta: { k: 1 },
    };
    server.registerTool('full', config, () => text(''));
    server.registerTool('bare', {}, () => text(''));
    const [full, bare] = offerOf(server)
      .list('tools')
      .map((item) => JSON.parse(item));
    expect(Object.keys(full)).toEqual(['name', 'title', 'description', 'inputSchema', 'annotations', 'icons', '_meta']);
    expect(full.inputSchema).toMatchObject({ type: 'object', properties: { a: { type: 'number' } }, required: ['a'] });
    expect(bare).toEqual({ name: 'bare', inputSchema: { type: 'object', properties: {} } });
  });

  it('show the arguments of a prompt, and the metadata of resources', () => {
    const server = make();
    const argsSchema = z.object({ code: z.string().describe('what'), style: z.string().optional() });
    server.registerPrompt('p', { title: 'P', argsSchema }, () => ({ messages: [] }));
    server.registerResource('r', 'mem://r', { mimeType: 'text/plain', size: 3 }, () => ({ contents: [] }));
    server.registerResource('t', new ResourceTemplate('mem://{x}', { list: undefined }), { title: 'T' }, () => ({
      contents: [],
    }));
    const offer = offerOf(server);
    const all = (kind: 'prompts' | 'resources' | 'resourceTemplates') =>
      offer.list(kind).map((item) => JSON.parse(item));
    expect(all('prompts')).toEqual([
      {
        name: 'p',
        title: 'P',
        arguments: [
          { name: 'code', description: 'what', required: true },
          { name: 'style', required: false },
        ],
      },
    ]);
    expect(all('resources')).toEqual([{ uri: 'mem://r', name: 'r', mimeType: 'text/plain', size: 3 }]);
    expect(all('resourceTemplates')).toEqual([{ uriTemplate: 'mem://{x}', name: 't', title: 'T' }]);
  });
});

describe('handles', () => {
  it('disable and enable in place', () => {
    const server = make();
    const offer = offerOf(server);
    const names = () => offer.list('tools').map((item) => JSON.parse(item).name);
    const a = server.registerTool('a', {}, () => text(''));
    server.registerTool('b', {}, () => text(''));
    const number = offer.find('tools/call', 'a');
    a.disable();
    expect([a.enabled, names(), offer.find('tools/call', 'a')]).toEqual([false, ['b'], -1]);
    expect(() => server.registerTool('a', {}, () => text(''))).toThrow('already registered');
    a.enable();
    expect([a.enabled, names(), offer.find('tools/call', 'a')]).toEqual([true, ['a', 'b'], number]);
  });

  it('rename and update everything, keeping the number', async () => {
    const server = make();
    const offer = offerOf(server);
    const tool = server.registerTool('old', { description: 'D' }, () => text('old'));
    server.registerTool('taken', {}, () => text(''));
    const number = offer.find('tools/call', 'old');
    tool.update({
      name: 'new',
      title: 'T',
      paramsSchema: { type: 'object', properties: { n: { type: 'number' } } },
      callback: ({ n }: { n: number }) => text(`new ${n}`),
    });
    expect([offer.find('tools/call', 'old'), offer.find('tools/call', 'new')]).toEqual([-1, number]);
    expect(JSON.parse(offer.list('tools')[1] as string)).toMatchObject({ name: 'new', title: 'T', description: 'D' });
    expect((await ask(server, 'tools/call', 'new', { n: 2 })).content).toEqual(text('new 2').content);
    expect((await ask(server, 'tools/call', 'new', { n: 'x' })).isError).toBe(true);
    expect(() => tool.update({ name: 'taken' })).toThrow('already registered');
    expect(() => tool.update({ paramsSchema: { type: 'array' } })).toThrow(TypeError);
    expect(tool.name).toBe('new');
  });

  it('remove for good: the number is never given again, the handle does nothing', () => {
    const server = make();
    const offer = offerOf(server);
    const tool = server.registerTool('a', {}, () => text(''));
    const number = offer.find('tools/call', 'a');
    tool.remove();
    expect([offer.list('tools'), offer.handlers[number], offer.find('tools/call', 'a')]).toEqual([[], undefined, -1]);
    const next = server.registerTool('a', {}, () => text(''));
    expect(offer.find('tools/call', 'a')).not.toBe(number);
    tool.enable();
    tool.update({ name: 'b' });
    tool.remove();
    expect([next.enabled, offer.list('tools').length, offer.find('tools/call', 'b')]).toEqual([true, 1, -1]);
  });

  it('work alike for prompts and resources', async () => {
    const server = make();
    const offer = offerOf(server);
    const prompt = server.registerPrompt('p', {}, () => ({ messages: [] }));
    const resource = server.registerResource('r', 'mem://1', {}, (uri) => ({
      contents: [{ uri: uri.href, text: 'one' }],
    }));
    const number = offer.find('resources/read', 'mem://1');
    prompt.disable();
    expect([offer.list('prompts'), offer.find('prompts/get', 'p')]).toEqual([[], -1]);
    prompt.update({ name: 'q', enabled: true, argsSchema: { properties: { x: {} } } });
    expect(JSON.parse(offer.list('prompts')[0] as string)).toEqual({
      name: 'q',
      arguments: [{ name: 'x', required: false }],
    });
    resource.update({ uri: 'mem://2', name: 's', title: 'S' });
    expect([offer.find('resources/read', 'mem://1'), offer.find('resources/read', 'mem://2')]).toEqual([-1, number]);
    expect(JSON.parse(offer.list('resources')[0] as string)).toEqual({ uri: 'mem://2', name: 's', title: 'S' });
    expect((await ask(server, 'resources/read', 'mem://2')).contents[0].uri).toBe('mem://2');
    resource.remove();
    prompt.remove();
    expect([offer.list('resources'), offer.list('prompts')]).toEqual([[], []]);
    expect(offer.handlers.every((handler) => handler === undefined)).toBe(true);
  });

  it('of templates change what is matched', () => {
    const server = make();
    const offer = offerOf(server);
    const read = () => ({ contents: [] });
    const handle = server.registerResource('t', new ResourceTemplate('mem://{x}', { list: undefined }), {}, read);
    expect(offer.matchTemplate('mem://a')).toBeDefined();
    handle.update({ template: new ResourceTemplate('file://{x}', { list: undefined }) });
    expect([offer.matchTemplate('mem://a'), offer.matchTemplate('file://a') === undefined]).toEqual([undefined, false]);
    handle.disable();
    expect([offer.matchTemplate('file://a'), offer.list('resourceTemplates')]).toEqual([undefined, []]);
    handle.remove();
    server.registerResource('t', new ResourceTemplate('mem://{x}', { list: undefined }), {}, read);
    expect(offer.list('resourceTemplates')).toHaveLength(1);
  });
});

describe('calls', () => {
  it('pass a throwing tool on as a result, and a protocol error as an error', async () => {
    const server = make();
    server.registerTool('throws', {}, () => {
      throw new Error('disk full');
    });
    server.registerTool('rejects', {}, async () => Promise.reject(new Error('later')));
    server.registerTool('odd', {}, () => {
      throw 'a string';
    });
    server.registerTool('coded', {}, async () => {
      throw new ProtocolError(-32050, 'mine', { a: 1 });
    });
    expect(await ask(server, 'tools/call', 'throws')).toMatchObject({ ...text('disk full'), isError: true });
    expect(await ask(server, 'tools/call', 'rejects')).toMatchObject({ ...text('later'), isError: true });
    expect(await ask(server, 'tools/call', 'odd')).toMatchObject({ ...text('a string'), isError: true });
    expect(await ask(server, 'tools/call', 'coded')).toEqual({ code: -32050, message: 'mine', data: { a: 1 } });
    expect(JSON.stringify(await ask(server, 'tools/call', 'throws'))).not.toContain('.ts');
  });

  it.each([
    [undefined, 'returned undefined'],
    [null, 'returned null'],
    ['hi', 'returned string'],
    [[], 'returned array'],
    [{}, 'without a content array'],
    [{ content: 'hi' }, 'no array but string'],
  ])('say what is wrong with the result %j', async (value, message) => {
    const server = make();
    server.registerTool('bad', {}, () => value as never);
    server.registerTool('badAsync', {}, async () => value as never);
    for (const name of ['bad', 'badAsync']) {
      const result = await ask(server, 'tools/call', name);
      expect(result.isError).toBe(true);
      expect(result.content[0].text).toContain(message);
      expect(result.content[0].text).toContain(name);
    }
  });

  it('leave results of another kind alone', async () => {
    const server = make();
    const result = { resultType: 'com.example/later', ticket: 7 };
    server.registerTool('asks', {}, () => result as never);
    expect(await ask(server, 'tools/call', 'asks')).toMatchObject(result);
  });

  it('hand the context alone to a tool without an input schema', async () => {
    const server = make();
    server.registerTool('t', {}, (ctx) => text(`${ctx.era} ${ctx.mcpReq.method}`));
    expect((await ask(server, 'tools/call', 't', { ignored: 1 })).content).toEqual(text('modern tools/call').content);
  });

  it('check prompt arguments, and what prompts and resources return', async () => {
    const server = make();
    const messages = (code: string) => [{ role: 'user' as const, content: { type: 'text' as const, text: code } }];
    server.registerPrompt('p', { argsSchema: { code: z.string() } }, ({ code }) => ({ messages: messages(code) }));
    server.registerPrompt('bad', {}, async () => ({}) as never);
    server.registerPrompt('throws', {}, () => {
      throw new Error('secret path');
    });
    server.registerResource('bad', 'mem://bad', {}, () => undefined as never);
    expect((await ask(server, 'prompts/get', 'p', { code: 'x' })).messages).toEqual(messages('x'));
    const refused = await ask(server, 'prompts/get', 'p', {});
    expect(refused).toEqual({ code: -32602, message: 'Invalid arguments for prompt p: code: required' });
    expect(await ask(server, 'prompts/get', 'bad')).toEqual({
      code: -32603,
      message: 'Prompt bad returned no messages array',
    });
    expect(await ask(server, 'prompts/get', 'throws')).toEqual({ code: -32603, message: 'Internal error' });
    expect((await ask(server, 'resources/read', 'mem://bad')).message).toBe('Resource bad returned no contents array');
  });

  it('find resources by their URI as written and as normalised, then by template', async () => {
    const server = make();
    server.registerResource('site', 'https://example.com/', {}, (uri) => ({
      contents: [{ uri: uri.href, text: 'site' }],
    }));
    const template = new ResourceTemplate('https://example.com/{page}', { list: undefined });
    server.registerResource('page', template, {}, (uri, variables) => ({
      contents: [{ uri: uri.href, text: JSON.stringify(variables) }],
    }));
    const offer = offerOf(server);
    expect(offer.find('resources/read', 'https://example.com')).toBe(
      offer.find('resources/read', 'https://example.com/'),
    );
    const match = offer.matchTemplate('https://example.com/about');
    expect(await match?.run(undefined as never)).toEqual({
      contents: [{ uri: 'https://example.com/about', text: '{"page":"about"}' }],
    });
    expect(offer.matchTemplate('https://example.com/a/b')).toBeUndefined();
    expect(offer.matchTemplate('no uri')).toBeUndefined();
  });
});
