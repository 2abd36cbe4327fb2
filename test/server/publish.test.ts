/** What engine registries are told: everything at the start, changes together, nothing twice. */
import { describe, expect, it } from 'vitest';
import { attachmentOf, McpServer } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { engines } from '../engines.js';

const turn = () => new Promise((done) => setImmediate(done));
const done = () => ({ content: [] });

describe.each(engines.map((engine) => [engine.name, engine] as const))('the %s registry', (_name, engine) => {
  const serve = (server: McpServer) => attachmentOf(server).attach(engine.registry.create());

  it('is complete before anything can ask it', () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    server.registerTool('t', {}, done);
    server.registerPrompt('p', {}, () => ({ messages: [] }));
    server.registerResource('r', 'mem://r', {}, () => ({ contents: [] }));
    const hidden = server.registerTool('hidden', {}, done);
    hidden.disable();
    const { registry } = serve(server);
    const known = (method: string, name = '') => registry.route(method, name) >= 0;
    expect([known('tools/call', 't'), known('prompts/get', 'p'), known('resources/read', 'mem://r')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([known('tools/list'), known('prompts/list'), known('resources/templates/list')]).toEqual([true, true, true]);
    expect([known('server/discover'), known('ping'), known('tools/call', 'hidden')]).toEqual([true, true, false]);
  });

  it('has no list that the server does not offer', () => {
    const { registry } = serve(new McpServer({ name: 'unit', version: '1' }));
    expect([registry.route('tools/list', ''), registry.route('resources/list', '')]).toEqual([-1, -1]);
    expect(registry.route('server/discover', '')).toBeGreaterThanOrEqual(0);
  });

  it('sees the changes of one turn at once, and every registry the same', async () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    const [a, b] = [serve(server).registry, serve(server).registry];
    const before = [a.generation, b.generation];
    const tool = server.registerTool('one', {}, done);
    for (let i = 0; i < 50; i++) server.registerTool(`t${i}`, {}, done);
    tool.update({ name: 'uno' });
    expect([a.generation, a.route('tools/call', 'uno')]).toEqual([before[0], -1]);
    await turn();
    for (const [i, registry] of [a, b].entries()) {
      expect(registry.generation).toBe((before[i] as number) + 1);
      expect(registry.route('tools/call', 'uno')).toBeGreaterThanOrEqual(0);
      expect([registry.route('tools/call', 'one'), registry.route('tools/call', 't49') >= 0]).toEqual([-1, true]);
    }
    await turn();
    expect(a.generation).toBe((before[0] as number) + 1);
  });

  it('follows flush without waiting, and disable, enable, remove', () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    const { registry, detach } = serve(server);
    const tool = server.registerTool('t', {}, done);
    const routed = () => {
      server.flush();
      return registry.route('tools/call', 't') >= 0;
    };
    expect(routed()).toBe(true);
    tool.disable();
    expect(routed()).toBe(false);
    tool.enable();
    expect(routed()).toBe(true);
    tool.remove();
    expect(routed()).toBe(false);
    const generation = registry.generation;
    server.flush();
    expect(registry.generation).toBe(generation);
    detach(null);
    server.registerTool('t', {}, done);
    expect(routed()).toBe(false);
  });

  it('leaves to the protocol what needs more than a route', () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    const region = { type: 'object', properties: { r: { type: 'string', 'x-mcp-header': 'Region' } } };
    server.registerTool('open', {}, done);
    server.registerTool('mirrored', { inputSchema: region }, done);
    const { registry } = serve(server);
    const known = (method: string, name = '') => {
      server.flush();
      return registry.route(method, name) >= 0;
    };
    expect([known('tools/call', 'open'), known('tools/call', 'mirrored'), known('tools/list')]).toEqual([
      true,
      false,
      true,
    ]);
    const guarded = server.registerTool('guarded', { scopes: ['s'] }, done);
    // A list with an entry that not everybody may use is not the same for everybody.
    expect([known('tools/call', 'guarded'), known('tools/list')]).toEqual([false, false]);
    guarded.remove();
    expect(known('tools/list')).toBe(true);
    server.server.setRequestHandler('tools/call', () => done());
    server.server.setRequestHandler('tools/list', () => ({ tools: [] }));
    expect([known('tools/call', 'open'), known('tools/list'), known('server/discover')]).toEqual([false, false, true]);
    server.server.removeRequestHandler('tools/call');
    server.server.removeRequestHandler('tools/list');
    expect([known('tools/call', 'open'), known('tools/list')]).toEqual([true, true]);
  });

  it('does not answer a list that depends on the request', () => {
    const server = new McpServer({ name: 'unit', version: '1' });
    const { registry } = serve(server);
    server.registerResource('r', 'mem://r', {}, () => ({ contents: [] }));
    server.flush();
    expect(registry.route('resources/list', '')).toBeGreaterThanOrEqual(0);
    const template = new ResourceTemplate('mem://{x}', { list: () => ({ resources: [] }) });
    const handle = server.registerResource('t', template, {}, () => ({ contents: [] }));
    server.flush();
    expect(registry.route('resources/list', '')).toBe(-1);
    expect(registry.route('resources/templates/list', '')).toBeGreaterThanOrEqual(0);
    handle.remove();
    server.flush();
    expect(registry.route('resources/list', '')).toBeGreaterThanOrEqual(0);
  });
});
