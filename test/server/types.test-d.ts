/** Checked by the compiler, never run: types.test.ts compiles it and fails when it does not. */
import { z } from 'zod';
import { McpServer, type RequestContext, ResourceTemplate, type StandardSchemaV1 } from '../../ts/index.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const server = new McpServer({ name: 'types', version: '1' });
const content = [{ type: 'text' as const, text: '' }];

server.registerTool('zod', { inputSchema: z.object({ a: z.number(), b: z.string().optional() }) }, (args, ctx) => {
  same<typeof args, { a: number; b?: string | undefined }>(true);
  same<typeof ctx, RequestContext>(true);
  return { content };
});
server.registerTool('transformed', { inputSchema: z.object({ n: z.string().transform(Number) }) }, async (args) => {
  same<typeof args, { n: number }>(true);
  return { content };
});
server.registerTool('shape', { inputSchema: { a: z.number(), b: z.string().default('x') } }, (args) => {
  same<typeof args, { a: number; b: string }>(true);
  return { content };
});
declare const standard: StandardSchemaV1<{ in: 1 }, { out: 2 }>;
server.registerTool('standard', { inputSchema: standard }, (args) => {
  same<typeof args, { out: 2 }>(true);
  return { content };
});
server.registerTool('json', { inputSchema: { type: 'object', properties: { a: { type: 'number' } } } }, (args) => {
  same<typeof args, Record<string, unknown>>(true);
  return { content };
});
server.registerTool('none', {}, (ctx) => {
  same<typeof ctx, RequestContext>(true);
  return { content };
});

const outputSchema = z.object({ n: z.number() });
server.registerTool('out', { outputSchema }, () => ({ structuredContent: { n: 1 } }));
server.registerTool('out with content', { outputSchema }, async () => ({ content, structuredContent: { n: 1 } }));
server.registerTool('out failed', { outputSchema }, () => ({ content, isError: true }));
server.registerTool('out by shape', { inputSchema: { a: z.number() }, outputSchema: { n: z.number() } }, ({ a }) => ({
  structuredContent: { n: a },
}));
// @ts-expect-error the structured content does not fit its schema
server.registerTool('out wrong', { outputSchema }, () => ({ structuredContent: { n: 'x' } }));
// @ts-expect-error an output schema needs structured content
server.registerTool('out missing', { outputSchema }, () => ({ content }));
// @ts-expect-error a result needs content
server.registerTool('no content', {}, () => ({}));
// @ts-expect-error the schema has no such argument
server.registerTool('no such', { inputSchema: { a: z.number() } }, ({ b }) => ({ content: b }));

server.registerPrompt('prompt', { argsSchema: { code: z.string() } }, ({ code }) => {
  same<typeof code, string>(true);
  return { messages: [] };
});
server.registerPrompt('prompt none', {}, (ctx) => {
  same<typeof ctx, RequestContext>(true);
  return { messages: [] };
});

const fixed = server.registerResource('fixed', 'mem://x', { mimeType: 'text/plain' }, (uri, ctx) => {
  same<[typeof uri, typeof ctx], [URL, RequestContext]>(true);
  return { contents: [{ uri: uri.href, text: '' }] };
});
fixed.update({ uri: null });
const template = new ResourceTemplate('mem://{x}', { list: undefined });
server
  .registerResource('template', template, {}, (uri, variables) => {
    same<typeof variables, Record<string, string | string[]>>(true);
    return { contents: [{ uri: uri.href, text: '' }] };
  })
  .update({ template });
// @ts-expect-error list must be named, even when it is undefined
new ResourceTemplate('mem://{x}', {});
// @ts-expect-error no such option
server.listen({ prot: 1 });
