/** Handles of what was registered: taken apart, set, and heard of by clients. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { ERAS, join } from './pair.js';

const info = { name: 'handles', version: '1.0.0' };
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const none = () => ({ contents: [] });
const template = (pattern: string) => new ResourceTemplate(pattern, { list: undefined });

describe('a handle', () => {
  it('works when it is taken apart', () => {
    const server = new McpServer(info);
    const offer = offerOf(server);
    const { disable, enable, update, remove } = server.registerTool('t', {}, () => text(''));
    disable();
    expect(offer.find('tools/call', 't')).toBe(-1);
    enable();
    update({ name: 'u' });
    expect(offer.find('tools/call', 'u')).toBeGreaterThanOrEqual(0);
    remove();
    expect(offer.list('tools')).toEqual([]);
    const prompt = server.registerPrompt('p', {}, () => ({ messages: [] }));
    const { disable: hide } = prompt;
    hide();
    expect(prompt.enabled).toBe(false);
  });

  it('has members that can be set', () => {
    const server = new McpServer(info);
    const offer = offerOf(server);
    const listed = (kind: 'tools' | 'prompts' | 'resources' | 'resourceTemplates') =>
      JSON.parse(offer.list(kind)[0] as string);
    const tool = server.registerTool('t', { title: 'A' }, () => text(''));
    tool.title = 'B';
    tool.description = 'D';
    tool._meta = { k: 1 };
    tool.execution = { taskSupport: 'optional' };
    tool.inputSchema = { n: z.number() };
    expect(listed('tools')).toMatchObject({ title: 'B', description: 'D', _meta: { k: 1 } });
    expect(listed('tools')).toMatchObject({ execution: { taskSupport: 'optional' }, inputSchema: { required: ['n'] } });
    tool.title = undefined;
    expect(listed('tools').title).toBeUndefined();
    tool.enabled = false;
    expect(offer.list('tools')).toEqual([]);
    expect(() => {
      tool.inputSchema = { type: 'array' };
    }).toThrow(TypeError);
    const prompt = server.registerPrompt('p', {}, () => ({ messages: [] }));
    prompt.description = 'P';
    prompt.argsSchema = { x: z.string() };
    expect(listed('prompts')).toMatchObject({ description: 'P', arguments: [{ name: 'x', required: true }] });
    const resource = server.registerResource('r', 'mem://r', {}, none);
    resource.name = 's';
    resource.title = 'R';
    expect(listed('resources')).toEqual({ uri: 'mem://r', name: 's', title: 'R' });
    resource.metadata = { mimeType: 'text/plain' };
    expect(listed('resources')).toEqual({ uri: 'mem://r', name: 's', mimeType: 'text/plain' });
    const many = server.registerResource('m', template('mem://{a}'), {}, none);
    many.resourceTemplate = template('file://{a}');
    expect(listed('resourceTemplates').uriTemplate).toBe('file://{a}');
  });

  it('keeps the registration as it was given, whatever becomes of the config object', () => {
    const server = new McpServer(info);
    const config = { description: 'first', _meta: { a: 1 } as Record<string, unknown> };
    server.registerTool('a', config, () => text(''));
    config.description = 'second';
    server.registerTool('b', config, () => text(''));
    const [a, b] = offerOf(server)
      .list('tools')
      .map((item) => JSON.parse(item));
    expect([a.description, b.description]).toEqual(['first', 'second']);
  });

  it('runs the callback by itself', async () => {
    const server = new McpServer(info);
    const tool = server.registerTool('t', { inputSchema: { n: z.number() } }, ({ n }) => text(String(n)));
    expect(await tool.executor({ n: 4 }, undefined as never)).toEqual(text('4'));
    tool.handler = () => text('other');
    expect(await tool.executor({ n: 4 }, undefined as never)).toEqual(text('other'));
    const prompt = server.registerPrompt('p', { argsSchema: { a: z.string() } }, ({ a }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: a } }],
    }));
    expect(await prompt.handler({ a: 'x' }, undefined as never)).toMatchObject({
      messages: [{ content: { text: 'x' } }],
    });
    await expect(prompt.handler({}, undefined as never)).rejects.toMatchObject({ code: -32602 });
  });

  it('refuses a bad update and changes nothing', () => {
    const server = new McpServer(info);
    const offer = offerOf(server);
    server.registerTool('taken', {}, () => text(''));
    const tool = server.registerTool('t', { title: 'T' }, () => text(''));
    const before = offer.list('tools');
    for (const bad of [{ name: 'taken' }, { name: 'line\nbreak' }, { callback: 7 }, { paramsSchema: [] }]) {
      expect(() => tool.update({ title: 'X', ...(bad as object) })).toThrow();
    }
    expect(offer.list('tools')).toEqual(before);
    const resource = server.registerResource('r', 'mem://r', {}, none);
    expect(() => resource.update({ uri: 'nowhere' })).toThrow('absolute URI');
    const many = server.registerResource('m', template('mem://{a}'), {}, none);
    expect(() => many.update({ template: {} as never })).toThrow('ResourceTemplate');
  });
});

describe.each(ERAS)('%s: what clients hear', (era) => {
  it('is one notification for all changes of a turn', async () => {
    const server = new McpServer(info);
    const tool = server.registerTool('t', {}, () => text(''));
    server.registerPrompt('p', {}, () => ({ messages: [] }));
    const heard: string[] = [];
    let wake = () => {};
    const told = (count: number) =>
      new Promise<void>((resolve) => {
        wake = () => heard.length >= count && resolve();
        wake();
      });
    const on = (list: string) => ({
      autoRefresh: false,
      debounceMs: 0,
      onChanged: () => {
        heard.push(list);
        wake();
      },
    });
    const client = await join(server, era, { listChanged: { tools: on('tools'), prompts: on('prompts') } });
    expect((await client.listTools()).tools).toHaveLength(1);
    tool.disable();
    server.registerTool('u', {}, () => text(''));
    await told(1);
    server.sendPromptListChanged();
    await told(2);
    expect(heard).toEqual(['tools', 'prompts']);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['u']);
  });
});

describe('access rules', () => {
  it('are kept for who checks them, and keep the entry from the engine', () => {
    const server = new McpServer(info);
    const canAccess = () => true;
    server.registerTool('open', {}, () => text(''));
    server.registerTool('shut', { scopes: ['a:b'], canAccess }, () => text(''));
    server.registerResource('r', 'mem://r', { scopes: ['r'] }, none);
    server.registerResource('m', template('mem://t/{a}'), { canAccess }, none);
    const offer = offerOf(server);
    expect(offer.access('tools/call', 'open')).toBeUndefined();
    expect(offer.access('tools/call', 'shut')).toEqual({ scopes: ['a:b'], canAccess, scopeChallenge: undefined });
    expect(offer.access('resources/read', 'mem://r')?.scopes).toEqual(['r']);
    expect(offer.access('resources/read', 'mem://t/1')?.canAccess).toBe(canAccess);
    expect([offer.published('tools/call', 'open') >= 0, offer.published('tools/call', 'shut')]).toEqual([true, -1]);
    expect([offer.ready('tools'), offer.ready('resources')]).toEqual([false, false]);
    expect(JSON.parse(offer.list('resources')[0] as string)).toEqual({ uri: 'mem://r', name: 'r' });
  });

  it.each([[{ scopes: 'a' }], [{ scopes: ['a b'] }], [{ canAccess: true }], [{ scopeChallenge: 1 }]])(
    'refuse %j',
    (bad) => {
      expect(() => new McpServer(info).registerTool('t', bad as never, () => text(''))).toThrow(TypeError);
    },
  );
});

describe('mirrored headers', () => {
  const property = (schema: object) => ({ type: 'object', properties: { p: schema } });
  const mirrored = (inputSchema: object) => {
    const server = new McpServer(info);
    server.registerTool('t', { inputSchema: inputSchema as Record<string, unknown> }, () => text(''));
    return offerOf(server);
  };

  it('are found at any depth, and keep the tool from the engine', () => {
    const deep = {
      type: 'object',
      properties: {
        a: { type: 'object', properties: { b: { type: 'integer', 'x-mcp-header': 'Inner' } } },
        region: { type: 'string', 'x-mcp-header': 'Region' },
        plain: { type: 'string' },
      },
    };
    const offer = mirrored(deep);
    expect(offer.mirrored('t')).toEqual([
      { header: 'Inner', path: ['a', 'b'], type: 'integer' },
      { header: 'Region', path: ['region'], type: 'string' },
    ]);
    expect(offer.published('tools/call', 't')).toBe(-1);
    expect(mirrored(property({ type: 'string' })).mirrored('t')).toBeUndefined();
    const zod = new McpServer(info);
    zod.registerTool('z', { inputSchema: { r: z.string().meta({ 'x-mcp-header': 'R' }).optional() } }, () => text(''));
    expect(offerOf(zod).mirrored('z')).toEqual([{ header: 'R', path: ['r'], type: 'string' }]);
  });

  const header = (name: unknown, type: unknown = 'string') => property({ type, 'x-mcp-header': name });
  it.each([
    ['an empty name', header('')],
    ['a blank', header('a b')],
    ['a colon', header('a:b')],
    ['another alphabet', header('é')],
    ['a control character', header('a\r\nb')],
    ['no string', header(7)],
    ['a number', header('N', 'number')],
    ['an object', header('N', 'object')],
    ['an array', header('N', 'array')],
    ['null', header('N', 'null')],
    ['two types', header('N', ['string', 'null'])],
    ['no type', property({ 'x-mcp-header': 'N' })],
    ['the root', { type: 'object', 'x-mcp-header': 'N' }],
    ['items', property({ type: 'array', items: { type: 'string', 'x-mcp-header': 'N' } })],
    ['a choice', property({ anyOf: [{ type: 'string', 'x-mcp-header': 'N' }] })],
    ['a definition', { type: 'object', $defs: { d: { type: 'string', 'x-mcp-header': 'N' } } }],
    [
      'a name that stands twice',
      {
        type: 'object',
        properties: { a: { type: 'string', 'x-mcp-header': 'Same' }, b: { type: 'string', 'x-mcp-header': 'same' } },
      },
    ],
  ])('are refused on %s', (_name, schema) => {
    const register = () => mirrored(schema);
    expect(register).toThrow(TypeError);
    expect(register).toThrow(/^inputSchema of tool "t": x-mcp-header/);
  });
});
