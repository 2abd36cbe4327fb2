/** Tools with a user interface, and extensions of one's own. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appsCapability, RESOURCE_MIME_TYPE, registerAppResource, registerAppTool } from '../../ts/server/apps.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { ERAS, join } from './pair.js';

const info = { name: 'apps', version: '1.0.0' };
const UI = 'io.modelcontextprotocol/ui';
const uri = 'ui://clock/app.html';

describe.each(ERAS)('%s: an app', (era) => {
  it('is a tool that names its resource, and the resource with its policy', async () => {
    const server = new McpServer(info);
    const csp = { connectDomains: ['https://api.test'] };
    registerAppTool(
      server,
      'clock',
      { description: 'Time', inputSchema: { zone: z.string() }, _meta: { own: 1, ui: { resourceUri: uri } } },
      ({ zone }) => ({ content: [{ type: 'text', text: zone }] }),
    );
    registerAppResource(server, 'clock app', uri, { _meta: { ui: { csp, prefersBorder: true } } }, '<p>tick</p>');
    const client = await join(server, era, {
      capabilities: { extensions: { [UI]: { mimeTypes: [RESOURCE_MIME_TYPE] } } },
    });
    const [tool] = (await client.listTools()).tools;
    expect(tool?._meta).toEqual({ own: 1, ui: { resourceUri: uri }, 'ui/resourceUri': uri });
    const [resource] = (await client.listResources()).resources;
    expect(resource).toMatchObject({ uri, mimeType: RESOURCE_MIME_TYPE, _meta: { ui: { csp, prefersBorder: true } } });
    const { contents } = await client.readResource({ uri });
    expect(contents).toEqual([
      { uri, mimeType: RESOURCE_MIME_TYPE, text: '<p>tick</p>', _meta: { ui: { csp, prefersBorder: true } } },
    ]);
    expect(client.getServerCapabilities()?.extensions).toEqual({ [UI]: {} });
    expect((await client.callTool({ name: 'clock', arguments: { zone: 'UTC' } })).content).toMatchObject([
      { text: 'UTC' },
    ]);
  });

  it('can be asked for by the server only when the client shows it', async () => {
    const server = new McpServer(info);
    server.registerTool('shown', {}, (ctx) => ({
      content: [{ type: 'text', text: JSON.stringify(appsCapability(ctx.clientCapabilities) ?? null) }],
    }));
    const shows = { capabilities: { extensions: { [UI]: { mimeTypes: [RESOURCE_MIME_TYPE] } } } };
    const text = async (options: object) => {
      const client = await join(server, era, options);
      const { content } = await client.callTool({ name: 'shown' });
      await client.close();
      return JSON.parse((content as { text: string }[])[0]?.text as string);
    };
    expect(await text(shows)).toEqual({ mimeTypes: [RESOURCE_MIME_TYPE] });
    expect(await text({})).toBeNull();
  });

  it('leaves what a callback says itself, and results that ask first', async () => {
    const server = new McpServer(info);
    const own = { uri, text: 'x', mimeType: 'text/html', _meta: { ui: { domain: 'd' } } };
    registerAppResource(server, 'app', uri, { _meta: { ui: { domain: 'other' } } }, async () => ({ contents: [own] }));
    const client = await join(server, era);
    expect((await client.readResource({ uri })).contents).toEqual([own]);
  });

  it('answers the methods of an extension', async () => {
    const server = new McpServer(info);
    server.registerExtension(
      'com.example/search',
      { depth: 2 },
      {
        'search/run': (params, ctx) => ({ found: `${params?.q} by ${ctx.mcpReq.method}` }),
      },
    );
    const client = await join(server, era);
    const result = await client.request({ method: 'search/run', params: { q: 'x' } }, z.object({ found: z.string() }));
    expect(result.found).toBe('x by search/run');
    expect(client.getServerCapabilities()?.extensions).toEqual({ 'com.example/search': { depth: 2 } });
  });
});

it('refuses what no host would show', () => {
  const server = new McpServer(info);
  const done = () => ({ content: [] });
  const tool = (ui: object) => () => registerAppTool(server, 't', { _meta: { ui } }, done);
  expect(tool({ resourceUri: 'https://x.test/' })).toThrow('must be a URI under ui://');
  expect(tool({ visibility: ['user'] })).toThrow('must name "model", "app" or both');
  expect(tool({ visibility: [] })).toThrow(TypeError);
  expect(() => registerAppResource(server, 'r', 'mem://x', {}, '')).toThrow('under ui://');
  expect(offerOf(server).list('tools')).toEqual([]);
  expect(offerOf(server).capabilities()).toEqual({});
});

it('refuses extensions without a prefix, and methods that are taken', () => {
  const server = new McpServer(info);
  expect(() => server.registerExtension('search')).toThrow('an id such as com.example/name');
  server.registerExtension('a.b/one', {}, { 'one/run': () => ({}) });
  expect(() => server.registerExtension('a.b/two', {}, { 'two/run': () => ({}), 'one/run': () => ({}) })).toThrow(
    'one/run',
  );
  expect(offerOf(server).methodHandler('two/run')).toBeUndefined();
  expect(offerOf(server).capabilities()).toEqual({ extensions: { 'a.b/one': {} } });
});
