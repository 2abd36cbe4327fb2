/** Completing prompt arguments and template variables. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { completable, isCompletable } from '../../ts/server/completable.js';
import { McpServer, offerOf } from '../../ts/server/mcp.js';
import { ResourceTemplate } from '../../ts/server/template.js';
import { ERAS, join } from './pair.js';

const info = { name: 'completion', version: '1.0.0' };
const LANGUAGES = ['python', 'pytorch', 'typescript'];
const startsWith = (values: string[]) => (value: string) => values.filter((known) => known.startsWith(value));

function make(): McpServer {
  const server = new McpServer(info);
  const argsSchema = z.object({
    language: completable(z.string(), startsWith(LANGUAGES)),
    framework: completable(z.string(), (value, context) =>
      startsWith(context?.arguments?.language === 'python' ? ['flask', 'fastapi'] : ['vue'])(value),
    ).optional(),
    plain: z.string().optional(),
  });
  server.registerPrompt('review', { argsSchema }, ({ language }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: language } }],
  }));
  server.registerPrompt('bare', {}, () => ({ messages: [] }));
  const complete = {
    many: () => Array.from({ length: 150 }, (_, i) => `n${i}`),
    bad: () => 'no array' as never,
  };
  const template = new ResourceTemplate('mem://{many}/{bad}/{none}', { list: undefined, complete });
  server.registerResource('t', template, {}, () => ({ contents: [] }));
  server.registerResource('fixed', 'mem://fixed', {}, () => ({ contents: [] }));
  return server;
}

describe.each(ERAS)('%s: completion', (era) => {
  const ask = async (ref: any, name: string, value = '', args?: Record<string, string>) => {
    const client = await join(make(), era);
    const context = args === undefined ? {} : { context: { arguments: args } };
    const answer = client.complete({ ref, argument: { name, value }, ...context });
    return (await answer).completion;
  };
  const prompt = { type: 'ref/prompt', name: 'review' };
  const resource = { type: 'ref/resource', uri: 'mem://{many}/{bad}/{none}' };

  it('gives what fits, knowing the other arguments', async () => {
    expect(await ask(prompt, 'language', 'py')).toEqual({ values: ['python', 'pytorch'], total: 2, hasMore: false });
    expect((await ask(prompt, 'framework', 'f', { language: 'python' })).values).toEqual(['flask', 'fastapi']);
    expect((await ask(prompt, 'framework', '')).values).toEqual(['vue']);
  });

  it('gives a hundred values at most', async () => {
    const found = await ask(resource, 'many');
    expect([found.values.length, found.total, found.hasMore]).toEqual([100, 150, true]);
  });

  it('gives nothing for what cannot be completed, and an error for what is not there', async () => {
    for (const [ref, name] of [
      [prompt, 'plain'],
      [prompt, '__proto__'],
      [{ type: 'ref/prompt', name: 'bare' }, 'x'],
      [resource, 'none'],
      [{ type: 'ref/resource', uri: 'mem://fixed' }, 'x'],
    ] as const) {
      expect((await ask(ref, name)).values).toEqual([]);
    }
    await expect(ask({ type: 'ref/prompt', name: 'nope' }, 'x')).rejects.toMatchObject({ code: -32602 });
    await expect(ask({ type: 'ref/resource', uri: 'mem://nope' }, 'x')).rejects.toMatchObject({ code: -32602 });
    await expect(ask(resource, 'bad')).rejects.toMatchObject({ code: -32603 });
  });
});

describe('completable', () => {
  it('marks a schema and leaves it a schema', () => {
    const plain = z.string();
    expect(isCompletable(plain)).toBe(false);
    const marked = completable(plain, () => []);
    expect([isCompletable(marked), marked.parse('x')]).toEqual([true, 'x']);
    expect(isCompletable(null)).toBe(false);
    expect(() => completable(z.string(), 'x' as never)).toThrow(TypeError);
  });

  it('is declared when something can be completed, and only then', () => {
    expect(offerOf(make()).capabilities()).toMatchObject({ completions: {} });
    const server = new McpServer(info);
    server.registerPrompt('p', { argsSchema: { a: z.string() } }, () => ({ messages: [] }));
    expect(offerOf(server).capabilities()).toEqual({ prompts: { listChanged: true } });
    server.registerPrompt('q', { argsSchema: { a: completable(z.string(), () => []) } }, () => ({ messages: [] }));
    expect(offerOf(server).capabilities().completions).toEqual({});
  });
});
